"""What the probe refuses, in which words, and what it may not be made to do."""

import asyncio
import os
import struct
from pathlib import Path

import pytest

from app.video import containers, inspection, inspection_look, sniff
from app.video.bounded import Bounds
from app.video.probe import probe
from app.video.source import BREAKS_OFF, EncodingFailed, Unusable
from tests.video.sources import AAC, X264, ffmpeg, picture, sound

# Made once, not once in each process.
pytestmark = pytest.mark.xdist_group("probe")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film whose index is in front, as phones and exports for the web write it."""
    path = tmp_path_factory.mktemp("good") / "good.mp4"
    ffmpeg(*picture(length_s=6), *sound(6), *X264, *AAC, "-movflags", "+faststart", path)
    return path


def refusal(path: Path) -> Unusable:
    with pytest.raises(Unusable) as caught:
        asyncio.run(probe(path))
    return caught.value


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", sniff.EMPTY),
        (b"My notes on the six rotators.\n" * 40, sniff.TEXT),
        (
            b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
            sniff.PLAYLIST,
        ),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', sniff.PICTURE),
        (bytes(5000), containers.NOT_A_FILM),
        (b"\x1a\x45\xdf\xa3" + bytes(5000), containers.NOT_A_FILM),
        (b"\x47" + b"\xff" * 187 + b"\x47" + b"\xff" * 187, containers.NOT_A_FILM),
        (b"\x00\x00\x00\x10ftypisom" + struct.pack(">I4s", 2, b"mdat"), containers.UNFINISHED),
    ],
    ids=["empty", "text", "playlist", "svg", "zeros", "broken matroska", "no packets", "impossible box"],
)
def test_a_file_that_is_no_film_is_refused_in_words(tmp_path: Path, data: bytes, sentence: str) -> None:
    path = tmp_path / "lesson.mp4"
    path.write_bytes(data)
    assert refusal(path).message == sentence


def test_a_picture_named_as_a_film_is_refused(tmp_path: Path) -> None:
    ffmpeg(*picture(), "-frames:v", "1", tmp_path / "still.png")
    path = (tmp_path / "still.png").rename(tmp_path / "still.mp4")
    assert refusal(path).message == sniff.PICTURE


@pytest.mark.parametrize("suffix", ["m4a", "mp3", "wav", "ogg"])
def test_sound_alone_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"talk.{suffix}"
    ffmpeg(*sound(), path)
    assert refusal(path).message == sniff.SOUND_ONLY


def test_a_song_with_a_cover_is_sound_alone(tmp_path: Path) -> None:
    ffmpeg(*picture(), "-frames:v", "1", tmp_path / "cover.jpg")
    path = tmp_path / "song.m4a"
    ffmpeg(*sound(), "-i", tmp_path / "cover.jpg", "-map", "0", "-map", "1", "-c:v", "copy",
           "-disposition:v", "attached_pic", path)  # fmt: skip
    assert refusal(path).message == sniff.SOUND_ONLY


def test_a_film_cut_off_in_its_index_is_unfinished(good: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(good.read_bytes()[:3000])
    assert refusal(path).message == containers.UNFINISHED


def test_a_film_without_its_index_is_unfinished(tmp_path: Path) -> None:
    path = tmp_path / "camera.mp4"
    ffmpeg(*picture(), *X264, path)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"moov") - 4])
    assert refusal(path).message == containers.UNFINISHED


def test_a_film_cut_off_at_six_tenths_is_unfinished(good: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    data = good.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    assert refusal(path).message == containers.UNFINISHED


def test_a_film_whose_boxes_lie_about_a_cut_breaks_off(good: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    data = bytearray(good.read_bytes())
    media = data.index(b"mdat") - 4
    del data[media + (len(data) - media) * 6 // 10 :]
    struct.pack_into(">I", data, media, len(data) - media)
    path.write_bytes(data)
    caught = refusal(path)
    assert caught.message == BREAKS_OFF
    assert "of its 6.0 seconds" in caught.reason


def test_a_matroska_film_cut_off_breaks_off(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.mkv", tmp_path / "cut.mkv"
    ffmpeg(*picture(length_s=8), *sound(8), *X264, *AAC, whole)
    data = whole.read_bytes()
    cut.write_bytes(data[: len(data) * 6 // 10])
    assert refusal(cut).message == BREAKS_OFF


def test_a_recording_that_states_no_length_is_measured(tmp_path: Path) -> None:
    """As browsers record: Matroska written to a pipe, without a length or an index."""
    path = tmp_path / "screen.webm"
    ffmpeg(*picture(), *sound(), *X264, *AAC, "-f", "matroska", "-live", "1", path)
    film = asyncio.run(probe(path))
    assert film.duration_s == pytest.approx(2.4, abs=0.1)


def test_a_header_that_says_less_than_there_is_does_not_shorten_the_film(tmp_path: Path) -> None:
    path = tmp_path / "tags.mkv"
    ffmpeg(*picture(length_s=4), *sound(4), *X264, *AAC, path)
    path.write_bytes(path.read_bytes().replace(b"00:00:04.0", b"00:00:01.0"))
    assert asyncio.run(probe(path)).duration_s == pytest.approx(4, abs=0.1)


def test_subtitles_that_outlast_a_film_do_not_make_it_break_off(tmp_path: Path) -> None:
    words, path = tmp_path / "words.srt", tmp_path / "subtitled.mkv"
    words.write_text("1\n00:00:00,000 --> 00:00:09,000\nBreathe.\n")
    ffmpeg(*picture(), *sound(), "-i", words, *X264, *AAC, "-c:s", "srt", path)
    assert asyncio.run(probe(path)).duration_s == pytest.approx(2.4, abs=0.1)


def test_a_tag_that_says_more_than_the_file_does_not_lengthen_the_film(tmp_path: Path) -> None:
    path = tmp_path / "tags.mkv"
    ffmpeg(*picture(length_s=2), *sound(4), *X264, *AAC, path)
    path.write_bytes(path.read_bytes().replace(b"00:00:02.0", b"00:09:02.0"))
    film = asyncio.run(probe(path))
    assert film.picture_s == pytest.approx(2, abs=0.1)
    assert film.duration_s == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize(
    ("matrix", "turned"), [(0, 0), (90, 90), (-90, 270), (89.6, 90), (-180, 180), (359.5, 0), (45, 45)]
)
def test_a_rotation_near_a_quarter_turn_is_one(matrix: float, turned: int) -> None:
    assert inspection_look.upright(matrix) == turned


def test_a_film_too_short_or_too_long_is_refused(good: Path, tmp_path: Path) -> None:
    blink = tmp_path / "blink.mp4"
    ffmpeg(*picture(length_s=0.2), *X264, blink)
    assert refusal(blink).message == inspection.TOO_SHORT
    with pytest.raises(Unusable, match="longer than"):
        asyncio.run(probe(good, longest_s=5))


def test_a_picture_larger_than_we_take_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.mkv"
    ffmpeg("-f", "lavfi", "-i", "color=s=9000x64:r=5:d=1", "-c:v", "mjpeg", path)
    assert refusal(path).message == inspection_look.TOO_LARGE


def test_a_file_that_exhausts_the_probe_is_refused_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "dear.mkv"
    ffmpeg("-f", "lavfi", "-i", "color=s=8192x4320:r=2:d=1", "-c:v", "mjpeg", "-pix_fmt", "yuvj444p", path)
    # Room to begin in, not for one of its pictures.
    bounds = Bounds(cpu_s=5, wall_s=60, stall_s=60, memory_bytes=190 * 2**20)
    with pytest.raises(Unusable, match="more memory than we can give"):
        asyncio.run(probe(path, bounds=bounds))


def test_a_machine_on_which_the_probe_does_not_start_is_not_the_films_fault(good: Path) -> None:
    with pytest.raises(EncodingFailed, match="did not start"):
        asyncio.run(probe(good, bounds=Bounds(cpu_s=5, wall_s=20, stall_s=20, memory_bytes=2**25)))


def test_a_slow_machine_is_not_the_films_fault(tmp_path: Path) -> None:
    path = tmp_path / "film-on-a-disk-that-does-not-answer.mp4"
    os.mkfifo(path)
    with pytest.raises(EncodingFailed):
        asyncio.run(probe(path, bounds=Bounds(cpu_s=5, wall_s=0.5, stall_s=20)))


def test_a_missing_file_is_our_own_mistake(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        asyncio.run(probe(tmp_path / "none.mp4"))


def test_a_film_that_refers_to_another_file_does_not_open_it(tmp_path: Path) -> None:
    """A QuickTime reference to a file beside it is left alone: there is then nothing to see in the film."""
    other = tmp_path / "secret.mov"
    ffmpeg(*picture(), *X264, other)
    data = bytearray(other.read_bytes())
    at = data.index(b"url \x00\x00\x00\x01")
    data[at : at + 8] = b"alis\x00\x00\x00\x00"
    reference = tmp_path / "reference.mov"
    reference.write_bytes(bytes(data))
    film = asyncio.run(probe(reference))  # the box is ignored and the file's own pictures are read
    assert film.size_bytes == len(data)


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_film_ends_in_a_sentence_or_a_source(good: Path, tmp_path: Path, seed: int) -> None:
    data = bytearray(good.read_bytes())
    place = 4000 + seed * 977
    for offset in range(0, 6000, 7 + seed):
        data[(place + offset) % len(data)] ^= 0xFF
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    try:
        sentence = f"{asyncio.run(probe(path)).duration_s} s."
    except Unusable as refused:
        sentence = refused.reason
    assert sentence.endswith(".")
