"""The playlist checker finds each fault that is put into a good stream, and none in the good one."""

import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.video import rfc8216
from tests.video.rfc8216_stream import check_stream, read_rendition
from tests.video.sources import AAC, X264, ffmpeg, picture, sound

# Made once, not once in each process.
pytestmark = pytest.mark.xdist_group("rfc8216")

MASTER, LARGE, SMALL, HEARD, WORDS = (
    "master.m3u8",
    "large/m.m3u8",
    "small/m.m3u8",
    "sound/m.m3u8",
    "en/m.m3u8",
)
CAPTIONS = "WEBVTT\n\n00:00:00.500 --> 00:00:02.000\nBreathe in.\n"


def written(folder: Path) -> Path:
    """A stream of two rungs, a sound and captions, written by ffmpeg and by hand, not by the product."""
    film = folder.with_suffix(".mp4")
    ffmpeg(*picture("356x200", "25", 5), *sound(5), *X264, *AAC, film)
    hls = ["-f", "hls", "-hls_time", "2", "-hls_list_size", "0", "-hls_playlist_type", "vod",
           "-hls_segment_type", "fmp4", "-hls_flags", "independent_segments",
           "-hls_fmp4_init_filename", "init.mp4"]  # fmt: skip
    keys = ["-g", "50", "-sc_threshold", "0"]
    for name, words in (
        ("large", ["-an", *X264, *keys]),
        ("small", ["-an", "-vf", "scale=178:100", *X264, *keys]),
        ("sound", ["-vn", *AAC, "-ac", "2"]),
    ):
        (folder / name).mkdir(parents=True)
        ffmpeg(
            "-i",
            film,
            *words,
            *hls,
            "-hls_segment_filename",
            folder / name / "s%d.m4s",
            folder / name / "m.m3u8",
        )
    (folder / "en").mkdir()
    (folder / "en/s0.vtt").write_text(CAPTIONS)
    (folder / WORDS).write_text(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:5\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n"
        "#EXTINF:5.0,\ns0.vtt\n#EXT-X-ENDLIST\n"
    )
    heard = read_rendition(folder, HEARD)
    lines = [
        "#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="s",NAME="Sound",DEFAULT=YES,CHANNELS="2",URI="{HEARD}"',
        f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="c",NAME="English",LANGUAGE="en",URI="{WORDS}"',
    ]  # fmt: skip
    for uri in (LARGE, SMALL):
        seen = read_rendition(folder, uri)
        lines += [
            f"#EXT-X-STREAM-INF:BANDWIDTH={math.ceil(seen.peak_bps + heard.peak_bps)}"
            f",AVERAGE-BANDWIDTH={math.ceil(seen.average_bps + heard.average_bps)}"
            f',CODECS="{seen.codec},{heard.codec}",RESOLUTION={seen.width_px}x{seen.height_px}'
            ',FRAME-RATE=25.000,AUDIO="s",SUBTITLES="c"',
            uri,
        ]
    (folder / MASTER).write_text("\n".join([*lines, ""]))
    return folder


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("good") / "stream")


@pytest.fixture
def stream(good: Path, tmp_path: Path) -> Path:
    return shutil.copytree(good, tmp_path / "stream")


def test_a_good_stream_has_no_faults(good: Path) -> None:
    assert check_stream(good) == []


def test_what_is_read_is_what_was_encoded(good: Path) -> None:
    seen = read_rendition(good, LARGE)
    assert (seen.width_px, seen.height_px, round(seen.fps, 3)) == (356, 200, 25)
    assert seen.codec.startswith("avc1.42")
    assert [part.samples for part in seen.parts] == [50, 50, 25]
    assert read_rendition(good, HEARD).codec == "mp4a.40.2"


def bandwidth(factor: float) -> Callable[[str], str]:
    def change(text: str) -> str:
        value = text.split(":BANDWIDTH=")[1].split(",")[0]
        return text.replace(f":BANDWIDTH={value},", f":BANDWIDTH={int(int(value) * factor)},")

    return change


