"""Storyboards: their cues cover the film, and each tile shows what the film shows at that time."""

import asyncio
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image, ImageStat

from app.video.chunks import cut
from app.video.encode import encode_chunk
from app.video.ladder import Rung, plan
from app.video.probe import probe
from app.video.storyboard import LONG_SIDE_PX, SHEET_TILES, Board, index, make_storyboard, step_of, tile_size
from tests.video.sources import X264, ffmpeg

CUE = re.compile(
    r"(?P<start>\d\d:\d\d:\d\d\.\d{3}) --> (?P<end>\d\d:\d\d:\d\d\.\d{3})\n"
    r"(?P<sheet>[0-9]+-[0-9]+\.jpg)#xywh=(?P<x>\d+),(?P<y>\d+),(?P<w>\d+),(?P<h>\d+)\n"
)


@dataclass(frozen=True)
class Shown:
    """A cue and the grey of its tile, as a film in limited range has it."""

    start_ms: int
    end_ms: int
    sheet: str
    size: tuple[int, int]
    grey: float


# Levels of grey from one tile to the next, and tiles until it is dark again.
STEP = 9
ROUND = 24


def grey_film(path: Path, length_s: float, size: str, rate: str) -> Path:
    """A film that is lighter each two seconds."""
    light = f"geq=lum='16+{STEP}*mod(floor((T+0.001)/2),{ROUND})':cb=128:cr=128"
    # Drawn small: that filter works out each pixel by itself.
    small = (
        f"color=c=black:s=16x16:r={rate}:d={length_s},{light},scale={size.replace('x', ':')}:flags=neighbor"
    )
    ffmpeg("-f", "lavfi", "-i", f"{small},setsar=1", *X264, path)
    return path


async def _boards(path: Path, work: Path) -> tuple[list[Board], float]:
    source = await probe(path)
    ladder = plan(source)
    boards = []
    for chunk in cut(source, ladder):
        place = await encode_chunk(path, source, ladder, chunk, work)
        boards.append(await make_storyboard(place, ladder, chunk.number, work / "out"))
    return boards, source.duration_s


def look(path: Path, work: Path) -> tuple[list[Shown], float]:
    """Every cue of the film's storyboard with its tile, and the film's length in seconds."""
    work.mkdir()
    boards, film_s = asyncio.run(_boards(path, work))
    text = index([Board.from_json(board.to_json()) for board in boards], film_s)
    assert text.startswith("WEBVTT\n\n")
    found = list(CUE.finditer(text))
    assert len(found) == text.count("-->")
    assert {cue["sheet"] for cue in found} == {path.name for path in (work / "out").iterdir()}
    assert not list(work.glob(".storyboard-*"))
    return [_shown(cue, work / "out") for cue in found], film_s


def _shown(cue: re.Match[str], folder: Path) -> Shown:
    x, y, width, height = (int(cue[name]) for name in "xywh")
    with Image.open(folder / cue["sheet"]) as sheet:
        assert x + width <= sheet.width
        assert y + height <= sheet.height
        # JPEG blurs the edges between neighbours.
        tile = sheet.convert("L").crop((x + 4, y + 4, x + width - 4, y + height - 4))
    grey = 16 + ImageStat.Stat(tile).mean[0] * 219 / 255
    return Shown(_ms(cue["start"]), _ms(cue["end"]), cue["sheet"], (width, height), grey)


def _ms(stamp: str) -> int:
    hours, minutes, seconds = stamp.split(":")
    return round(1000 * (int(hours) * 3600 + int(minutes) * 60 + float(seconds)))


def check(shown: list[Shown], film_s: float) -> None:
    assert shown[0].start_ms == 0
    assert shown[-1].end_ms == round(1000 * film_s)
    for before, after in pairwise(shown):
        assert before.end_ms == after.start_ms
        assert before.start_ms < before.end_ms
    for number, one in enumerate(shown):
        # At 10 pictures a second, and at uneven rates, a key frame is the first picture from a moment on.
        assert 0 <= one.start_ms - 2000 * number < 110
        assert one.grey == pytest.approx(16 + STEP * (number % ROUND), abs=STEP / 2 - 0.5), one


