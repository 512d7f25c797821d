"""What an archive may hold, which stored files go into one, and how a film stands once it was brought back. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

# Raised when an older Limber could not read what this one writes.
FORMAT = 1
# Everything lies in one folder, so that unpacking never strews files about.
FOLDER = "limber-export"
ABOUT, README, SUMS, CONTENTS, PEOPLE = (
    "limber.json",
    "README.md",
    "SHA256SUMS",
    "tables/contents.json",
    "members.csv",
)
FOLDERS = ("tables", "articles", "courses", "captions", "media")
NAME_CHARS = 400
MASTER = "master.m3u8"
# Characters that JSON takes as they are, and that others (YAML, many a program) take for the end of a line.
_ENDS = {ord(letter): f"\\u{ord(letter):04x}" for letter in "\x7f\x85\u2028\u2029\ufeff"}


@dataclass(frozen=True)
class Known:
    """What the database says of a film's files. `version` 0: there is no stream of it."""

    version: int
    source_key: str
    poster_own: str


class Standing(Enum):
    """How a film is after restoring."""

    AS_IT_WAS = "as it was"
    ENCODE = "encode"
    LOST = "lost"


def is_safe(name: str) -> bool:
    """Whether a name inside an archive can only mean a file below the folder that it is unpacked into."""
    parts = name.split("/")
    return (
        len(name) <= NAME_CHARS
        and name.isprintable()
        and "\\" not in name
        and not any(part in ("", ".", "..") or part.startswith(".") for part in parts)
    )


def is_known(name: str) -> bool:
    """Whether this format has a place for an entry of that name."""
    return name in (ABOUT, README, SUMS, PEOPLE) or name.partition("/")[0] in FOLDERS


def one_line(written: str) -> str:
    """JSON that is one line for whoever reads it."""
    return written.translate(_ENDS)


def is_taken(key: str, films: Mapping[UUID, Known], *, with_streams: bool) -> bool:
    """Whether a stored file goes into the archive.

    Left behind: streams, which are made again from the originals (unless asked for, or when there is no original),
    half-written files, what is left of films that were deleted, and another site's exports that wait to be imported.
    Folders that nothing here knows are taken along.
    """
    folder, *rest = key.split("/")
    if not is_safe(key) or folder == "imports":
        return False
    if folder not in ("sources", "videos"):
        return True
    film = films.get(_uuid(rest[0])) if len(rest) > 1 else None
    if film is None:
        return False
    if folder == "sources":
        return key == film.source_key
    if rest[1] == "clips":
        # Short, and nothing makes them again by itself.
        return True
    if rest[1] == "own":
        return len(rest) > 2 and rest[2] == film.poster_own
    is_shown = film.version > 0 and rest[1] == str(film.version)
    return is_shown and (with_streams or not film.source_key)


def standing(state: str, version: int, *, has_original: bool, has_stream: bool) -> Standing:
    """How a film stands, given what the archive has of it. Work that was under way is nobody's any more."""
    is_finished = state in ("ready", "failed")
    if has_stream:
        return Standing.AS_IT_WAS if is_finished or not has_original else Standing.ENCODE
    if state == "failed" and version == 0:
        return Standing.AS_IT_WAS
    return Standing.ENCODE if has_original else Standing.LOST


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
