"""A film whose container cannot be entered in the middle is copied first; what comes out is as exact as without."""

import asyncio
import itertools
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy import text

from app import db
from app.video import remux
from app.video.chunks import cut
from app.video.encode import ATTEMPT
from app.video.ladder import plan
from app.video.parts import work_folder
from app.video.probe import probe
from app.video.source import EncodingFailed, Source
from tests.video import fields
from tests.video.making import make_stream
from tests.video.sources import AAC, ffmpeg, sound
from tests.video.test_chunks import a_source, pictures
from tests.video.test_transcode import add_video, until_ended, worker  # noqa: F401 (a fixture)

H264 = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "5", "-g", "250", "-bf", "3", "-pix_fmt", "yuv420p")
INTERLACED = ("-flags", "+ildct+ilme")
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "2", "-g", "15", "-bf", "2", "-pix_fmt", "yuv420p")
WMV = ("-c:v", "wmv2", "-q:v", "2", "-c:a", "wmav2")
MP2 = ("-c:a", "mp2")
PCM = ("-c:a", "pcm_s16le")


def grey(number: int) -> int:
    return 20 + number * 37 % 200


def numbered(path: Path, rate: str, *words: str, length_s: int = 40, filters: str = "") -> Path:
    """A film each of whose pictures is grey by its number."""
    greys = "geq=lum='20+mod(N*37,200)':cb=128:cr=128"
    ffmpeg("-f", "lavfi", "-i", f"color=s=64x36:r={rate}:d={length_s},{greys}{filters}", *sound(length_s), *words,
           path)  # fmt: skip
    return path


def check(path: Path, work: Path, chunks: int) -> Source:
    """Every picture of the film at `path` is in its stream once and in order, whose first may be held a moment."""
    source, ladder, place = asyncio.run(make_stream(path, work))
    assert len(list(work.glob("chunk-*"))) == chunks
    shown = pictures(place / ladder.top.folder)
    # What comes before the first picture, while there is only sound, is filled with it.
    held = len(list(itertools.takewhile(lambda value: abs(value - grey(0)) <= 8, shown))) - 1
    wrong = [n for n, value in enumerate(shown[held:]) if abs(value - grey(n)) > 8]
    assert (held <= 2, wrong) == (True, [])
    return source


def paff(folder: Path, rate: Fraction, length_s: int) -> Path:
    tone, path = folder / "tone.ac3", folder / "camera.mts"
    ffmpeg(*sound(length_s), "-c:a", "ac3", tone)
    fields.write(path, rate, [grey(n) for n in range(int(length_s * rate))], tone, start_s=3)
    return path


def test_a_camcorders_film_in_fields_is_cut_and_every_picture_is_in_its_place(tmp_path: Path) -> None:
    source = check(paff(tmp_path, Fraction(25), 40), tmp_path / "work", 2)
    assert (source.demuxer, source.interlaced, source.rate) == ("mpegts", True, (25, 1))


TS_WRAPS = ("-output_ts_offset", "95420")
KINDS = {
    "ts-25": ("ts", "25", (*H264, *AAC)),
    "ts-30000": ("ts", "30000/1001", (*H264, *MP2)),
    "ts-mbaff": ("ts", "25", (*H264, *INTERLACED, *AAC)),
    "ts-mpeg2-interlaced": ("ts", "25", (*MPEG2, *INTERLACED, *MP2)),
    "ts-clock-turns-over": ("ts", "25", (*H264, *AAC, *TS_WRAPS)),
    "flv": ("flv", "30000/1001", (*H264, *AAC)),
    "windows-media": ("wmv", "25", WMV),
    "avi-motion-jpeg": ("avi", "30", ("-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p", *PCM)),
    "mxf": ("mxf", "30000/1001", (*MPEG2, *PCM)),
    "ogg": ("ogv", "25", ("-c:v", "libtheora", "-q:v", "10", "-pix_fmt", "yuv420p", "-c:a", "libvorbis")),
}


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_of_a_copied_film_is_there_once_over_three_chunks(kind: str, tmp_path: Path) -> None:
    suffix, rate, words = KINDS[kind]
    check(numbered(tmp_path / f"film.{suffix}", rate, *words, length_s=100), tmp_path / "work", 3)


@pytest.mark.long
def test_a_camcorders_film_in_fields_is_exact_at_its_american_rate(tmp_path: Path) -> None:
    check(paff(tmp_path, Fraction(30000, 1001), 100), tmp_path / "work", 3)