def swap(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


@pytest.mark.parametrize(
    ("file", "change", "fault"),
    [
        (MASTER, swap("#EXTM3U\n", ""), "EXTM3U is not the first line"),
        (MASTER, lambda text: "\ufeff" + text, "byte order mark"),
        (MASTER, swap("#EXT-X-VERSION:7\n", "#EXT-X-VERSION:7\n#EXT-X-VERSION:7\n"), "2 times"),
        (MASTER, swap("#EXT-X-INDEPENDENT-SEGMENTS\n", ""), "no EXT-X-INDEPENDENT-SEGMENTS"),
        (MASTER, swap("#EXT-X-INDEP", "#EXT-X-ENDLIST\n#EXT-X-INDEP"), "in the wrong kind of playlist"),
        (MASTER, swap("#EXT-X-INDEP", "#EXT-X-INDEPP"), "no tag of RFC 8216"),
        (MASTER, bandwidth(0.9), "BANDWIDTH"),
        (MASTER, bandwidth(1.2), "BANDWIDTH"),
        (MASTER, swap(",AVERAGE-BANDWIDTH=", ",AVERAGE-BANDWIDTH=9"), "AVERAGE-BANDWIDTH"),
        (MASTER, swap("AVERAGE-BANDWIDTH=", "AVERAGE-BANDWIDTHS="), "AVERAGE-BANDWIDTH is not a whole number"),
        (MASTER, swap(",mp4a.40.2", ""), "CODECS"),
        (MASTER, swap("avc1.42", "avc1.64"), "CODECS"),
        (MASTER, swap('CODECS="', 'CODECS="hvc1.1,'), "CODECS"),
        (MASTER, swap("RESOLUTION=356x200", "RESOLUTION=356x202"), "RESOLUTION"),
        (MASTER, swap("RESOLUTION=356x200", 'RESOLUTION="356x200"'), "not be a quoted string"),
        (MASTER, swap("FRAME-RATE=25.000", "FRAME-RATE=24.975"), "FRAME-RATE"),
        (MASTER, swap("FRAME-RATE=25.000,", ""), "FRAME-RATE"),
        (MASTER, swap('AUDIO="s"', 'AUDIO="t"'), "no AUDIO group t"),
        (MASTER, swap('SUBTITLES="c"', 'SUBTITLES="d"'), "no SUBTITLES group d"),
        (MASTER, swap('NAME="Sound",', ""), "without NAME"),
        (MASTER, swap('CHANNELS="2"', 'CHANNELS="6"'), "CHANNELS 6, but 2"),
        (MASTER, swap("DEFAULT=YES", "DEFAULT=YES,AUTOSELECT=NO"), "AUTOSELECT=NO"),
        (MASTER, swap("DEFAULT=YES", "DEFAULT=YES,DEFAULT=YES"), "twice in one attribute list"),
        (MASTER, swap(f',URI="{WORDS}"', ""), "SUBTITLES without URI"),
        (MASTER, swap(f"\n{LARGE}", ""), "without an address in the next line"),
        (MASTER, swap(f"\n{LARGE}", "\n../large/m.m3u8"), "leaves the stream"),
        (MASTER, swap(f"\n{LARGE}", "\nhttps://example.com/m.m3u8"), "leaves the stream"),
        (MASTER, swap(f"\n{LARGE}", "\nlarge/none.m3u8"), "cannot be read"),
        (LARGE, swap("#EXT-X-TARGETDURATION:2\n", ""), "no EXT-X-TARGETDURATION"),
        (LARGE, swap("#EXT-X-TARGETDURATION:2", "#EXT-X-TARGETDURATION:1"), "longer than the target"),
        (LARGE, swap("#EXT-X-TARGETDURATION:2", "#EXT-X-TARGETDURATION:9"), "a target duration of 9"),
        (LARGE, swap("#EXT-X-TARGETDURATION:2", "#EXT-X-TARGETDURATION:3"), "different target durations"),
        (LARGE, swap("#EXT-X-TARGETDURATION:2", "#EXT-X-TARGETDURATION:2.0"), "not a whole number"),
        (LARGE, swap("#EXT-X-VERSION:7", "#EXT-X-VERSION:5"), "needs version 6"),
        (LARGE, swap("#EXT-X-VERSION:7\n", ""), "needs version 3"),
        (LARGE, swap('#EXT-X-MAP:URI="init.mp4"\n', ""), "without an EXT-X-MAP"),
        (LARGE, swap('URI="init.mp4"', 'URI="none.mp4"'), "cannot be read"),
        (LARGE, swap("#EXT-X-ENDLIST", ""), "VOD without EXT-X-ENDLIST"),
        (LARGE, swap("#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-PLAYLIST-TYPE:EVENT"), "different EXT-X-PLAYLIST-TYPE"),
        (LARGE, swap("#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-PLAYLIST-TYPE:LIVE"), "EXT-X-PLAYLIST-TYPE LIVE"),
        (LARGE, swap("#EXT-X-ENDLIST", "#EXT-X-MEDIA-SEQUENCE:0"), "after the first segment"),
        (LARGE, swap("#EXTINF:2.000000,", "#EXTINF:1.960000,"), "of samples"),
        (LARGE, swap("#EXTINF:2.000000,", "#EXTINF:2.000000"), "a duration and a comma"),
        (LARGE, swap("#EXTINF:2.000000,\n", ""), "without EXTINF"),
        (LARGE, swap("#EXTINF:2.000000,\ns0.m4s\n", ""), "segments, the first rung has"),
        (LARGE, swap("\ns1.m4s", "\ns0.m4s"), "listed twice"),
        (LARGE, swap("\ns1.m4s", "\ns9.m4s"), "cannot be read"),
        (HEARD, lambda text: "#EXTINF".join(text.split("#EXTINF")[:2]) + "#EXT-X-ENDLIST\n", "different lengths"),
        (WORDS, swap("#EXTINF:5.0,", "#EXTINF:5.6,"), "longer than the target"),
        (WORDS, swap("#EXT-X-ENDLIST\n", ""), "VOD without EXT-X-ENDLIST"),
        ("en/s0.vtt", swap("WEBVTT\n", ""), "does not begin with WEBVTT"),
        ("en/s0.vtt", swap("00:00:02.000", "00:00:02,000"), "not a cue"),
    ],
)  # fmt: skip
def test_each_fault_in_a_text_is_found(
    stream: Path, file: str, change: Callable[[str], str], fault: str
) -> None:
    path = stream / file
    path.write_text(change(path.read_text()))
    assert any(fault in found for found in check_stream(stream)), check_stream(stream)


def reencoded(stream: Path, *words: str) -> list[str]:
    """The faults after the small rung was encoded again in another way."""
    shutil.rmtree(stream / "small")
    (stream / "small").mkdir()
    ffmpeg("-i", stream.parent / "film.mp4", "-an", "-vf", "scale=178:100", "-f", "hls", "-hls_time", "2",
           "-hls_list_size", "0", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4", *words,
           "-hls_fmp4_init_filename", "init.mp4", "-hls_segment_filename", stream / "small/s%d.m4s",
           stream / SMALL)  # fmt: skip
    return check_stream(stream)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ((*X264, "-g", "45", "-hls_time", "1.8"), "not aligned"),
        ((*X264, "-g", "500", "-hls_flags", "split_by_time"), "does not begin with an IDR"),
        ((*X264, "-g", "500", "-hls_time", "9"), "key frames more than two seconds apart"),
        ((*X264, "-g", "50", "-r", "20"), "FRAME-RATE"),
        ((*X264, "-g", "50", "-vf", "scale=180:100"), "RESOLUTION"),
        ((*X264, "-g", "50", "-b:v", "2M", "-maxrate", "2M", "-bufsize", "1M"), "BANDWIDTH"),
    ],
    ids=["other times", "no key", "rare keys", "other rate", "other size", "other bits"],
)
def test_each_fault_in_a_files_pictures_is_found(
    good: Path, stream: Path, words: tuple[str, ...], fault: str
) -> None:
    shutil.copy(good.with_suffix(".mp4"), stream.parent / "film.mp4")
    found = reencoded(stream, "-sc_threshold", "0", *words)
    assert any(fault in one for one in found), found


