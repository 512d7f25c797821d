"""Where a source film's picture and sound end: what its headers say, held against its own last packets."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.error

from app.video.containers import opened
from app.video.inspection_look import DAMAGED
from app.video.source import BREAKS_OFF, Unusable

TAIL_S = 10.0
LEAST_S = 0.5
SLACK_S = 0.1


@dataclass(frozen=True)
class Ends:
    """Where picture and sound end, in seconds from the film's start."""

    picture_s: float
    sound_s: float


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
    picture_s, sound_s, whole_s = _without_others(*stated, has_sound=sound is not None)
    seen = _last_packets(path, picture, sound, whole_s - TAIL_S if whole_s else None)
    slack_s = max(1.0, (whole_s or 0) / 50)
    if whole_s is None or picture not in seen or max(seen.values()) < whole_s - slack_s:
        seen = _last_packets(path, picture, sound, None)
    if not seen:
        raise Unusable(DAMAGED, detail="no packets")
    if whole_s is not None and max(seen.values()) < whole_s - slack_s:
        raise Unusable(BREAKS_OFF, found=max(seen.values()), stated=whole_s)
    return Ends(
        picture_s=_end(picture_s, seen.get(picture, whole_s or 0.0)),
        sound_s=0.0 if sound is None else _end(sound_s, seen.get(sound, 0.0)),
    )


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


def _end(stated_s: float | None, measured_s: float) -> float:
    # A header that says less than there is does not shorten the film: ffmpeg would encode all of it.
    return measured_s if stated_s is None or measured_s > stated_s + SLACK_S else stated_s


def _last_packets(path: Path, picture: int, sound: int | None, from_s: float | None) -> dict[int, float]:
    """The latest end among each stream's packets, in seconds from the film's start."""
    ends: dict[int, float] = {}
    with opened(path) as film:
        start_s = (film.start_time or 0) / av.time_base
        wanted = [film.streams[index] for index in (picture, sound) if index is not None]
        try:
            if from_s is not None and from_s > 0:
                film.seek(int((from_s + start_s) * av.time_base))
            for packet in film.demux(*wanted):
                if packet.pts is None or packet.is_discard or not packet.size:
                    continue
                end_s = float((packet.pts + (packet.duration or 0)) * packet.time_base) - start_s
                ends[packet.stream_index] = max(end_s, ends.get(packet.stream_index, 0.0))
        except av.error.FFmpegError:
            # A broken tail: what was read up to here is the answer, and the caller compares it.
            return ends
    return ends
