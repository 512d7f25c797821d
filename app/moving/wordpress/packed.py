"""The XML files of an export as it is handed out: one, or several in a ZIP archive (WordPress.com), or gzipped."""

import gzip
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from app.errors import BadInput
from app.i18n import _
from app.moving.wordpress.text import CHUNK, read_file

_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
# What people write packs to a fifth or a tenth. More than this is nothing but a trap.
_MOST_TIMES = 200
_FREE_BYTES = 50 * 2**20


def parts(path: Path) -> Iterator[tuple[str, Iterator[bytes]]]:
    """(name, its bytes in pieces) of each XML file; to be read one after the other.

    Raises:
        BadInput: it is empty, or an archive that is broken, locked, a trap, or without XML files.
    """
    with path.open("rb") as file:
        first = file.read(4)
    if first.startswith(_GZIP):
        yield path.name, _unpacked(path)
    elif first.startswith(_ZIP):
        yield from _of_archive(path)
    else:
        yield path.name, read_file(path)


def _of_archive(path: Path) -> Iterator[tuple[str, Iterator[bytes]]]:
    try:
        with zipfile.ZipFile(path) as archive:
            wanted = [one for one in archive.infolist() if _is_export(one.filename)]
            if not wanted:
                raise BadInput(_("There is no XML file in %(name)s.") % {"name": path.name})
            for one in sorted(wanted, key=lambda one: _in_order(one.filename)):
                with archive.open(one) as file:
                    yield one.filename.rpartition("/")[2], _bounded(file, one.compress_size, path.name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise BadInput(_broken(path)) from None
    except RuntimeError:
        # What the library says of a password.
        raise BadInput(_("%(name)s is locked with a password.") % {"name": path.name}) from None


def _unpacked(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path) as file:
            yield from _bounded(file, path.stat().st_size, path.name)
    except (gzip.BadGzipFile, zlib.error, EOFError):
        raise BadInput(_broken(path)) from None


def _bounded(file: IO[bytes] | gzip.GzipFile, packed_bytes: int, name: str) -> Iterator[bytes]:
    read = 0
    while piece := file.read(CHUNK):
        read += len(piece)
        if read > _FREE_BYTES and read > packed_bytes * _MOST_TIMES:
            raise BadInput(
                _("%(name)s unpacks to far more than any export. Please unpack it yourself.") % {"name": name}
            )
        yield piece


def _is_export(name: str) -> bool:
    """Not what macOS adds of its own, nor a folder."""
    return name.lower().endswith(".xml") and not re.search(r"(\A|/)(__MACOSX/|\.)", name)


def _in_order(name: str) -> list[tuple[int, str]]:
    """Part 10 comes after part 9."""
    return [(int(piece) if piece.isdigit() else 0, piece) for piece in re.split(r"(\d{1,9})", name)]


def _broken(path: Path) -> str:
    return _("%(name)s is an archive that cannot be unpacked.") % {"name": path.name}
