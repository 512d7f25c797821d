"""Reads an archive: every header is looked at and every sum compared before anything of it is used."""

import hashlib
import json
import re
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from app.errors import BadInput
from app.i18n import _
from app.moving.archive import rules

HEADER_BYTES = 2**20
PIECE_BYTES = 2**20
# One row of a table, or one text: what has to be in memory at once.
LINE_BYTES = 64 * 2**20
_SUM = re.compile(rb"([0-9a-f]{64})  ([^\n]+)\n")
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"(\xb5/\xfd", b"PK\x03\x04", b"7z\xbc\xaf")


class BadArchive(BadInput):
    """A file that is no whole archive of this format; the sentence says why. Nothing of it was used."""

    code = "bad-archive"


@dataclass(frozen=True)
class Entry:
    """One file in the archive: its name below the folder, where its bytes begin, and how many they are."""

    name: str
    at: int
    size: int
    sha256: str


class _Headers:
    """The file as tarfile sees it: none of its headers is larger than a megabyte, whatever it says itself."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= HEADER_BYTES:
            raise tarfile.ReadError("a header without end")
        return self._file.read(size)

    def seek(self, at: int) -> int:
        return self._file.seek(at)

    def tell(self) -> int:
        return self._file.tell()


class Archive:
    """An archive that is open for reading. What is in it stands in an index beside the memory.

    Raises:
        BadArchive: from every method, when the file is not what it should be.
    """

    def __init__(self, path: Path, scratch: Path) -> None:
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as fault:
            raise BadArchive(_("There is no file %(name)s that can be read.") % {"name": path}) from fault
        self._index = sqlite3.connect(scratch / "entries.sqlite", isolation_level=None)
        self._index.execute("PRAGMA journal_mode = OFF")
        self._index.execute("PRAGMA synchronous = OFF")
        self._index.execute(
            "CREATE TABLE entry (name TEXT PRIMARY KEY, at INTEGER, size INTEGER, sha256 TEXT) WITHOUT ROWID"
        )
        self._index.execute("CREATE INDEX entry_at ON entry (at)")
        self.bytes = path.stat().st_size
        self.about: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._index.close()
        self._file.close()

    def look(self) -> None:
        """Walk over the headers, without reading what lies between them; learn the format, and the sums."""
        start = self._file.read(8)
        self._file.seek(0)
        if start.startswith(_COMPRESSED):
            raise BadArchive(
                _(
                    "This is a compressed file. An archive of `limber export` is a plain tar file; unpack it first."
                )
            )
        self._index.execute("BEGIN")
        try:
            self._walk()
        except (tarfile.TarError, ValueError, OverflowError, OSError) as fault:
            raise self._cut() from fault
        except sqlite3.IntegrityError as fault:
            raise BadArchive(_("This archive holds two files of one name. Nothing was written.")) from fault
        self._index.execute("COMMIT")
        if self.find(rules.ABOUT) is None:
            raise self._cut()
        self._read_about()
        if self.find(rules.SUMS) is None:
            raise self._cut()
        self._read_sums()

    def check(self, say: Callable[[int], None]) -> None:
        """Read all of it and compare every sum. `say`: bytes read so far."""
        done = 0
        for entry in self.entries():
            for piece in self.pieces(entry):
                done += len(piece)
                say(done)

    def find(self, name: str) -> Entry | None:
        row = self._index.execute(
            "SELECT name, at, size, coalesce(sha256, '') FROM entry WHERE name = ?", (name,)
        ).fetchone()
        return Entry(*row) if row else None

    def entries(self, folder: str = "") -> Iterator[Entry]:
        """Those below a folder ("media", no slash at its end), or all, in the order in which they lie."""
        low, high = (f"{folder}/", f"{folder}0") if folder else ("", "\U0010ffff")
        last = -1
        while True:
            # By pieces, so that the index may be asked other things meanwhile.
            rows = self._index.execute(
                "SELECT name, at, size, coalesce(sha256, '') FROM entry INDEXED BY entry_at"
                " WHERE name >= ? AND name < ? AND at > ? AND name <> ? ORDER BY at LIMIT 500",
                (low, high, last, rules.SUMS),
            ).fetchall()
            if not rows:
                return
            for row in rows:
                yield Entry(*row)
            last = int(rows[-1][1])

    def pieces(self, entry: Entry) -> Iterator[bytes]:
        """An entry's bytes; after the last of them their sum was compared."""
        digest, left = hashlib.sha256(), entry.size
        at = entry.at
        while left:
            self._file.seek(at)
            piece = self._file.read(min(left, PIECE_BYTES))
            if not piece:
                raise self._cut()
            digest.update(piece)
            left -= len(piece)
            at += len(piece)
            yield piece
        if entry.sha256 and digest.hexdigest() != entry.sha256:
            raise BadArchive(
                _("%(name)s in this archive is not what was written there: the file was damaged on its way.")
                % {"name": entry.name}
            )

    def lines(self, entry: Entry) -> Iterator[bytes]:
        """The lines of a text, each with its end."""
        rest = b""
        for piece in self.pieces(entry):
            rest += piece
            *whole, rest = rest.split(b"\n")
            yield from (line + b"\n" for line in whole)
            if len(rest) > LINE_BYTES:
                raise BadArchive(_("A line of %(name)s has no end.") % {"name": entry.name})
        if rest:
            yield rest

    def read(self, name: str) -> bytes:
        """All of a small entry."""
        entry = self.find(name)
        if entry is None:
            raise BadArchive(_("This archive lacks %(name)s.") % {"name": name})
        if entry.size > LINE_BYTES:
            raise BadArchive(_("%(name)s in this archive is too large.") % {"name": name})
        return b"".join(self.pieces(entry))

    def json(self, name: str) -> Any:
        """What a small entry says."""
        try:
            return json.loads(self.read(name))
        except (ValueError, RecursionError) as fault:
            raise BadArchive(_("%(name)s in this archive cannot be read.") % {"name": name}) from fault

    def _walk(self) -> None:
        with tarfile.open(fileobj=_Headers(self._file), mode="r:") as tar:  # type: ignore[call-overload]
            while (info := tar.next()) is not None:
                # It would remember each.
                tar.members.clear()
                self._take(info)

    def _take(self, info: tarfile.TarInfo) -> None:
        folder, _slash, name = info.name.partition("/")
        if info.isdir() and rules.is_safe(info.name.rstrip("/")):
            return
        # Links, devices and files with holes never come from us, and neither does a way out of the folder.
        is_plain = info.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and info.sparse is None and info.size >= 0
        if not is_plain or folder != rules.FOLDER or not rules.is_safe(name):
            raise BadArchive(
                _("This archive holds “%(name)s”, which no archive of Limber does. Nothing was written.")
                % {"name": _shown(info.name)}
            )
        if not rules.is_known(name):
            raise newer(name)
        self._index.execute("INSERT INTO entry VALUES (?, ?, ?, NULL)", (name, info.offset_data, info.size))
        if info.offset_data + info.size > self.bytes:
            raise tarfile.ReadError("cut")

    def _read_about(self) -> None:
        about = self.json(rules.ABOUT)
        if not isinstance(about, dict) or not isinstance(about.get("format"), int):
            raise BadArchive(_("%(name)s in this archive cannot be read.") % {"name": rules.ABOUT})
        if about["format"] > rules.FORMAT:
            raise newer(f"format {about['format']}")
        self.about = about

    def _read_sums(self) -> None:
        self._index.execute("BEGIN")
        sums = self.find(rules.SUMS)
        for line in self.lines(sums) if sums else ():
            found = _SUM.fullmatch(line)
            name = found[2].decode("utf-8", "replace") if found else ""
            changed = self._index.execute(
                "UPDATE entry SET sha256 = ? WHERE name = ? AND sha256 IS NULL",
                (found[1].decode() if found else "", name),
            )
            if not found or changed.rowcount != 1:
                raise BadArchive(
                    _("The list of this archive names “%(name)s”, which is not in it.")
                    % {"name": _shown(name)}
                )
        self._index.execute("COMMIT")
        extra = self._index.execute(
            "SELECT name FROM entry WHERE sha256 IS NULL AND name <> ? LIMIT 1", (rules.SUMS,)
        ).fetchone()
        if extra:
            raise BadArchive(
                _("This archive holds “%(name)s”, which its own list does not name. Nothing was written.")
                % {"name": _shown(extra[0])}
            )

    def _cut(self) -> BadArchive:
        if self.find(rules.ABOUT) is None:
            return BadArchive(_("This is no archive of `limber export`, or only a piece of one."))
        return BadArchive(_("This archive ends in its middle: it was not copied whole. Nothing was written."))


def _shown(name: str) -> str:
    """A hostile name as a part of one line."""
    return "".join(letter if letter.isprintable() else "·" for letter in name[:120])


def newer(what: str) -> BadArchive:
    return BadArchive(
        _("This archive was made by a newer Limber (%(what)s). Update this one first.")
        % {"what": _shown(what)}
    )
