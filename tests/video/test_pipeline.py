"""From any camera file to a whole stream: real ffmpeg on each nasty source, and what the result is."""

import asyncio
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from app.video import mp4
from app.video.chunks import cut
from app.video.encode import encode_chunk
from app.video.ffmpeg import binary
from app.video.graph import AUDIO_FOLDER
from app.video.ladder import Ladder
from app.video.packaging import MASTER
from app.video.poster import make_posters
from app.video.poster_rules import POSTER, SMALL_POSTER
from app.video.renditions import Rendition
from app.video.source import Source
from tests.video.making import make_stream, tracks_of, write_playlists
from tests.video.sources import AAC, COMMON, RARE, X264, Case, ffmpeg, picture, sound

# Made once, not once in each process.
pytestmark = pytest.mark.xdist_group("pipeline")


@dataclass(frozen=True)
class Made:
    source: Source
    ladder: Ladder
    place: Path


async def _convert(path: Path, work: Path) -> Made:
    source, ladder, place = await make_stream(path, work)
    at_ms = (await make_posters(place, ladder, place))[0]
    for name in (POSTER, SMALL_POSTER):
        (place / str(at_ms) / name).replace(place / name)
    return Made(source, ladder, place)


def convert(path: Path, work: Path) -> Made:
    return asyncio.run(_convert(path, work))


def decode(place: Path, folder: str, *words: str) -> bytes:
    rendition = Rendition.load(place / folder)
    data = rendition.init + b"".join(
        (rendition.folder / part.uri).read_bytes() for part in rendition.segments
    )
    command = [binary(), "-v", "error", "-i", "pipe:0", *words, "pipe:1"]
    return subprocess.run(command, input=data, capture_output=True, check=True, timeout=60).stdout


def first_picture(made: Made) -> Image.Image:
    top = made.ladder.top
    raw = decode(made.place, top.folder, "-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo")
    return Image.frombytes("RGB", (top.width_px, top.height_px), raw)


