"""How loud a film is, and what brings it to the loudness that all films of a course share."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from app.video.bounded import scaled
from app.video.ffmpeg import BOUNDS, ffmpeg, reading
from app.video.source import Source

# What streaming services and phones aim at for speech. Source: AES TD1004.1.15-10, 4 (-16 to -20 LUFS).
TARGET_LUFS = -16.0
# Room noise is not made into a voice.
MOST_GAIN_DB = 20.0
SILENT_LUFS = -60.0
# Samples stay below this, so that what is heard between them stays below full scale.
PEAK_DBFS = -1.5
CPU_PER_FILM_S = 2
_LOUDNESS = re.compile(r"^\s*I:\s+(-?[\d.]+|-inf) LUFS", re.MULTILINE)
_PEAK = re.compile(r"^\s*Peak:\s+(-?[\d.]+|-inf) dBFS", re.MULTILINE)


@dataclass(frozen=True)
class Loudness:
    """Integrated loudness in LUFS and the largest sample in dBFS.

    `is_uneven`: the number of channels or the rate changes in the middle, and what was measured is not the whole.
    Source: EBU R 128, ITU-R BS.1770.
    """

    lufs: float
    peak_dbfs: float
    is_uneven: bool = False

    @property
    def gain_db(self) -> float:
        if not math.isfinite(self.lufs) or self.lufs <= SILENT_LUFS:
            return 0.0
        return min(TARGET_LUFS - self.lufs, MOST_GAIN_DB)

    def filters(self) -> list[str]:
        """Filters that bring the sound to TARGET_LUFS; one gain for the whole film, so that quiet stays quiet."""
        gain_db = self.gain_db
        steps = [f"volume={gain_db:.2f}dB"] if gain_db else []
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
    graph = (
        f"[0:{source.audio_index}]aformat=channel_layouts=stereo,ebur128=framelog=quiet:peak=sample[heard]"
    )
    ran = await ffmpeg(
        [
            *("-loglevel", "info"),
            *reading(path, source.demuxer),
            *("-filter_complex", graph, "-map", "[heard]", "-f", "null", "-"),
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
    return Loudness(float(lufs.group(1)), float(peak.group(1)), is_uneven)