@pytest.mark.parametrize(
    ("suffix", "words"),
    [
        ("avi", (*H264, "-c:a", "mp3")),
        ("avi", ("-c:v", "mpeg4", "-bf", "2", "-c:a", "mp3")),
        ("asf", (*H264, *AAC)),
    ],
    ids=["h264-in-avi", "mpeg4-in-avi", "h264-in-asf"],
)
def test_what_no_copy_holds_exactly_is_one_chunk_and_no_failure(
    suffix: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    path = numbered(tmp_path / f"film.{suffix}", "25", *words)
    source = asyncio.run(probe(path))
    # Tried all the same, it falls back as well.
    assert asyncio.run(remux.try_copy(path, source, tmp_path / "work")) is None
    assert asyncio.run(remux.try_copy(path, replace(source, demuxer="mpegts"), tmp_path / "other")) is None
    assert len(cut(source, plan(source))) == 1


def test_pictures_between_two_of_the_streams_are_not_left_to_rounding(tmp_path: Path) -> None:
    """Sound that begins half a picture earlier: rounding would take now one, now its neighbour."""
    path = tmp_path / "between.ts"
    ffmpeg("-itsoffset", "-0.040128", *sound(40), "-f", "lavfi", "-i", "testsrc2=s=64x36:r=30000/1001:d=40",
           *H264, *MP2, path)  # fmt: skip
    source = asyncio.run(probe(path))
    assert asyncio.run(remux.try_copy(path, source, tmp_path / "work")) is None


def test_only_a_film_long_enough_for_two_chunks_is_copied() -> None:
    assert remux.wants_copy(a_source("mpegts", 200.0))
    assert not remux.wants_copy(a_source("mpegts", 20.0))
    assert not remux.wants_copy(a_source("mov", 200.0))


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Source]:
    path = numbered(tmp_path_factory.mktemp("stream") / "film.ts", "25", *H264, *AAC)
    return path, asyncio.run(probe(path))


async def test_two_parts_on_one_machine_make_one_copy_and_others_make_the_same(
    stream: tuple[Path, Source], tmp_path: Path
) -> None:
    path, source = stream
    (first, one), (second, other) = await asyncio.gather(
        remux.copied(path, source, tmp_path / "here"), remux.copied(path, source, tmp_path / "here")
    )
    assert (first, one) == (second, other)
    assert one.pictures == 1000
    made = first.stat().st_mtime_ns
    assert await remux.same_copy(path, source, tmp_path / "here", one) == first
    assert first.stat().st_mtime_ns == made
    assert await remux.same_copy(path, source, tmp_path / "there", one) == tmp_path / "there/copy/film.mkv"
    assert list(tmp_path.glob(f"*/{ATTEMPT}*")) == []


async def test_a_copy_that_is_not_the_planned_one_is_ours_to_try_again(
    stream: tuple[Path, Source], tmp_path: Path
) -> None:
    path, source = stream
    with pytest.raises(EncodingFailed, match="check"):
        await remux.same_copy(path, source, tmp_path, remux.Copy(pictures=999, digest=""))
    assert not (tmp_path / "copy").exists()


async def test_without_room_for_a_copy_the_film_waits(stream: tuple[Path, Source], tmp_path: Path) -> None:
    path, source = stream
    with pytest.raises(EncodingFailed, match="no space left"):
        await remux.try_copy(path, replace(source, size_bytes=2**60), tmp_path)
    assert list(tmp_path.glob(f"{ATTEMPT}*")) == []


async def test_what_a_killed_copy_left_is_swept_and_never_read(
    stream: tuple[Path, Source], tmp_path: Path
) -> None:
    path, source = stream
    left = tmp_path / f"{ATTEMPT}dead"
    left.mkdir()
    (left / "film.mkv").write_bytes(b"half")
    film, _copy = await remux.copied(path, source, tmp_path)
    assert not left.exists()
    assert film.stat().st_size > 4


@pytest.mark.long
async def test_workers_share_a_film_that_was_copied_and_its_copy_goes_with_the_rest(
    worker: str,  # noqa: F811
    stream: tuple[Path, Source],
) -> None:
    video_id = await add_video(stream[0].read_bytes(), "00001.MTS")
    ended = await until_ended(video_id)
    assert (ended.state, ended.version) == ("ready", 1)
    async with db.transaction() as session:
        chunks = await session.scalar(
            text(
                "SELECT count(*) FROM dbos.workflow_status WHERE name = 'encode_chunk' AND workflow_uuid LIKE :mine"
            ),
            {"mine": f"transcode:{video_id}:%"},
        )
    assert chunks == 2
    for _look in range(100):
        if not work_folder(str(video_id), 1).exists():
            break
        await asyncio.sleep(0.1)
    assert not work_folder(str(video_id), 1).exists()
