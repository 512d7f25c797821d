"""Read ffmpeg's media playlists and write our own from measured sizes (RFC 8216), without touching a file."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

VERSION = 7
SEGMENT_S = 6
SOUND_GROUP = "sound"
# What a player shows before it has measured anything: enough to look at, little enough to start at once.
FIRST_BPS = 2_000_000


class Unreadable(ValueError):
    """The text is not a finished media playlist."""


@dataclass(frozen=True)
class Segment:
    uri: str
    duration_s: float
    size_bytes: int = 0


@dataclass(frozen=True)
class Variant:
    """One rung as the master playlist tells of it. `uri` is its media playlist, relative to the master."""

    name: str
    uri: str
    codec: str
    width_px: int
    height_px: int
    fps: float
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Sound:
    uri: str
    codec: str
    channels: int
    segments: tuple[Segment, ...]


def parse_media(text: str) -> tuple[Segment, ...]:
    """The segments of a finished media playlist, sizes unknown.

    Raises:
        Unreadable: it is none, it has no end, or it points anywhere but beside itself.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or lines[0] != "#EXTM3U":
        raise Unreadable("no playlist")
    found: list[Segment] = []
    duration_s: float | None = None
    for line in lines[1:]:
        if line.startswith("#EXTINF:"):
            duration_s = float(line.removeprefix("#EXTINF:").split(",")[0])
        elif not line.startswith("#"):
            if duration_s is None or "/" in line or ":" in line:
                raise Unreadable(f"an unexpected line: {line[:80]}")
            found.append(Segment(uri=line, duration_s=duration_s))
            duration_s = None
    if "#EXT-X-ENDLIST" not in lines:
        raise Unreadable("no end")
    return tuple(found)


def media_playlist(
    segments: Sequence[Segment], init_uri: str, *, has_grown: bool = False, is_whole: bool = True
) -> str:
    """A media playlist: static text whose relative addresses carry a token in the path along.

    Not whole: more segments will be added at its end, none is ever taken away. One that has grown keeps its type
    when it is whole, because a player may be reading it.
    Source: RFC 8216, 4.3.3.5 (EVENT).
    """
    # The same while it grows: it must not change, and no segment of ours is longer than this.
    least_s = 1 if is_whole and len(segments) == 1 else SEGMENT_S
    target_s = max(least_s, *(math.floor(segment.duration_s + 0.5) for segment in segments))
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{target_s}",
        "#EXT-X-MEDIA-SEQUENCE:1",
        f"#EXT-X-PLAYLIST-TYPE:{'EVENT' if has_grown else 'VOD'}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{init_uri}"',
    ]
    for segment in segments:
        lines += [f"#EXTINF:{segment.duration_s:.6f},", segment.uri]
    return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if is_whole else []), ""])


def master_playlist(variants: Sequence[Variant], sound: Sound) -> str:
    """The master playlist: every rung with the one sound, bandwidths as measured."""
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{SOUND_GROUP}",NAME="Original",DEFAULT=YES,AUTOSELECT=YES,'
        f'CHANNELS="{sound.channels}",URI="{sound.uri}"',
    ]
    for variant in start_order(variants, sound):
        lines += [
            f"#EXT-X-STREAM-INF:BANDWIDTH={bandwidth_bps(variant, sound)}"
            f",AVERAGE-BANDWIDTH={average_bandwidth_bps(variant, sound)}"
            f',CODECS="{variant.codec},{sound.codec}"'
            f",RESOLUTION={variant.width_px}x{variant.height_px},FRAME-RATE={variant.fps:.3f}"
            f',AUDIO="{SOUND_GROUP}"',
            variant.uri,
        ]
    return "\n".join([*lines, ""])


def start_order(variants: Sequence[Variant], sound: Sound) -> list[Variant]:
    """The one to start with leads (the largest within FIRST_BPS, or the least), then largest first."""
    falling = sorted(variants, key=lambda variant: bandwidth_bps(variant, sound), reverse=True)
    first = next((v for v in falling if bandwidth_bps(v, sound) <= FIRST_BPS), falling[-1])
    return [first, *(variant for variant in falling if variant is not first)]


def bandwidth_bps(variant: Variant, sound: Sound) -> int:
    """BANDWIDTH: the peaks of picture and sound together."""
    return peak_bps(variant.segments) + peak_bps(sound.segments)


def average_bandwidth_bps(variant: Variant, sound: Sound) -> int:
    return average_bps(variant.segments) + average_bps(sound.segments)


def peak_bps(segments: Sequence[Segment]) -> int:
    """The largest bit rate of any run of segments that lasts between 0.5 and 1.5 target durations.

    Source: RFC 8216, section 4.1 ("peak segment bit rate").
    """
    target_s = max((segment.duration_s for segment in segments), default=0.0)
    peak = 0.0
    for start in range(len(segments)):
        size_bytes, length_s = 0, 0.0
        for segment in segments[start:]:
            size_bytes += segment.size_bytes
            length_s += segment.duration_s
            if length_s > 1.5 * target_s:
                break
            if length_s >= 0.5 * target_s and length_s > 0:
                peak = max(peak, 8 * size_bytes / length_s)
    return math.ceil(peak)


def average_bps(segments: Sequence[Segment]) -> int:
    length_s = sum(segment.duration_s for segment in segments)
    return math.ceil(8 * sum(segment.size_bytes for segment in segments) / length_s) if length_s else 0
