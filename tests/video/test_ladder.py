"""Which sizes a source is offered in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.video.ladder import Ladder, plan
from app.video.source import Source


def source(width: int, height: int, rate: tuple[int, int] = (25, 1)) -> Source:
    return Source(
        demuxer="mov",
        size_bytes=1,
        duration_s=10.0,
        picture_s=10.0,
        sound_s=10.0,
        video_index=0,
        video_codec="h264",
        pixel_format="yuv420p",
        width_px=width,
        height_px=height,
        coded_width_px=width,
        coded_height_px=height,
        rotation=0,
        rate=rate,
        interlaced=False,
        matrix="",
        primaries="",
        transfer="",
        full_range=False,
        audio_index=1,
        audio_codec="aac",
        audio_channels=2,
    )


@pytest.mark.parametrize(
    ("size", "sizes"),
    [
        ((3840, 2160), [(1920, 1080), (1280, 720), (854, 480), (640, 360)]),
        ((1920, 1080), [(1920, 1080), (1280, 720), (854, 480), (640, 360)]),
        ((1080, 1920), [(1080, 1920), (720, 1280), (480, 854), (360, 640)]),
        ((1280, 720), [(1280, 720), (854, 480), (640, 360)]),
        ((1440, 900), [(1440, 900), (1152, 720), (768, 480), (576, 360)]),
        ((1300, 740), [(1264, 720), (844, 480), (632, 360)]),
        ((640, 480), [(640, 480), (480, 360)]),
        ((320, 180), [(320, 180)]),
        ((321, 181), [(320, 180)]),
        ((3440, 1440), [(2560, 1072), (1706, 714), (1138, 476), (854, 358)]),
    ],
)
def test_a_source_is_offered_in_the_steps_it_can_fill(
    size: tuple[int, int], sizes: list[tuple[int, int]]
) -> None:
    assert [(rung.width_px, rung.height_px) for rung in plan(source(*size)).rungs] == sizes


@given(width=st.integers(2, 8192), height=st.integers(2, 8192))
def test_no_rung_is_larger_than_the_source_or_odd(width: int, height: int) -> None:
    rungs = plan(source(width, height)).rungs
    assert rungs
    for rung in rungs:
        assert 2 <= rung.width_px <= max(2, width)
        assert 2 <= rung.height_px <= max(2, height)
        assert rung.width_px % 2 == rung.height_px % 2 == 0
    heights = [rung.height_px * rung.width_px for rung in rungs]
    assert heights == sorted(heights, reverse=True)
    caps = [rung.max_bps for rung in rungs]
    assert caps == sorted(caps, reverse=True)
    assert len({rung.folder for rung in rungs}) == len(rungs)


@pytest.mark.parametrize(
    ("rate", "kept"),
    [
        ((25, 1), (25, 1)),
        ((60, 1), (60, 1)),
        ((120, 1), (60, 1)),
        ((120000, 1001), (60000, 1001)),
        ((240, 1), (60, 1)),
        ((2, 1), (5, 1)),
    ],
)
def test_a_fast_source_keeps_whole_fractions_of_its_rate(
    rate: tuple[int, int], kept: tuple[int, int]
) -> None:
    assert plan(source(1280, 720, rate)).rate == kept


def test_a_fast_rate_gets_half_as_many_bits_again() -> None:
    slow, fast = plan(source(1280, 720)).top, plan(source(1280, 720, (60, 1))).top
    assert fast.max_bps == slow.max_bps * 3 // 2


def test_a_ladder_and_a_source_survive_being_stored_as_json() -> None:
    film = source(1920, 1080, (30000, 1001))
    ladder = plan(film)
    assert Ladder.from_json(ladder.to_json()) == ladder
    assert Source.from_json(film.to_json()) == film
