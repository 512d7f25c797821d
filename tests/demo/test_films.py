"""The demo's films are films: long enough, held for two seconds, and readable by our own probe."""

import asyncio
from pathlib import Path

import pytest

from app.demo import stage
from app.demo.exercises import ROOMS
from app.demo.films import FILMS, Film, draw
from app.video.probe import probe


def test_every_film_has_a_room_and_lasts_twenty_seconds() -> None:
    assert {film.slug for film in FILMS} == set(ROOMS)
    assert all(film.length_s >= 20 for film in FILMS)


@pytest.mark.parametrize("film", FILMS, ids=lambda film: film.slug)
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_figure_stays_within_the_picture_and_clear_of_the_count(film: Film, share: float) -> None:
    left, top, right, bottom = stage.extent(ROOMS[film.slug][1](share))
    assert left > 0
    assert top > 0
    assert right < stage.COUNT_AT[0]
    assert bottom < stage.HEIGHT - 60
    assert not any(edge % 2 for edge in (left, top, right, bottom))


@pytest.mark.long
def test_a_drawn_film_is_h264_and_aac_of_its_length(tmp_path: Path) -> None:
    film = FILMS[0]
    draw(film, tmp_path / "film.mp4")
    source = asyncio.run(probe(tmp_path / "film.mp4"))
    assert (source.video_codec, source.audio_codec) == ("h264", "aac")
    assert (source.width_px, source.height_px, source.fps) == (1280, 720, 24)
    assert source.duration_s == pytest.approx(film.length_s, abs=0.1)
    assert list(tmp_path.iterdir()) == [tmp_path / "film.mp4"]