@pytest.mark.parametrize(
    ("name", "length_s", "size", "rate", "tile", "sheets"),
    [
        ("two-chunks.mp4", 44, "640x360", "24", (256, 144), {"0-1.jpg", "1-1.jpg"}),
        ("portrait.mp4", 7, "360x640", "30000/1001", (144, 256), {"0-1.jpg"}),
        ("ten-a-second.mkv", 9, "426x240", "10", (256, 144), {"0-1.jpg"}),
        ("very-short.mp4", 0.6, "320x180", "25", (256, 144), {"0-1.jpg"}),
        ("odd-end.mp4", 14.04, "320x240", "25", (256, 192), {"0-1.jpg"}),
        ("tiny.mp4", 5, "96x54", "25", (96, 54), {"0-1.jpg"}),
    ],
)
def test_each_tile_shows_what_the_film_shows_at_its_time(
    tmp_path: Path,
    name: str,
    length_s: float,
    size: str,
    rate: str,
    tile: tuple[int, int],
    sheets: set[str],
) -> None:
    shown, film_s = look(grey_film(tmp_path / name, length_s, size, rate), tmp_path / "work")
    check(shown, film_s)
    assert film_s == pytest.approx(length_s, abs=0.1)
    assert {one.size for one in shown} == {tile}
    assert {one.sheet for one in shown} == sheets
    assert len(shown) == -(-round(1000 * length_s) // 2000)


def test_a_film_in_one_chunk_has_sheets_of_a_bounded_size(tmp_path: Path) -> None:
    shown, film_s = look(grey_film(tmp_path / "long.ts", 149, "128x72", "5"), tmp_path / "work")
    check(shown, film_s)
    counts = {f"0-{n}.jpg": sum(one.sheet == f"0-{n}.jpg" for one in shown) for n in (1, 2, 3)}
    assert counts == {"0-1.jpg": SHEET_TILES, "0-2.jpg": SHEET_TILES, "0-3.jpg": 75 - 2 * SHEET_TILES}


async def test_making_it_again_replaces_it_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = grey_film(tmp_path / "film.mp4", 3, "128x72", "10")
    work = tmp_path / "work"
    source = await probe(path)
    ladder = plan(source)
    place = await encode_chunk(path, source, ladder, cut(source, ladder)[0], work)
    first = await make_storyboard(place, ladder, 0, place / "storyboard")
    assert await make_storyboard(place, ladder, 0, place / "storyboard") == first
    assert [file.name for file in (place / "storyboard").iterdir()] == ["0-1.jpg"]
    assert [file.name for file in work.iterdir()] == [place.name]


def test_key_frames_that_are_closer_than_ours_are_not_all_drawn() -> None:
    assert step_of([]) == step_of([0]) == 1
    assert step_of([0, 2000, 4000]) == 1
    assert step_of([0, 5000, 10_000]) == 1
    assert step_of([*range(0, 10_001, 500)]) == 4
    assert step_of([*range(0, 4001, 40)]) == 50


def test_a_tile_keeps_the_aspect_and_is_no_larger_than_the_film() -> None:
    assert tile_size(Rung("360p", 640, 360, 1)) == (LONG_SIDE_PX, 144)
    assert tile_size(Rung("360p", 360, 640, 1)) == (144, LONG_SIDE_PX)
    assert tile_size(Rung("100p", 178, 100, 1)) == (178, 100)
    assert tile_size(Rung("10p", 10, 2, 1)) == (10, 2)
    assert tile_size(Rung("360p", 854, 360, 1)) == (256, 108)


def test_a_chunk_without_tiles_is_covered_by_its_neighbours() -> None:
    """A film whose first chunk was encoded by a release that drew none."""
    text = index([Board(1, 256, 144, (24_000, 26_000))], 27.5)
    assert re.findall(r"^.*-->.*$", text, re.MULTILINE) == [
        "00:00:00.000 --> 00:00:26.000",
        "00:00:26.000 --> 00:00:27.500",
    ]
