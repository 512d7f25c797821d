"""Bytes of an export as text that XML allows: any encoding, without what WordPress lets through and XML forbids."""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.errors import BadInput
from app.i18n import _

CHUNK = 1 << 16
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]{2,40})[\"']")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
# Bytes that are no UTF-8; and what Windows' signs become when somebody took them for Latin-1.
_LONE = re.compile("[\udc80-\udcff\x80-\x9f]")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What browsers, too, read as Windows' encoding.
_WESTERN = frozenset({"iso8859-1", "ascii", "cp1252"})


@dataclass
class Repairs:
    """What had to be put right on the way, counted."""

    forbidden: int = 0
    foreign_bytes: int = 0
    mended_records: int = 0


def read_file(path: Path) -> Iterator[bytes]:
    """The file in pieces.

    Raises:
        BadInput: it is a ZIP or gzip archive, or empty.
    """
    with path.open("rb") as file:
        first = file.read(CHUNK)
        if first.startswith((b"PK\x03\x04", b"\x1f\x8b")):
            raise BadInput(_("%(name)s is a packed archive. Unpack it first.") % {"name": path.name})
        if not first.strip():
            raise BadInput(_("%(name)s is empty.") % {"name": path.name})
        while first:
            yield first
            first = file.read(CHUNK)


def clean_text(chunks: Iterable[bytes], repairs: Repairs) -> Iterator[str]:
    """The text, without the control characters that XML forbids; bytes that are no UTF-8 are read as Windows-1252."""
    source = iter(chunks)
    first = next(source, b"")
    encoding, skip = _encoding(first)
    decoder = codecs.getincrementaldecoder(encoding)("surrogateescape" if encoding == "utf-8" else "replace")
    for data in _chain(first[skip:], source):
        if text := _allowed(decoder.decode(data), repairs):
            yield text
    if text := _allowed(decoder.decode(b"", True), repairs):
        yield text


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _encoding(first: bytes) -> tuple[str, int]:
    """The encoding's name for Python, and how long the byte order mark is."""
    for bom, name in _BOMS:
        if first.startswith(bom):
            return name, len(bom)
    found = _DECLARED.search(first[:300])
    declared = found[1].decode("ascii") if found else "utf-8"
    try:
        name = codecs.lookup(declared).name
    except LookupError:
        return "utf-8", 0
    # A declaration that could be read is in an encoding that is ASCII's neighbour; UTF-16 would not show one.
    if name.startswith(("utf-16", "utf-32")) or not _is_text(name):
        return "utf-8", 0
    if name in _WESTERN:
        return ("utf-8" if _is_utf8(first) else "cp1252"), 0
    return name, 0


def _is_text(name: str) -> bool:
    """Python also knows "encodings" that are none, like zip and rot13."""
    try:
        return b"<?xml".decode(name) == "<?xml"
    except (UnicodeError, LookupError, ValueError):
        return False


def _is_utf8(first: bytes) -> bool:
    """Whether bytes beyond ASCII are there and all of them are UTF-8: then the declaration is wrong."""
    if first.isascii():
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(first)
    except UnicodeDecodeError:
        return False
    return True


def _western(match: re.Match[str]) -> str:
    return bytes([ord(match[0]) & 0xFF]).decode("cp1252", "ignore")


def _allowed(text: str, repairs: Repairs) -> str:
    text, foreign = _LONE.subn(_western, text)
    repairs.foreign_bytes += foreign
    # A vertical tab and a form feed stood for a line's end where the words come from.
    text, forbidden = _FORBIDDEN.subn(lambda found: " " if found[0] in "\x0b\x0c" else "", text)
    repairs.forbidden += forbidden
    return text
