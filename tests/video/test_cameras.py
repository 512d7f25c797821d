"""What cameras, telephones and editors write becomes a stream that is right in time, sound and size."""

from pathlib import Path

import pytest

from tests.video.cameras import FILMS
from tests.video.nasty import Film
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
