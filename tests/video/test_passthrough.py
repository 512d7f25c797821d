"""A source that is a valid top rung already is copied; one that only looks like one is encoded."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from app.settings import get_settings
from app.video import ladder as ladders
from app.video.ffmpeg import binary
from app.video.hls import Segment
from app.video.packaging import Track
from app.video.passthrough import looks_like_rung, passthrough, try_passthrough
from app.video.probe import probe
from app.video.source import EncodingFailed
from app.video.verify import check_switching
from tests.video.rfc8216_stream import check_stream
from tests.video.sources import AAC, ffmpeg, sound
from tests.video.test_transcode import add_video, until_ended
from tests.video.test_transcode import worker as worker

CAMERA = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "2",
          "-b:v", "2M", "-maxrate", "2M", "-bufsize", "2M")  # fmt: skip
CLOSED = ("-g", "60", "-sc_threshold", "0")


def write(path: Path, *words: str | Path, length_s: int = 13, rate: str = "30") -> Path:
    drawn = ["-f", "lavfi", "-i", f"testsrc2=s=1280x720:r={rate}:d={length_s}"]
    ffmpeg(*drawn, *sound(length_s), *CAMERA, *AAC, *words, path)
    return path


def digest_of_pictures(*reading: str | Path, data: bytes | None = None) -> list[str]:
    """A checksum of each decoded picture."""
    command = [binary(), "-v", "error", *map(str, reading), "-map", "0:v", "-fps_mode", "passthrough",
               "-f", "framemd5", "-"]  # fmt: skip
    said = subprocess.run(command, input=data, capture_output=True, check=True, timeout=120).stdout.decode()
    return [line.rpartition(",")[2] for line in said.splitlines() if not line.startswith("#")]


def digest_of_rung(folder: Path) -> list[str]:
    files = [folder / "init.mp4", *sorted(folder.glob("*.m4s"))]
    return digest_of_pictures("-i", "pipe:0", data=b"".join(file.read_bytes() for file in files))


@pytest.mark.parametrize("name", ["film.mp4", pytest.param("film.mkv", marks=pytest.mark.long)])
async def test_what_is_a_rung_already_is_copied_picture_by_picture(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, *CLOSED)
    source = await probe(path)
    ladder = ladders.plan(source)
    assert await try_passthrough(path, source, ladder, tmp_path / "work")
    folder = tmp_path / "work" / "top" / ladder.top.folder
    assert len(list(folder.glob("*.m4s"))) == 3
    assert digest_of_rung(folder) == digest_of_pictures("-i", path)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["-g", "250"], "has 250 pictures, not 180"),
        ([*CLOSED, "-x264-params", "open-gop=1"], "has 178 pictures, not 180"),
        # Key frames by MP4's flag, but each needs the pictures before it.
        ([*CLOSED, "-x264-params", "intra-refresh=1:bframes=0"], "refers to pictures before it"),
        ([*CLOSED, "-b:v", "4M", "-maxrate", "4M", "-bufsize", "4M"], "bits per second"),
    ],
)
async def test_what_only_looks_like_a_rung_is_encoded(words: list[str], fault: str, tmp_path: Path) -> None:
    path = write(tmp_path / "film.mp4", *words)
    source = await probe(path)
    ladder = ladders.plan(source)
    assert looks_like_rung(source, ladder)
    with pytest.raises(EncodingFailed) as refused:
        await passthrough(path, source, ladder, tmp_path / "work")
    assert fault in refused.value.detail
    assert not await try_passthrough(path, source, ladder, tmp_path / "work")
    assert list((tmp_path / "work").iterdir()) == []


async def test_a_film_that_was_cut_between_key_frames_is_encoded(tmp_path: Path) -> None:
    # Its edit list hides pictures that a copy would show.
    whole = write(tmp_path / "whole.mp4", *CLOSED)
    ffmpeg("-ss", "1", "-i", whole, "-c", "copy", path := tmp_path / "film.mp4")
    source = await probe(path)
    assert not await try_passthrough(path, source, ladders.plan(source), tmp_path / "work")


async def test_a_film_whose_picture_comes_late_is_encoded(tmp_path: Path) -> None:
    late = ["-filter_complex", "[0:v]setpts=PTS+0.5/TB[v]", "-map", "[v]", "-map", "1:a"]
    path = write(tmp_path / "film.mp4", *late, *CLOSED)
    source = await probe(path)
    assert not await try_passthrough(path, source, ladders.plan(source), tmp_path / "work")


async def test_facts_alone_can_rule_a_copy_out(tmp_path: Path) -> None:
    source = await probe(write(tmp_path / "film.mp4", *CLOSED, length_s=2))
    ladder = ladders.plan(source)
    assert looks_like_rung(source, ladder)
    for other in (
        replace(source, interlaced=True),
        replace(source, rotation=90),
        replace(source, full_range=True),
        replace(source, video_codec="hevc"),
        replace(source, pixel_format="yuv422p"),
        replace(source, coded_width_px=960),
        replace(source, matrix="bt2020nc"),
        replace(source, transfer="smpte2084"),
        replace(source, rate=(24, 1)),
        replace(source, demuxer="mpegts"),
        replace(source, size_bytes=10**7),
        replace(source, duration_s=source.duration_s + 1),
    ):
        assert not looks_like_rung(other, ladder)
    assert not looks_like_rung(source, replace(ladder, rungs=ladder.rungs[:1]))


def test_rungs_that_cannot_be_switched_between_are_not_published() -> None:
    def track(folder: str, *lengths_s: float) -> Track:
        segments = tuple(Segment(f"{n}.m4s", length_s) for n, length_s in enumerate(lengths_s))
        return Track(folder, "avc1", "", 30, 0, round(30 * sum(lengths_s)), segments)

    top = track("v1080", 6, 6, 2)
    check_switching([top, track("v720", 6, 6.001, 2)])
    for other in (track("v720", 6, 8), track("v720", 6, 5.9, 2.1), track("v720", 6.04, 5.96, 2)):
        with pytest.raises(EncodingFailed):
            check_switching([top, other])


@pytest.mark.long
async def test_a_copied_top_rung_switches_with_the_encoded_ones(worker: str, tmp_path: Path) -> None:
    path = write(tmp_path / "film.mp4", *CLOSED, length_s=40)
    video = await until_ended(await add_video(path.read_bytes()), seconds=180)
    assert (video.state, video.failure) == ("ready", None)
    folder = get_settings().media_dir / "videos" / str(video.id) / "1"
    assert check_stream(folder) == []
    assert [rung["name"] for rung in video.renditions] == ["720p", "480p", "360p"]
    assert digest_of_rung(folder / "v720") == digest_of_pictures("-i", path)
