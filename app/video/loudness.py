"""How loud a film is, and what brings it to the loudness that all films of a course share."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from app.video.bounded import scaled
from app.video.ffmpeg import BOUNDS, ffmpeg, reading
from app.video.graph import in_stereo
from app.video.source import Source

# What streaming services and phones aim at for speech. Source: AES TD1004.1.15-10, 4 (-16 to -20 LUFS).
TARGET_LUFS = -16.0
# Room noise is not made into a voice.
MOST_GAIN_DB = 20.0
SILENT_LUFS = -60.0
# Samples stay below this, so that what is heard between them stays below full scale.
PEAK_DBFS = -1.5
CPU_PER_FILM_S = 2
# Over a whole film one side of what people record is not so much quieter than the other: from 18 dB on everything is
# heard on one side, and an input without a microphone lies 30 to 60 dB below a voice.
APART_DB = 25.0
_LOUDNESS = re.compile(r"^\s*I:\s+(-?[\d.]+|-inf) LUFS", re.MULTILINE)
_PEAK = re.compile(r"^\s*Peak:\s+(-?[\d.]+|-inf) dBFS", re.MULTILINE)
_LEVEL = re.compile(r"RMS level dB: (-?[\d.]+|-inf)$", re.MULTILINE)
# As many decibels less for each channel as a second one adds.
HALF = math.sqrt(0.5)


@dataclass(frozen=True)
class Sides:
    """How loud left, right and their sum are over the whole film (RMS, dBFS); the sum is halved, as mono plays it."""

    left_db: float
    right_db: float
    mono_db: float

    def filters(self) -> list[str]:
        """What is on one side only comes to both, and what a single loudspeaker would cancel is turned round.

        A microphone on one channel of a recorder, and a balanced one on a stereo input. The loudness stays as measured.
        """
        if self.left_db - self.right_db >= APART_DB:
            return [f"pan=stereo|c0={HALF:.5f}*c0|c1={HALF:.5f}*c0"]
        if self.right_db - self.left_db >= APART_DB:
            return [f"pan=stereo|c0={HALF:.5f}*c1|c1={HALF:.5f}*c1"]
        if min(self.left_db, self.right_db) - self.mono_db >= APART_DB:
            return ["pan=stereo|c0=c0|c1=-1*c1"]
        return []


@dataclass(frozen=True)
class Loudness:
    """Integrated loudness in LUFS and the largest sample in dBFS.

    `is_uneven`: the number of channels or the rate changes in the middle, and what was measured is not the whole.
    Source: EBU R 128, ITU-R BS.1770.
    """

    lufs: float
    peak_dbfs: float
    is_uneven: bool = False
    sides: Sides | None = None

    @property
    def is_silent(self) -> bool:
        return not math.isfinite(self.lufs) or self.lufs <= SILENT_LUFS

    @property
    def gain_db(self) -> float:
        if self.is_silent:
            return 0.0
        return min(TARGET_LUFS - self.lufs, MOST_GAIN_DB)

    def filters(self) -> list[str]:
        """Filters that bring the sound to TARGET_LUFS; one gain for the whole film, so that quiet stays quiet."""
        gain_db = self.gain_db
        steps = self.sides.filters() if self.sides and not self.is_silent else []
        steps += [f"volume={gain_db:.2f}dB"] if gain_db else []
        if self.peak_dbfs + gain_db > PEAK_DBFS:
            # Its look-ahead is taken back, or lips and voice would part.
            steps.append(f"alimiter=limit={10 ** (PEAK_DBFS / 20):.4f}:level=disabled:latency=1")
        return steps


async def measure(path: Path, source: Source) -> Loudness | None:
    """The loudness of a film's sound as it will be heard (stereo); None when it has none.

    Raises:
        Unusable, EncodingFailed: see `ffmpeg`.
    """
    if source.audio_index is None:
        return None
    heard = f"[0:{source.audio_index}]{in_stereo(source)}aformat=channel_layouts=stereo"
    whole = "ebur128=framelog=quiet:peak=sample[heard]"
    # Three channels: left, right, and what a telephone's only loudspeaker makes of them.
    each = (
        "pan=3c|c0=c0|c1=c1|c2=0.5*c0+0.5*c1,astats=measure_overall=none:measure_perchannel=RMS_level[sides]"
    )
    graph = f"{heard},asplit[a][b];[a]{whole};[b]{each}"
    ran = await ffmpeg(
        [
            *("-loglevel", "info"),
            *reading(path, source.demuxer),
            *("-filter_complex", graph, "-map", "[heard]", "-map", "[sides]", "-f", "null", "-"),
        ],
        film_s=source.duration_s,
        bounds=scaled(BOUNDS, source.duration_s, CPU_PER_FILM_S),
    )
    lufs, peak = _LOUDNESS.search(ran.last_words), _PEAK.search(ran.last_words)
    if lufs is None or peak is None:
        # Sound of no length: there is nothing to bring anywhere.
        return None
    # Where ffmpeg begins its filters anew, each time has its own summary.
    is_uneven = len(_LOUDNESS.findall(ran.last_words)) > 1
    levels = [float(level) for level in _LEVEL.findall(ran.last_words)]
    sides = Sides(*levels) if len(levels) == len(Sides.__dataclass_fields__) else None
    return Loudness(float(lufs.group(1)), float(peak.group(1)), is_uneven, sides)
