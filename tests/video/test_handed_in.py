"""What teachers hand in becomes a stream that is right in time, sound and size; what nobody can read says so."""

import struct
from pathlib import Path

import pytest

from app.video import containers, inspection
from tests.video.handed_in import FILMS, edited_at
from tests.video.nasty import MP4, Film, beep, flash
from tests.video.sources import AAC, X264, ffmpeg
from tests.video.test_nasty import check, refusal

SHORT = [film for film in FILMS if film.short]
LONG = [film for film in FILMS if not film.short]


@pytest.mark.parametrize("film", SHORT, ids=lambda film: film.name)
def test_what_is_handed_in_becomes_a_stream_in_time(film: Film, tmp_path: Path) -> None:
    check(film, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("film", LONG, ids=lambda film: film.name)
def test_what_is_rarely_handed_in_becomes_a_stream_in_time(film: Film, tmp_path: Path) -> None:
    check(film, tmp_path)


def renamed(path: Path, *names: tuple[bytes, bytes]) -> Path:
    data = path.read_bytes()
    for before, after in names:
        assert before in data
        data = data.replace(before, after)
    path.write_bytes(data)
    return path


def test_sound_in_a_code_that_nobody_reads_is_said_not_left_out(tmp_path: Path) -> None:
    path = tmp_path / "spatial.mov"
    ffmpeg(*flash(), *beep(), *X264, *AAC, path)
    assert (
        refusal(renamed(path, (b"mp4a", b"apac"), (b"esds", b"dapa"))).message == inspection.NO_SOUND_DECODER
    )


def test_pictures_in_a_code_that_nobody_reads_are_named(tmp_path: Path) -> None:
    path = tmp_path / "raw.mov"
    ffmpeg(*flash(), *beep(), "-c:v", "prores_ks", "-c:a", "pcm_s16le", path)
    assert refusal(renamed(path, (b"apch", b"brhq"))).message == inspection.NO_DECODER


def test_a_film_that_is_locked_for_one_shop_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bought.mp4"
    keys = ("-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb", "-encryption_kid", "00" * 16)
    ffmpeg(*flash(), *beep(), *X264, *AAC, "-encryption_scheme", "cenc-aes-ctr", *keys, path)
    assert refusal(path).message == containers.LOCKED


@pytest.mark.parametrize("rate", [0.5, 2, 0], ids=["slower", "faster", "still"])
def test_a_film_whose_speed_only_its_editor_changes_is_refused(rate: float, tmp_path: Path) -> None:
    """Other players show it at its usual speed: half of it, or twice as long as it says."""
    assert refusal(edited_at(rate, MP4(tmp_path))).message == containers.SPED_UP


def test_a_list_of_other_films_is_no_film(tmp_path: Path) -> None:
    """A QuickTime reference movie: `rmra` in `moov`, with the address of each film in `rdrf`."""

    def box(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(data), kind) + data

    address = b"http://127.0.0.1:9/film.mov\0"
    reference = box(b"rdrf", struct.pack(">I4sI", 0, b"url ", len(address)) + address)
    path = tmp_path / "reference.mov"
    path.write_bytes(box(b"moov", box(b"rmra", box(b"rmda", reference))))
    assert refusal(path).message == containers.NOT_A_FILM