def red_corner(shown: Image.Image) -> str:
    width, height = shown.size
    places = {
        f"{row} {column}": shown.getpixel((x, y))
        for row, y in (("upper", height // 10), ("lower", height - height // 10))
        for column, x in (("left", width // 10), ("right", width - width // 10))
    }

    def redness(pixel: object) -> int:
        assert isinstance(pixel, tuple)
        return int(pixel[0] - pixel[1] - pixel[2])

    return max(places, key=lambda place: redness(places[place]))


def check(case: Case, folder: Path) -> None:
    made = convert(case.make(folder), folder / "work")
    top = made.ladder.top
    assert (top.width_px, top.height_px) == case.size
    assert made.ladder.fps == pytest.approx(case.fps, abs=0.01)
    heard = Rendition.load(made.place / AUDIO_FOLDER)
    for rendition in (Rendition.load(made.place / top.folder), heard):
        assert rendition.duration_s == pytest.approx(made.source.duration_s, abs=0.1)
    length_s = case.length_s + (1 if case.name == "longer-sound" else 0)
    assert made.source.duration_s == pytest.approx(length_s, abs=case.slack_s)
    shown = first_picture(made)
    assert red_corner(shown) == case.corner
    corner = shown.getpixel((shown.width // 10, shown.height // 10))
    if case.corner == "upper left":
        assert isinstance(corner, tuple)
        assert corner[0] > 180
        assert max(corner[1], corner[2]) < 60
    assert (made.place / POSTER).read_bytes()[:3] == b"\xff\xd8\xff"
    assert b"moof" in (made.place / top.folder / "seg_00001.m4s").read_bytes()


@pytest.mark.parametrize("case", COMMON, ids=lambda case: case.name)
def test_a_camera_file_becomes_a_whole_stream(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("case", RARE, ids=lambda case: case.name)
def test_a_rarer_camera_file_becomes_a_whole_stream(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


@pytest.mark.long
def test_a_film_whose_picture_changes_its_size_is_whole(tmp_path: Path) -> None:
    """As a telephone or a call records that is turned in the middle."""
    parts = [tmp_path / "wide.ts", tmp_path / "tall.ts"]
    for part, size, late in zip(parts, ("426x240", "240x426"), ("0", "2.4"), strict=True):
        ffmpeg(*picture(size), *sound(), *X264, *AAC, "-output_ts_offset", late, part)
    path = tmp_path / "turned.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    done = convert(path, tmp_path / "work")
    assert done.source.duration_s == pytest.approx(4.8, abs=0.1)
    row = decode(done.place, done.ladder.top.folder, "-vf", "crop=iw:2:0:ih/2,scale=426:1,format=gray", "-f",
                 "rawvideo", "-fps_mode", "passthrough")  # fmt: skip
    first, last = row[426 * 20 : 426 * 21], row[-426:]
    # The tall half is as tall as the film, 136 wide, and between black bars.
    assert max(last[:140]) < 24 > max(last[-140:])
    assert max(last[150:276]) > 60 < max(first[:140])


@pytest.mark.long
def test_a_film_whose_sound_is_empty_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "mute.mkv"
    ffmpeg(*picture(), *sound(), *X264, "-c:a", "pcm_s16le", "-af", "atrim=end=0", path)
    done = convert(path, tmp_path / "work")
    assert Rendition.load(done.place / AUDIO_FOLDER).duration_s == pytest.approx(2.4, abs=0.1)


@pytest.mark.long
@pytest.mark.parametrize("size", ["2x2", "4096x16", "34x1000"])
def test_a_film_of_an_absurd_size_is_whole(tmp_path: Path, size: str) -> None:
    path = tmp_path / "absurd.mkv"
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d=1", "-c:v", "ffv1", path)
    assert convert(path, tmp_path / "work").source.duration_s == pytest.approx(1, abs=0.1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A film of 14 s at 30000/1001 pictures a second, in two rungs and three segments."""
    folder = tmp_path_factory.mktemp("made")
    path = folder / "film.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=712x400:r=30000/1001:d=14", *sound(14), *X264, *AAC,
           "-metadata", "title=Nobody may read this", "-metadata", "location=+21.27-157.82/", path)  # fmt: skip
    return convert(path, folder / "work")


def test_segments_are_six_seconds_and_key_frames_two_apart_in_every_rung(made: Made) -> None:
    rungs = [Rendition.load(made.place / rung.folder) for rung in made.ladder.rungs]
    assert len(rungs) == 2
    keys = []
    for rung in rungs:
        assert [round(part.duration_s, 1) for part in rung.segments] == [6.0, 6.0, 2.0]
        ticks = mp4.timescale(rung.init)
        parts = [mp4.fragment(rung.folder / part.uri, rung.init) for part in rung.segments]
        keys.append([tick / ticks for part in parts for tick in part.key_ticks])
    assert keys[0] == keys[1]
    assert keys[0] == pytest.approx([0, 2, 4, 6, 8, 10, 12], abs=0.034)
    assert keys[0][0] == 0


def test_the_declared_bandwidth_is_the_measured_peak(made: Made) -> None:
    text = (made.place / MASTER).read_text()
    for rung in write_playlists(made.place, made.ladder, tracks_of(made.place, made.ladder)):
        folder = made.place / rung.folder
        peak = max(8 * part.size_bytes / part.duration_s for part in Rendition.load(folder).segments[:2])
        heard = Rendition.load(made.place / AUDIO_FOLDER).segments[:2]
        peak += max(8 * part.size_bytes / part.duration_s for part in heard)
        assert 1.0 <= rung.bandwidth_bps / peak <= 1.1
        assert f"BANDWIDTH={rung.bandwidth_bps},AVERAGE-BANDWIDTH={rung.average_bps}," in text
        assert f"RESOLUTION={rung.width_px}x{rung.height_px},FRAME-RATE=29.970" in text


def test_packaging_again_changes_nothing(made: Made) -> None:
    before = {path: path.read_bytes() for path in made.place.rglob("*.m3u8")}
    assert len(before) == 4
    write_playlists(made.place, made.ladder, tracks_of(made.place, made.ladder))
    assert {path: path.read_bytes() for path in made.place.rglob("*.m3u8")} == before


def test_nothing_of_the_sources_metadata_is_published(made: Made) -> None:
    for path in made.place.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"Nobody may read" not in data
            assert b"157.82" not in data


def test_the_poster_is_a_picture_of_the_film_in_two_sizes(made: Made) -> None:
    with Image.open(made.place / POSTER) as large, Image.open(made.place / SMALL_POSTER) as small:
        assert large.size == (712, 400)
        assert small.size == (640, 360)
        assert max(top for _low, top in large.getextrema()) > 200  # type: ignore[misc]


def test_the_poster_is_not_black_when_only_the_middle_of_the_film_is_lit(tmp_path: Path) -> None:
    path = tmp_path / "dark.mp4"
    when = "t=fill:enable='between(t,3.5,5)'"
    lit = f"drawbox=c=orange:w=iw/2:{when},drawbox=x=iw/2:c=teal:{when}"
    ffmpeg("-f", "lavfi", "-i", f"color=black:s=320x180:r=25:d=9,{lit}", *X264, path)
    done = convert(path, tmp_path / "work")
    with Image.open(done.place / POSTER) as poster:
        assert max(poster.convert("L").resize((8, 8)).tobytes()) > 60


def test_sound_is_heard_when_it_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "clap.mov"
    ffmpeg(
        "-f", "lavfi", "-i", "color=black:s=320x180:r=25:d=8",
        "-f", "lavfi", "-i", "aevalsrc='if(between(t,3,3.2)+between(t,6.4,6.6),0.8*sin(2*PI*1000*t),0)':s=48000:d=8",
        "-vf", "drawbox=c=white:t=fill:enable='between(t,3,3.19)+between(t,6.4,6.59)'",
        *X264, "-c:a", "pcm_s16le", path,
    )  # fmt: skip
    done = convert(path, tmp_path / "work")
    seen = decode(done.place, done.ladder.top.folder, "-vf", "scale=1:1,format=gray", "-fps_mode", "passthrough",
                  "-f", "rawvideo")  # fmt: skip
    flashes = [n / 25 for n in range(1, len(seen)) if seen[n] > 128 >= seen[n - 1]]
    assert flashes == [3.0, 6.4]
    heard = decode(done.place, AUDIO_FOLDER, "-ac", "1", "-ar", "8000", "-f", "u8")
    loud = [n / 8000 for n, value in enumerate(heard) if abs(value - 128) > 30]
    second = next(at for at in loud if at > 5)
    assert loud[0] == pytest.approx(3.0, abs=0.04)
    assert second == pytest.approx(6.4, abs=0.04)


def test_a_finished_chunk_is_not_encoded_again(made: Made, tmp_path: Path) -> None:
    nothing = tmp_path / "not-there.mp4"
    (only,) = cut(made.source, made.ladder)
    work = made.place.parent
    assert asyncio.run(encode_chunk(nothing, made.source, made.ladder, only, work)) == work / "chunk-0"