def test_a_gap_between_segments_is_found(stream: Path) -> None:
    for uri in (LARGE, SMALL, HEARD):
        path = stream / uri
        lines = path.read_text().splitlines()
        at = lines.index("s1.m4s")
        path.write_text("\n".join([*lines[: at - 1], *lines[at + 1 :], ""]))
    assert any("from where the one before it ends" in found for found in check_stream(stream))


def test_a_segment_cut_short_is_found(stream: Path) -> None:
    path = stream / "large/s1.m4s"
    path.write_bytes(path.read_bytes()[:-2000])
    assert any("breaks off" in found for found in check_stream(stream))


def test_a_growing_stream_is_judged_as_one(stream: Path) -> None:
    for uri in (LARGE, SMALL, HEARD, WORDS):
        path = stream / uri
        text = path.read_text().replace("VOD", "EVENT").replace("#EXT-X-ENDLIST\n", "")
        path.write_text(text.replace("DURATION:5", "DURATION:2").replace("#EXTINF:5.0", "#EXTINF:2.0"))
    master = stream / MASTER
    master.write_text(bandwidth(3)(master.read_text()))
    assert check_stream(stream) == []
    (stream / LARGE).write_text((stream / LARGE).read_text().replace("#EXT-X-PLAYLIST-TYPE:EVENT\n", ""))
    assert any("a live stream" in found for found in check_stream(stream))


HEAD = (
    '#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-MAP:URI="i.mp4"\n'
)
ONE, TWO = "#EXTINF:6.0,\n1.m4s\n", "#EXTINF:6.0,\n2.m4s\n"
END = "#EXT-X-ENDLIST\n"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (HEAD + ONE, HEAD + ONE, ""),
        (HEAD + ONE, HEAD + ONE + TWO, ""),
        (HEAD + ONE, HEAD + ONE + TWO + END, ""),
        (HEAD + ONE + END, HEAD + ONE + END, ""),
        (HEAD + ONE + TWO, HEAD + TWO, "changed or taken away"),
        (HEAD + ONE, HEAD.replace("6", "7", 1) + ONE + TWO, "changed or taken away"),
        (HEAD + ONE, HEAD.replace("EVENT", "VOD") + ONE + TWO + END, "changed or taken away"),
        (HEAD + ONE + END, HEAD + ONE + TWO + END, "had ended"),
        (HEAD.replace("#EXT-X-PLAYLIST-TYPE:EVENT\n", "") + ONE, HEAD + ONE, "not EVENT"),
    ],
)  # fmt: skip
def test_an_event_playlist_may_only_be_appended_to(old: str, new: str, fault: str) -> None:
    found = rfc8216.check_grown(old, new)
    assert any(fault in one for one in found) if fault else found == []
