"""Cut a film into chunks that any number of workers encode side by side and that join without a seam (pure)."""

import math
from dataclasses import dataclass
from fractions import Fraction

from app.video.ladder import SEGMENT_S, Ladder
from app.video.source import Source

# The first is short, so that the beginning can be watched soon; the others are long, because each decodes a little
# that the one before it decodes too. All begin where a segment does.
FIRST_S = 24
CHUNK_S = 60
# An end that is shorter than this belongs to the chunk before it.
LEAST_S = 12
# Decoded before a chunk's first picture: what refers to earlier pictures is whole by then.
LEAD_S = 2
# Readers that find a moment exactly. What MPEG-TS finds differs by pictures (170 of 1,199 in a trial).
EXACT_DEMUXERS = frozenset({"mov", "matroska"})


@dataclass(frozen=True)
class Chunk:
    """Some of a film's pictures, counted at the ladder's rate. `frames` is None for the last: to the film's end."""

    number: int
    start_s: int
    first_frame: int
    frames: int | None
    rate: tuple[int, int]
    # Read from a copy of the film's pictures (`remux.py`), which keeps the film's own clock.
    is_copied: bool = False

    @property
    def first_segment(self) -> int:
        """Number of its first segment in the whole stream, from 1."""
        return self.start_s // SEGMENT_S + 1

    @property
    def first_frame_s(self) -> Fraction:
        """When its first picture is shown: at `start_s`, or less than one picture later."""
        return Fraction(self.first_frame * self.rate[1], self.rate[0])

    @property
    def late_s(self) -> Fraction:
        return self.first_frame_s - self.start_s

    def most_frames(self, picture_s: float) -> int:
        """So many it may have. The last picture of a film can be longer than an edit list lets it be shown."""
        if self.frames is not None:
            return self.frames
        return max(1, math.floor(picture_s * self.rate[0] / self.rate[1] + 0.5) - self.first_frame)

    def length_s(self, film_s: float) -> float:
        """Seconds of film in it."""
        if self.frames is None:
            return film_s - float(self.first_frame_s)
        return self.frames * self.rate[1] / self.rate[0]


def starts(film_s: float) -> list[int]:
    """Where the chunks of a film begin, in seconds."""
    found = [0]
    start_s = FIRST_S
    while start_s + LEAST_S <= film_s:
        found.append(start_s)
        start_s += CHUNK_S
    return found


def cut(source: Source, ladder: Ladder, *, is_copied: bool = False) -> tuple[Chunk, ...]:
    """The chunks of a film in order; one where its container cannot be entered in the middle and there is no copy."""
    is_entered = is_copied or source.demuxer in EXACT_DEMUXERS
    begins = starts(source.picture_s) if is_entered else [0]
    frames = [first_frame(start_s, ladder.rate) for start_s in begins]
    ends: list[int | None] = [*frames[1:], None]
    return tuple(
        Chunk(number, start_s, frame, None if end is None else end - frame, ladder.rate, is_copied)
        for number, (start_s, frame, end) in enumerate(zip(begins, frames, ends, strict=True))
    )


def first_frame(at_s: int, rate: tuple[int, int]) -> int:
    """Number of the first picture that is shown at `at_s` or later."""
    return math.ceil(Fraction(at_s * rate[0], rate[1]))
