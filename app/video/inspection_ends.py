"""Where a source film's picture and sound end: what its headers say, held against its own last packets."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import av
import av.error

from app.video.containers import opened
from app.video.inspection_look import DAMAGED
from app.video.source import BREAKS_OFF, Unusable

TAIL_S = 10.0
LEAST_S = 0.5
SLACK_S = 0.1
# By so much ffmpeg lets a clock jump on (`-dts_delta_threshold`), or back, before it takes the jump out.
JUMP_S = 10.0
BACK_S = 0.1
# Of the containers that we read those in which it does so (AVFMT_TS_DISCONT).
JUMPING = frozenset({"mpegts", "mpeg", "ogg"})


@dataclass(frozen=True)
class Ends:
    """Where picture and sound end, in seconds from the film's start."""

    picture_s: float
    sound_s: float


class _Last(NamedTuple):
    """The last that is shown, or heard, of a stream, in seconds from the film's start."""

    begins_s: float
    ends_s: float


class _Steady:
    """Time as ffmpeg counts it in containers whose clock may jump: it goes on as if it had not.

    Broadcasts jump where the sender was restarted, DVDs where a scene was cut.
    Source: https://ffmpeg.org/ffmpeg.html#Advanced-options (`-dts_delta_threshold`).
    """

    def __init__(self) -> None:
        self.moved_s = 0.0
        self._newest_s: float | None = None
        self._last_s: dict[int, float] = {}
        self._due_s: dict[int, float] = {}

    def take(self, packet: Any) -> None:
        """The next packet of the file; its own times are to be moved by `moved_s` from now on."""
        if packet.dts is None:
            return
        stream, now_s = packet.stream_index, float(packet.dts * packet.time_base) + self.moved_s
        due_s = self._due_s.get(stream, self._newest_s)
        if due_s is not None and (
            abs(now_s - due_s) > JUMP_S or now_s + BACK_S < self._last_s.get(stream, now_s)
        ):
            self.moved_s += due_s - now_s
            now_s = due_s
        self._newest_s = self._last_s[stream] = now_s
        self._due_s[stream] = now_s + float((packet.duration or 0) * packet.time_base)


def stated_ends(film: Any, picture: Any, sound: Any) -> tuple[float | None, float | None, float | None]:
    """What the headers say: end of the picture, of the sound, and of the whole, each None when unsaid."""
    start_s = (film.start_time or 0) / av.time_base
    whole = film.duration / av.time_base if film.duration else None
    # Matroska's writers disagree whether a length counts from 0 or from a late start: then it says only the least.
    unsure = film.format.name.startswith("matroska") and start_s > SLACK_S
    if whole and unsure:
        whole = whole - start_s if whole > start_s + LEAST_S else whole

    def end_of(stream: Any) -> float | None:
        if stream is None or unsure:
            return None
        if stream.duration and stream.time_base:
            return float((stream.duration + (stream.start_time or 0)) * stream.time_base) - start_s
        return _clock_s(stream.metadata.get("DURATION", ""))

    return end_of(picture), end_of(sound), whole


def _clock_s(text: str) -> float | None:
    hours, _, rest = text.partition(":")
    minutes, _, seconds = rest.partition(":")
    try:
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return None


def ends_of(
    path: Path, stated: tuple[float | None, float | None, float | None], picture: int, sound: int | None
) -> Ends:
    """The stated ends where the file's own last packets agree with them, else the measured ones.

    Raises:
        Unusable: the file stops well before it says it does.
    """
    none = _Last(0.0, 0.0)
    if seen := _steady_ends(path, picture, sound):
        heard = none if sound is None else seen.get(sound, none)
        return Ends(picture_s=seen.get(picture, none).ends_s, sound_s=heard.ends_s)
    picture_s, sound_s, whole_s = _without_others(*stated, has_sound=sound is not None)
    seen = _last_packets(path, picture, sound, whole_s - TAIL_S if whole_s else None)
    slack_s = max(1.0, (whole_s or 0) / 50)
    if whole_s is None or picture not in seen or _end_of(seen) < whole_s - slack_s:
        seen = _last_packets(path, picture, sound, None)
    if not seen:
        raise Unusable(DAMAGED, detail="no packets")
    if whole_s is not None and _end_of(seen) < whole_s - slack_s:
        raise Unusable(BREAKS_OFF, found=_end_of(seen), stated=whole_s)
    unseen = _Last(whole_s or 0.0, whole_s or 0.0)
    return Ends(
        picture_s=_end(picture_s, seen.get(picture, unseen)),
        sound_s=0.0 if sound is None else _end(sound_s, seen.get(sound, none)),
    )


