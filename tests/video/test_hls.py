"""The playlists we write, and how bandwidth is measured."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.video import hls
from app.video.hls import Segment, Sound, Variant

SOUND = Sound("a/media.m3u8", "mp4a.40.2", 2, (Segment("s1", 6.0, 96_000), Segment("s2", 4.0, 64_000)))


def variant(name: str, height_px: int, *sizes: int) -> Variant:
    segments = tuple(Segment(f"seg_{n:05}.m4s", 6.0, size) for n, size in enumerate(sizes, start=1))
    return Variant(name, f"v{name}/media.m3u8", "avc1.64001f", height_px * 16 // 9, height_px, 25, segments)


def test_the_peak_is_the_dearest_run_between_half_and_one_and_a_half_targets() -> None:
    segments = (Segment("1", 6.0, 600_000), Segment("2", 6.0, 900_000), Segment("3", 0.4, 400_000))
    # The last 0.4 s are too short to count alone, but count together with what is before them.
    assert hls.peak_bps(segments) == round(8 * 1_300_000 / 6.4)
    assert hls.average_bps(segments) == -(-8 * 1_900_000 // 12.4)


@given(st.lists(st.tuples(st.floats(0.04, 9), st.integers(1, 10**7)), min_size=1, max_size=40))
def test_the_peak_is_never_below_the_average_of_even_segments(parts: list[tuple[float, int]]) -> None:
    segments = [Segment(str(n), length, size) for n, (length, size) in enumerate(parts)]
    longest = max(segments, key=lambda segment: segment.duration_s)
    assert hls.peak_bps(segments) >= 8 * longest.size_bytes / longest.duration_s - 1


def test_a_master_playlist_declares_what_was_measured() -> None:
    text = hls.master_playlist([variant("720", 720, 1_500_000, 750_000), variant("360", 360, 300_000)], SOUND)
    assert text.splitlines()[:3] == ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    assert (
        '#EXT-X-STREAM-INF:BANDWIDTH=2128000,AVERAGE-BANDWIDTH=1628000,CODECS="avc1.64001f,mp4a.40.2"'
        ',RESOLUTION=1280x720,FRAME-RATE=25.000,AUDIO="sound"\nv720/media.m3u8' in text
    )
    assert 'TYPE=AUDIO,GROUP-ID="sound"' in text
    assert 'URI="a/media.m3u8"' in text
    assert "://" not in text


def test_the_rung_to_start_with_comes_first() -> None:
    large = variant("1080", 1080, 3_000_000)
    middle = variant("720", 720, 1_300_000)
    small = variant("360", 360, 300_000)
    assert hls.start_order([large, middle, small], SOUND) == [middle, large, small]
    assert hls.start_order([large], SOUND) == [large]


def test_a_media_playlist_reads_back_as_it_was_written() -> None:
    segments = (Segment("seg_00001.m4s", 6.006, 0), Segment("seg_00002.m4s", 1.5, 0))
    text = hls.media_playlist(segments, "init.mp4")
    assert hls.parse_media(text) == segments
    assert "#EXT-X-TARGETDURATION:6" in text
    assert '#EXT-X-MAP:URI="init.mp4"' in text
    assert text.endswith("#EXT-X-ENDLIST\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "words",
        "#EXTM3U\n#EXTINF:6,\nseg_1.m4s\n",
        "#EXTM3U\n#EXTINF:6,\n../../etc/passwd\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXTINF:6,\nhttp://elsewhere\n#EXT-X-ENDLIST\n",
        "#EXTM3U\nseg_1.m4s\n#EXT-X-ENDLIST\n",
    ],
)
def test_a_playlist_that_is_unfinished_or_points_elsewhere_is_refused(text: str) -> None:
    with pytest.raises(hls.Unreadable):
        hls.parse_media(text)
