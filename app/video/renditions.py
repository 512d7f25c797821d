"""A finished rendition on disk: its initialisation file, its segments, and its bytes joined into one film."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Self

from app.video import hls, mp4
from app.video.graph import INIT, PLAYLIST

CHUNK_BYTES = 2**18


@dataclass(frozen=True)
class KeyFrame:
    """A picture that is coded by itself: which segment it is in (number from 0), and when it is shown."""

    segment: int
    at_s: Fraction

    @property
    def at_ms(self) -> int:
        return round(self.at_s * 1000)


@dataclass(frozen=True)
class Rendition:
    """The folder of one rung, or of the sound, with its segments in order."""

    folder: Path
    segments: tuple[hls.Segment, ...]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the playlist in `folder` and the size of each file that it names.

        Raises:
            hls.Unreadable, mp4.Malformed, FileNotFoundError: the playlist or the initialisation file is broken,
                or a file is missing.
        """
        mp4.check_whole(folder / INIT)
        listed = hls.parse_media((folder / PLAYLIST).read_text())
        sized = (replace(segment, size_bytes=(folder / segment.uri).stat().st_size) for segment in listed)
        return cls(folder=folder, segments=tuple(sized))

    @property
    def init(self) -> bytes:
        return (self.folder / INIT).read_bytes()

    @property
    def size_bytes(self) -> int:
        return sum(segment.size_bytes for segment in self.segments)

    @property
    def duration_s(self) -> float:
        return sum(segment.duration_s for segment in self.segments)

    def key_frames(self) -> list[KeyFrame]:
        """In order; from the index of each segment, without its pictures.

        Raises:
            mp4.Malformed, FileNotFoundError: a segment is broken or missing.
        """
        init = self.init
        ticks = mp4.timescale(init)
        return [
            KeyFrame(number, Fraction(tick, ticks))
            for number, segment in enumerate(self.segments)
            for tick in mp4.fragment(self.folder / segment.uri, init).key_ticks
        ]

    async def joined(self, only: Sequence[int] | None = None) -> AsyncIterator[bytes]:
        """The bytes of the whole rendition, or of some of its segments (numbers from 0), as one fragmented MP4."""
        chosen = self.segments if only is None else [self.segments[number] for number in only]
        for name in (INIT, *(segment.uri for segment in chosen)):
            with await asyncio.to_thread((self.folder / name).open, "rb") as file:
                while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                    yield chunk