def _end_of(seen: dict[int, _Last]) -> float:
    return max(last.ends_s for last in seen.values())


def _without_others(
    picture_s: float | None, sound_s: float | None, whole_s: float | None, *, has_sound: bool
) -> tuple[float | None, float | None, float | None]:
    """Subtitles may outlast the film, which then does not break off; tags of an older cut may outlast the file."""
    told = [picture_s, sound_s] if has_sound else [picture_s]
    known = [end_s for end_s in told if end_s is not None]
    if whole_s is None:
        return picture_s, sound_s, None
    if len(known) == len(told):
        whole_s = min(whole_s, max(known))

    def within(end_s: float | None) -> float | None:
        return None if end_s is None or end_s > whole_s + SLACK_S else end_s

    return within(picture_s), within(sound_s), whole_s


def _end(stated_s: float | None, last: _Last) -> float:
    """A header that says less than there is does not shorten the film, but an edit may end within its last picture.

    In Matroska a header speaks of the whole, and the last picture may have stood still for the rest of it.
    """
    is_timed = last.ends_s > last.begins_s
    if stated_s is None or last.begins_s >= stated_s or (is_timed and stated_s > last.ends_s + SLACK_S):
        return last.ends_s
    return stated_s


def _steady_ends(path: Path, picture: int, sound: int | None) -> dict[int, _Last]:
    """As `_last_packets`, of the whole file, where its clock may jump; nothing where it may not.

    Such containers state no length: what a reader tells is the difference of the first and the last time in them.
    """
    ends: dict[int, _Last] = {}
    with opened(path) as film:
        if film.format.name.split(",")[0] not in JUMPING:
            return {}
        wanted = [film.streams[index] for index in (picture, sound) if index is not None]
        starts_s = [float(one.start_time * one.time_base) for one in wanted if one.start_time is not None]
        steady = _Steady()
        for packet in _packets(film, wanted):
            steady.take(packet)
            _extend(ends, packet, steady.moved_s - min(starts_s, default=0.0))
    return ends


def _last_packets(path: Path, picture: int, sound: int | None, from_s: float | None) -> dict[int, _Last]:
    """The packet of each stream that ends latest."""
    ends: dict[int, _Last] = {}
    with opened(path) as film:
        start_s = (film.start_time or 0) / av.time_base
        wanted = [film.streams[index] for index in (picture, sound) if index is not None]
        if from_s is not None and from_s > 0:
            with suppress(av.error.FFmpegError):
                film.seek(int((from_s + start_s) * av.time_base))
        for packet in _packets(film, wanted):
            _extend(ends, packet, -start_s)
    return ends


def _packets(film: Any, wanted: list[Any]) -> Iterator[Any]:
    # A broken tail: what was read up to there is the answer, and the caller compares it.
    with suppress(av.error.FFmpegError):
        yield from film.demux(*wanted)


def _extend(ends: dict[int, _Last], packet: Any, moved_s: float) -> None:
    if packet.pts is None or packet.is_discard or not packet.size:
        return
    begins_s = float(packet.pts * packet.time_base) + moved_s
    last = _Last(begins_s, begins_s + float((packet.duration or 0) * packet.time_base))
    known = ends.get(packet.stream_index)
    if known is None or last.ends_s > known.ends_s:
        ends[packet.stream_index] = last
