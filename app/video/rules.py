"""Decisions about uploads and videos, from facts alone."""

import re
from dataclasses import dataclass

from app.errors import BadInput, Conflict, LimberError, TooLarge
from app.i18n import _
from app.video import words
from app.video.models import Video

# Kept free for the database and for encoding what is already here.
RESERVE_BYTES = 1024**3
NAME_CHARS = 255
TITLE_CHARS = 200
# Endings of films that a computer may know as something else: programs (.ts), music (.ogg, .3gp, .mod).
AMBIGUOUS = frozenset({".ts", ".mts", ".m2ts", ".mod", ".tod", ".ogg", ".3gp", ".3g2", ".asf", ".dv"})
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}$")


class NoRoom(TooLarge):
    """The disk cannot take the file: told before its bytes are sent."""

    code = "no-room"


@dataclass(frozen=True)
class Room:
    """Bytes: the largest upload allowed, free on disk, and promised to uploads that are still under way."""

    max_bytes: int
    free_bytes: int
    promised_bytes: int

    @property
    def left_bytes(self) -> int:
        return max(0, self.free_bytes - self.promised_bytes - RESERVE_BYTES)


def refusal(length_bytes: int, content_type: str, room: Room, filename: str = "") -> LimberError | None:
    """Why an upload may not begin, or None when it may."""
    if length_bytes == 0:
        return BadInput(_("This file is empty. Please choose the film itself."))
    if suffix_of(filename) in AMBIGUOUS:
        # What it is its bytes tell, once they are here.
        content_type = ""
    kind = content_type.partition("/")[0].lower()
    if kind == "image":
        return BadInput(_("This is a picture. Films from a phone or camera (MP4, MOV, MKV …) work here."))
    if kind == "audio":
        return BadInput(
            _("This file has sound only. Films from a phone or camera (MP4, MOV, MKV …) work here.")
        )
    if kind == "text" or content_type in ("application/pdf", "application/zip"):
        return BadInput(_("This is not a film. Films from a phone or camera (MP4, MOV, MKV …) work here."))
    facts = {"size": words.size(length_bytes), "limit": words.size(room.max_bytes)}
    if length_bytes > room.max_bytes:
        return TooLarge(_("This file has %(size)s; the most that is taken is %(limit)s.") % facts)
    if length_bytes > room.left_bytes:
        return NoRoom(
            _(
                "This file has %(size)s, and there is room for %(room)s at the moment. "
                "Delete videos that are no longer needed, or ask whoever runs the server for more space."
            )
            % {**facts, "room": words.size(room.left_bytes)}
        )
    return None


def clean_filename(name: str) -> str:
    """The last part of what the browser calls the file, without control characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable()).strip()[:NAME_CHARS] or "video"


def title_from(filename: str) -> str:
    """A first title: `hip_flexor-01.MOV` → `hip flexor 01`."""
    stem = _SUFFIX.sub("", filename.lower()) and filename[: len(_SUFFIX.sub("", filename.lower()))]
    return " ".join((stem or filename).replace("_", " ").replace("-", " ").split())[:TITLE_CHARS] or filename


def suffix_of(filename: str) -> str:
    """`.mp4`, or nothing when the name ends in no plain suffix."""
    found = _SUFFIX.search(filename.lower())
    return found.group() if found else ""


class NoOriginal(Conflict):
    """The uploaded file was not kept: nothing can be encoded from it any more."""

    code = "no-original"


def check_retry(video: Video) -> None:
    """
    Raises:
        Conflict: while the video is being worked on.
        NoOriginal: its uploaded file was not kept.
    """
    if video.state in words.BUSY:
        raise Conflict(_("This video is being worked on already."))
    if not video.source_key:
        raise NoOriginal(
            _(
                "The uploaded file of this video was not kept, so it cannot be encoded again. "
                "To change it, upload the film once more."
            )
        )


def check_stop(video: Video) -> None:
    """
    Raises:
        Conflict: nothing is being done for the video.
    """
    if video.state not in words.BUSY:
        raise Conflict(_("This video has ended meanwhile: there is nothing to stop."))


def check_delete(video: Video, shown_in: list[str]) -> None:
    """
    Raises:
        Conflict: while lessons (their titles) show the video.
    """
    if shown_in:
        raise Conflict(
            _("“%(video)s” is shown in the lesson “%(lesson)s”. Give that lesson another video first.")
            % {"video": video.title, "lesson": shown_in[0]}
        )
