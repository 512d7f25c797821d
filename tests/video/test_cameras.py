"""What cameras, telephones and editors write becomes a stream that is right in time, sound and size."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from app.video.chunks import cut
from app.video.ffmpeg import binary, threads
from app.video.graph import AUDIO_FOLDER
from app.video.renditions import Rendition
from tests.forked import ROOT
from tests.video.cameras import FILMS
from tests.video.making import make_stream
from tests.video.nasty import LENGTH_S, PCM, Film, beep, flash
from tests.video.rfc8216_stream import check_stream
from tests.video.sources import AAC, X264, ffmpeg
from tests.video.test_nasty import check

SHORT = [film for film in FILMS if film.short]
LONG = [film for film in FILMS if not film.short]


@pytest.mark.parametrize("film", SHORT, ids=lambda film: film.name)
def test_what_a_camera_writes_becomes_a_stream_in_time(film: Film, tmp_path: Path) -> None:
    check(film, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("film", LONG, ids=lambda film: film.name)
def test_what_a_rarer_camera_writes_becomes_a_stream_in_time(film: Film, tmp_path: Path) -> None:
    check(film, tmp_path)


MEASURED = """
import asyncio, resource, sys
from pathlib import Path
from tests.video.making import make_stream
asyncio.run(make_stream(Path(sys.argv[1]), Path(sys.argv[2])))
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.long
def test_8k_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path, work = tmp_path / "8k.mp4", tmp_path / "work"
    ffmpeg(*flash("7680x4320", length_s=2), *beep(2), *X264, *AAC, path)
    # In a process of its own: what made the film has taken more.
    command = [sys.executable, "-c", MEASURED, str(path), str(work)]
    said = subprocess.run(command, capture_output=True, check=True, timeout=300, cwd=ROOT).stdout
    assert check_stream(work / "whole") == []
    assert "RESOLUTION=1920x1080" in (work / "whole" / "master.m3u8").read_text()
    # A decoded picture is 50 MB, and a decoder has several under way for each of its threads.
    assert int(said) < (600 + 200 * threads()) * 1024


@pytest.mark.long
@pytest.mark.parametrize("size", ["1x1", "3x1001"])
def test_a_film_of_hardly_any_pixels_is_whole(size: str, tmp_path: Path) -> None:
    path = tmp_path / "tiny.mkv"
    ffmpeg(*flash(size), *beep(), "-c:v", "ffv1", "-pix_fmt", "rgb24", *PCM, path)
    source, _ladder, place = asyncio.run(make_stream(path, tmp_path / "work"))
    assert source.duration_s == pytest.approx(LENGTH_S, abs=0.1)
    assert check_stream(place) == []


@pytest.mark.long
def test_two_hours_at_a_picture_a_second_are_whole(tmp_path: Path) -> None:
    """As slides are exported. Each picture is there, at its time, over all the seams between chunks."""
    hours_s = 7200
    path = tmp_path / "slides.mp4"
    # Every picture has a grey of its own for a while.
    ffmpeg("-f", "lavfi", "-i", f"color=black:s=64x36:r=1:d={hours_s},geq=lum='16+mod(N,200)':cb=128:cr=128",
           "-c:v", "libx264", "-preset", "ultrafast", "-qp", "10", path)  # fmt: skip
    source, ladder, place = asyncio.run(make_stream(path, tmp_path / "work"))
    assert source.duration_s == pytest.approx(hours_s, abs=0.1)
    assert ladder.fps == 5
    assert len(cut(source, ladder)) == 121
    for rendition in (Rendition.load(place / ladder.top.folder), Rendition.load(place / AUDIO_FOLDER)):
        assert rendition.duration_s == pytest.approx(hours_s, abs=0.1)
    joined = tmp_path / "joined.mp4"
    top = Rendition.load(place / ladder.top.folder)
    joined.write_bytes(top.init + b"".join((top.folder / part.uri).read_bytes() for part in top.segments))
    greys = decoded(joined)
    assert len(greys) == 5 * hours_s
    wrong = [n for n, grey in enumerate(greys) if abs(grey - (16 + n // 5 % 200)) > 3]
    assert wrong == []


def decoded(path: Path) -> bytes:
    """The mean grey of each picture, as its code says it (16 to 235)."""
    command = [binary(), "-v", "error", "-i", str(path), "-vf", "extractplanes=y,scale=1:1:flags=area", "-fps_mode",
               "passthrough", "-f", "rawvideo", "pipe:1"]  # fmt: skip
    return subprocess.run(command, capture_output=True, check=True, timeout=600).stdout
