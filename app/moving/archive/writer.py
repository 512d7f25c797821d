"""Writes an archive: a plain tar file with the SHA-256 of every entry, in one pass and constant memory."""

import hashlib
import tarfile
import tempfile
from datetime import datetime
from types import TracebackType
from typing import BinaryIO, Self

from app.moving.archive import rules

BLOCK = tarfile.BLOCKSIZE
SPOOLED_BYTES = 4 * 2**20


class Writer:
    """An archive that is being written to `out`, which need not be seekable.

    Small entries are added whole; of large ones the size is told first (`begin`), then their pieces (`take`), `end`.
    """

    def __init__(self, out: BinaryIO, made_at: datetime) -> None:
        self._out = out
        self._made_at = int(made_at.timestamp())
        # By the names that whoever unpacks it sees: `sha256sum -c` reads this file.
        self._sums = tempfile.SpooledTemporaryFile(max_size=SPOOLED_BYTES)  # noqa: SIM115 (closed in __exit__)
        self._name, self._left, self._size = "", 0, 0
        self._digest = hashlib.sha256()
        self.entries = 0
        self.bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sums.close()

    def add(self, name: str, data: bytes) -> None:
        """One whole entry."""
        self.begin(name, len(data))
        self.take(data)
        self.end()

    def add_file(self, name: str, file: BinaryIO) -> None:
        """One entry out of a file, from its beginning."""
        size = file.seek(0, 2)
        file.seek(0)
        self.begin(name, size)
        while piece := file.read(2**20):
            self.take(piece)
        self.end()

    def begin(self, name: str, size: int) -> None:
        if not rules.is_safe(name):
            raise ValueError(f"not a name for an archive: {name!r}")
        self._name, self._left, self._size = name, size, size
        self._digest = hashlib.sha256()
        self._header(name, size)

    def take(self, piece: bytes) -> None:
        """
        Raises:
            ValueError: more came than was announced.
        """
        self._left -= len(piece)
        if self._left < 0:
            raise ValueError(f"{self._name} grew while it was read")
        self._digest.update(piece)
        self._write(piece)

    def end(self) -> None:
        """
        Raises:
            ValueError: less came than was announced.
        """
        if self._left:
            raise ValueError(f"{self._name} lacks {self._left} bytes")
        self._pad(self._size)
        self._sums.write(f"{self._digest.hexdigest()}  {self._name}\n".encode())
        self.entries += 1

    def finish(self) -> None:
        """The list of sums and the end of the archive."""
        size = self._sums.seek(0, 2)
        self._sums.seek(0)
        self._header(rules.SUMS, size)
        while piece := self._sums.read(2**20):
            self._write(piece)
        self._pad(size)
        self._write(b"\0" * (2 * BLOCK))

    def _header(self, name: str, size: int) -> None:
        info = tarfile.TarInfo(f"{rules.FOLDER}/{name}")
        info.size, info.mtime, info.mode = size, self._made_at, 0o600
        self._write(info.tobuf(tarfile.PAX_FORMAT))

    def _pad(self, size: int) -> None:
        self._write(b"\0" * (-size % BLOCK))

    def _write(self, data: bytes) -> None:
        self._out.write(data)
        self.bytes += len(data)
