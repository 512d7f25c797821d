"""Decide, from what a source film is, in which sizes it is offered: never larger than it was shot."""

from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any, Self

from app.video.source import Source

SEGMENT_S = 6
GOP_S = 2
AUDIO_BPS = 128_000
MOST_FPS = 60
LEAST_FPS = 5
SLOW_FPS = 10
# Short side in pixels, cap in bits per second at up to 30 frames per second.
STEPS = ((1080, 5_000_000), (720, 2_800_000), (480, 1_400_000), (360, 800_000))
# A source between two steps keeps its own size as the top rung when it is larger by this than the lower.
OWN_SIZE_GAIN = 1.1
WIDEST = Fraction(64, 27)


@dataclass(frozen=True)
class Rung:
    """One size of the film. `max_bps` caps its bit rate over a window of two seconds."""

    name: str
    width_px: int
    height_px: int
    max_bps: int

    @property
    def folder(self) -> str:
        return "v" + self.name.removesuffix("p")


@dataclass(frozen=True)
class Ladder:
    """The rungs, largest first, and the constant rate (frames per second, exact) that all of them share."""

    rungs: tuple[Rung, ...]
    rate: tuple[int, int]

    @property
    def fps(self) -> float:
        return self.rate[0] / self.rate[1]

    @property
    def frame_s(self) -> float:
        return self.rate[1] / self.rate[0]

    @property
    def top(self) -> Rung:
        return self.rungs[0]

    @property
    def lowest(self) -> Rung:
        return self.rungs[-1]

    def below_top(self) -> Self:
        """The same without its largest rung, which is none of an encoder's business when it was copied."""
        return replace(self, rungs=self.rungs[1:])

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        rungs = tuple(Rung(**rung) for rung in facts["rungs"])
        return cls(rungs=rungs, rate=(int(facts["rate"][0]), int(facts["rate"][1])))


def plan(source: Source) -> Ladder:
    """The ladder for a source: steps not larger than it, or its own size when it is smaller than them all."""
    rate = _rate(Fraction(*source.rate))
    haste = 1.5 if rate > 40 else 1.0
    short = min(source.width_px, source.height_px)
    steps = [(step, cap) for step, cap in STEPS if step <= short]
    if not steps or (short < STEPS[0][0] and short >= steps[0][0] * OWN_SIZE_GAIN):
        steps.insert(0, (short, _cap(short)))
    rungs = tuple(_rung(source, step, round(cap * haste)) for step, cap in steps)
    return Ladder(rungs=rungs, rate=(rate.numerator, rate.denominator))


def _rate(rate: Fraction) -> Fraction:
    while rate > MOST_FPS:
        rate /= 2
    # So slow a rate is whole: a chunk's clock and the film's then agree to the picture.
    return rate if rate >= SLOW_FPS else Fraction(max(round(rate), LEAST_FPS))


def _cap(short_px: int) -> int:
    """A cap for a size between the steps, by area against the next step above it."""
    step, cap = min((pair for pair in STEPS if pair[0] >= short_px), default=STEPS[0])
    return max(200_000, round(cap * float((short_px / step) ** 1.5)))


def _rung(source: Source, short_px: int, max_bps: int) -> Rung:
    long_side, short_side = max(source.width_px, source.height_px), min(source.width_px, source.height_px)
    scale = Fraction(short_px, short_side)
    # A very wide film is as wide as a cinema screen of that height, not wider.
    scale = min(scale, max(short_px, STEPS[-1][0]) * WIDEST / long_side)
    width, height = (_even(source.width_px * scale), _even(source.height_px * scale))
    return Rung(name=f"{short_px}p", width_px=width, height_px=height, max_bps=max_bps)


def _even(size: Fraction) -> int:
    return max(2, int(size) // 2 * 2 if size.denominator == 1 else round(size / 2) * 2)
