"""A copy of the old site's uploads on this computer, read by names as people and tools have changed them."""

import asyncio
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from app.errors import BadInput
from app.i18n import _
from app.moving.wordpress import addresses
from app.moving.wordpress.addresses import is_edited
from app.moving.wordpress.lacking import LARGEST_BYTES, Absent, Lacking, too_large

# Where a copy of a whole site, of its wp-content, or of its uploads has them.
_INNER = ("wp-content/uploads", "uploads", "*/wp-content/uploads")
# Folders whose names are kept in memory; uploads are asked for month by month.
_KEPT_FOLDERS = 4
_YEAR = re.compile(r"(?:19|20)\d\d")
_SIZE = re.compile(r"-(\d{1,5})x(\d{1,5})(?=\.\w{2,5}\Z)")


class Folder:
    """A copy of wp-content/uploads, a folder that has one inside, or one in which all files lie side by side.

    Copies differ in what a file system does to names: how letters with marks are composed, which letters are capitals,
    and whether `%20` was decoded. Neither ".." nor a link leads out of the folder.

    Raises:
        BadInput: the folder of uploads in it is a link that leads out.
    """

    def __init__(self, root: Path, below: str = "") -> None:
        inner = (place for pattern in _INNER for place in sorted(root.glob(pattern)) if place.is_dir())
        place = next(inner, root)
        self._root = place.resolve()
        if not self._root.is_relative_to(root.resolve()):
            sentence = _("%(name)s leads out of the folder. Please give --media the folder where it leads.")
            raise BadInput(sentence % {"name": place})
        if below and (self._root / below).is_dir():
            self._root = self._root / below
        # Where files lie by month, one of the same name beside the years is another.
        self._is_flat = not any(_YEAR.fullmatch(name) for name in _names_in(self._root))
        self._listed: dict[Path, dict[str, list[str]]] = {}

    async def names(self, upload: str, *, is_whole: bool = False) -> list[str]:
        return await asyncio.to_thread(lambda: list(dict.fromkeys(self._names(upload, is_whole=is_whole))))

    async def read(self, name: str) -> bytes:
        return await asyncio.to_thread(self._read, name)

    async def close(self) -> None:
        return

    def _names(self, upload: str, *, is_whole: bool) -> Iterator[str]:
        folder, _slash, name = upload.rpartition("/")
        if ".." in folder.split("/"):
            return
        for place in dict.fromkeys((folder, "")) if self._is_flat else (folder,):
            listed = self._listing(self._root / place)
            prefix = f"{place}/" if place else ""
            wanted = addresses.candidates(name, is_whole=is_whole)
            # What was there before an edit comes last: it shows something else.
            for is_near in (True, False):
                same = [one for one in wanted if (is_edited(one) == is_edited(name)) == is_near]
                for one in same:
                    if not pixels(one) or (is_whole and one == name):
                        yield from (f"{prefix}{found}" for found in _like(one, listed.get(_key(one), [])))
                # Where only smaller copies are left, the largest of them.
                smaller = [found for one in same for found in listed.get(_key(_SIZE.sub("", one)) + "\0", [])]
                yield from (f"{prefix}{found}" for found in sorted(smaller, key=pixels, reverse=True))

    def _listing(self, folder: Path) -> dict[str, list[str]]:
        """Names in a folder by what all their forms have in common; with a NUL after it, those of smaller copies."""
        if folder not in self._listed:
            if len(self._listed) >= _KEPT_FOLDERS:
                del self._listed[next(iter(self._listed))]
            found: dict[str, list[str]] = {}
            for name in _names_in(folder):
                found.setdefault(_key(name), []).append(name)
                if _SIZE.search(name):
                    found.setdefault(_key(_SIZE.sub("", name)) + "\0", []).append(name)
            self._listed[folder] = found
        return self._listed[folder]

    def _read(self, name: str) -> bytes:
        try:
            place = (self._root / name).resolve()
            if not place.is_relative_to(self._root) or not place.is_file():
                raise Absent(_("not in the folder"))
            if place.stat().st_size > LARGEST_BYTES:
                raise too_large()
            return place.read_bytes()
        except (OSError, ValueError, RuntimeError) as fault:
            # A disk's fault, no right to read, a name that no file can have, links in a ring.
            raise Lacking(_("cannot be read (%(why)s)") % {"why": type(fault).__name__}) from None


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(one.name for one in folder.iterdir())
    except (OSError, ValueError):
        return []


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", unquote(name)).casefold()


def _like(name: str, found: list[str]) -> list[str]:
    """Those of one key, the closest to `name` first: where both exist, `A.jpg` is not `a.jpg`."""
    forms = (name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name))
    return sorted(found, key=lambda one: (one not in forms, unquote(one) not in forms, one))


def pixels(name: str) -> int:
    """Of a smaller copy, by its name; 0 for a whole picture."""
    size = _SIZE.search(name)
    return int(size[1]) * int(size[2]) if size else 0
