"""What a free clip may be, from what was typed and the film's length alone. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.i18n import _
from app.video.subtitles import Cue

LONGEST_MS = 20_000
SHORTEST_MS = 1_000
TITLE_CHARS = 120
MP4, POSTER, CAPTIONS = "clip.mp4", "poster.jpg", "captions.vtt"
KINDS = {MP4: "video/mp4", POSTER: "image/jpeg", CAPTIONS: "text/vtt; charset=utf-8"}

_TIME = re.compile(
    r"(?:(?:(?P<h>[0-9]{1,2}):)?(?P<m>[0-9]{1,3}):)?(?P<s>[0-9]{1,5})(?:[.,](?P<ms>[0-9]{1,3}))?"
)

Errors = dict[str, str]


@dataclass(frozen=True)
class ClipDraft:
    """What the form holds: times as people write them, "1:05" or "65.5"."""

    title: str = ""
    start: str = ""
    end: str = ""


@dataclass(frozen=True)
class Span:
    start_ms: int
    end_ms: int


class HasFiles(Protocol):
    """What a clip knows about where its files are."""

    @property
    def video_id(self) -> object: ...
    @property
    def id(self) -> object: ...
    @property
    def turn(self) -> int: ...


def folder(clip: HasFiles) -> str:
    """Where its files lie: below the film's folder, so that they go when the film does."""
    return f"videos/{clip.video_id}/clips/{clip.id}/{clip.turn}"


def milliseconds(typed: str) -> int | None:
    """The time in "1:05", "0:01:05.250" or "65,5"; None for anything else."""
    found = _TIME.fullmatch(typed.strip())
    if found is None or (found["m"] is not None and int(found["s"]) > 59):
        return None
    if found["h"] is not None and int(found["m"]) > 59:
        return None
    seconds = (int(found["h"] or 0) * 60 + int(found["m"] or 0)) * 60 + int(found["s"])
    return seconds * 1000 + int((found["ms"] or "0").ljust(3, "0"))


def check(draft: ClipDraft, film_s: float) -> tuple[Span, Errors]:
    """The piece that is meant, and a sentence for each field at fault; with any, the piece means nothing."""
    errors: Errors = {}
    if not draft.title:
        errors["title"] = _("Please give the clip a title.")
    elif len(draft.title) > TITLE_CHARS:
        errors["title"] = _("The title is longer than 120 characters. Please shorten it.")
    start_ms, end_ms = milliseconds(draft.start), milliseconds(draft.end)
    for name, found_ms in (("start", start_ms), ("end", end_ms)):
        if found_ms is None:
            errors[name] = _("Please write a time of the film like 1:05 or 1:05.5.")
    if start_ms is None or end_ms is None:
        return Span(0, 0), errors
    film_ms = round(film_s * 1000)
    if end_ms > film_ms:
        errors["end"] = _("The film ends before that, at %(end)s seconds.") % {"end": f"{film_s:.1f}"}
    elif end_ms - start_ms < SHORTEST_MS:
        errors["end"] = _("A clip lasts at least one second: its end comes after its start.")
    elif end_ms - start_ms > LONGEST_MS:
        errors["end"] = _("A free clip lasts at most %(most)s seconds.") % {"most": LONGEST_MS // 1000}
    return Span(start_ms, end_ms), errors


def cues_within(cues: Sequence[Cue], span: Span) -> list[Cue]:
    """What is said in the piece, on the piece's own clock; nothing that is said before or after it alone."""
    found = []
    for cue in cues:
        start_ms, end_ms = max(cue.start_ms, span.start_ms), min(cue.end_ms, span.end_ms)
        if end_ms > start_ms:
            found.append(Cue(start_ms - span.start_ms, end_ms - span.start_ms, cue.text))
    return found
