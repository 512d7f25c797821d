"""Subtitles in a master playlist: named as RFC 8216 wants it, once, and taken out again."""

import re

from app.video.hls import Segment, Sound, Variant, master_playlist, parse_media
from app.video.subtitles import (
    Cue,
    Track,
    duration_s,
    first_variant,
    media_playlist,
    to_vtt,
    with_subtitles,
)

SEGMENTS = (Segment("seg_00001.m4s", 6.0, 500_000), Segment("seg_00002.m4s", 2.5, 200_000))
MASTER = master_playlist(
    [
        Variant("720p", "720p/media.m3u8", "avc1.64001f", 1280, 720, 25.0, SEGMENTS),
        Variant("360p", "360p/media.m3u8", "avc1.64001e", 640, 360, 25.0, SEGMENTS),
    ],
    Sound("audio/media.m3u8", "mp4a.40.2", 2, SEGMENTS),
)
EN, DE = Track("en", "English"), Track("de-AT", "Deutsch")


def test_every_variant_names_the_group_and_every_track_is_in_it_once() -> None:
    text = with_subtitles(MASTER, [EN, DE])
    lines = text.splitlines()
    media = [line for line in lines if "TYPE=SUBTITLES" in line]
    assert media == [
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="English",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI="t/en.m3u8"',
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="Deutsch",LANGUAGE="de-AT",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI="t/de-AT.m3u8"',
    ]
    variants = [line for line in lines if line.startswith("#EXT-X-STREAM-INF:")]
    assert len(variants) == 2
    assert all(line.count('SUBTITLES="text"') == 1 for line in variants)
    assert "TYPE=AUDIO" in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_doing_it_again_changes_nothing_and_taking_them_out_gives_the_first_text() -> None:
    once = with_subtitles(MASTER, [EN, DE])
    assert with_subtitles(once, [EN, DE]) == once
    assert with_subtitles(once, [EN]) == with_subtitles(MASTER, [EN])
    assert with_subtitles(once, []) == MASTER
    assert with_subtitles(MASTER, []) == MASTER


def test_names_differ_within_the_group_and_cannot_break_out_of_their_quotes() -> None:
    text = with_subtitles(MASTER, [Track("en-GB", 'Eng"lish\n'), Track("en-US", "Eng'lish")])
    assert re.findall(r'NAME="([^"]*)",LANG', text) == ["Eng'lish (en-GB)", "Eng'lish (en-US)"]


def test_the_playlist_of_a_track_has_one_segment_as_long_as_the_film() -> None:
    text = media_playlist(DE, 61.5)
    assert "#EXT-X-TARGETDURATION:62\n" in text
    assert parse_media(text)[0] == Segment("de-AT.vtt", 61.5)
    assert duration_s(text) == 61.5


def test_the_first_variant_is_the_playlist_that_a_player_starts_with() -> None:
    assert first_variant(MASTER) == "360p/media.m3u8" or first_variant(MASTER) == "720p/media.m3u8"
    assert first_variant("#EXTM3U\n") is None


def test_for_a_stream_the_file_ties_its_times_to_the_streams() -> None:
    text = to_vtt([Cue(3_723_004, 3_724_000, "a")], for_stream=True)
    assert text.startswith(
        "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n01:02:03.004 --> 01:02:04.000\na\n"
    )
