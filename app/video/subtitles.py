"""Write captions as WebVTT and name them in a stream's playlists (RFC 8216), without touching a file."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

GROUP = "text"
FOLDER = "t"
VERSION = 7
# Where cue times begin on the stream's own clock: ours begins at 0 (RFC 8216, 3.5).
_CLOCK = "X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000"
_OURS = re.compile(rf'#EXT-X-MEDIA:(?:[^\n]*,)?TYPE=SUBTITLES(?:,|$)|#EXT-X-MEDIA:[^\n]*GROUP-ID="{GROUP}"')
_NAMED = re.compile(r',SUBTITLES="[^"]*"')
_LENGTH = re.compile(r"^#EXTINF:([0-9]+(?:\.[0-9]+)?),", re.MULTILINE)


@dataclass(frozen=True)
class Cue:
    """What is said from `start_ms` to `end_ms`. `text`: safe WebVTT cue text of one or more lines, none empty."""

    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True)
class Track:
    """A language that the stream offers: its BCP 47 tag, and its name for the reader."""

    language: str
    label: str

    @property
    def playlist(self) -> str:
        """Its media playlist, relative to the master."""
        return f"{FOLDER}/{self.language}.m3u8"

    @property
    def file(self) -> str:
        return f"{FOLDER}/{self.language}.vtt"


def to_vtt(cues: Sequence[Cue], *, for_stream: bool = False) -> str:
    """The cues as WebVTT; `for_stream`: with the line that ties their times to the stream's.

    Source: https://www.w3.org/TR/webvtt1/ and RFC 8216, section 3.5
    """
    head = f"WEBVTT\n{_CLOCK}\n" if for_stream else "WEBVTT\n"
    blocks = [f"{timestamp(cue.start_ms)} --> {timestamp(cue.end_ms)}\n{cue.text}\n" for cue in cues]
    return "\n".join([head, *blocks])


def timestamp(ms: int) -> str:
    """`01:02:03.004`."""
    minutes, rest = divmod(ms, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"


def media_playlist(track: Track, duration_s: float) -> str:
    """The playlist of a track whose one segment lasts as long as the film.

    Source: RFC 8216, sections 4.3.2 and 4.3.3.1 (a target duration is no less than any segment's, rounded)
    """
    target_s = max(1, math.floor(duration_s + 0.5))
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{target_s}",
        "#EXT-X-MEDIA-SEQUENCE:1",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        f"#EXTINF:{duration_s:.6f},",
        f"{track.language}.vtt",
        "#EXT-X-ENDLIST",
    ]
    return "\n".join([*lines, ""])


def first_variant(master_text: str) -> str | None:
    """The first media playlist that a master names, relative to it; None when it names none."""
    lines = master_text.splitlines()
    return next((line for line in lines if line.strip() and not line.startswith("#")), None)


def duration_s(media_text: str) -> float:
    """Seconds that a media playlist's segments last together."""
    return sum(float(found) for found in _LENGTH.findall(media_text))


def with_subtitles(master_text: str, tracks: Sequence[Track]) -> str:
    """The master playlist with these tracks as its only subtitles; doing it again changes nothing.

    Source: RFC 8216, sections 4.3.4.1 (names differ within a group) and 4.3.4.2
    """
    kept = [line for line in master_text.splitlines() if not _OURS.match(line)]
    named = f',SUBTITLES="{GROUP}"' if tracks else ""
    labels = Counter(_quoted(track.label) for track in tracks)
    media = [_media(track, labels) for track in tracks]
    out: list[str] = []
    for line in kept:
        if line.startswith("#EXT-X-STREAM-INF:"):
            out += media
            media = []
            line = _NAMED.sub("", line) + named
        out.append(line)
    return "\n".join([*out, ""])


def _media(track: Track, labels: Counter[str]) -> str:
    name = _quoted(track.label)
    if labels[name] > 1:
        name = f"{name} ({track.language})"
    return (
        f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="{GROUP}",NAME="{name}",LANGUAGE="{track.language}"'
        f',DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI="{track.playlist}"'
    )


def _quoted(label: str) -> str:
    """What a quoted string of a playlist may hold: no quotation mark, nothing that is not printable."""
    return "".join(c for c in label.replace('"', "'") if c.isprintable())
