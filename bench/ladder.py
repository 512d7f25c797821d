"""`ladder`: CPU of all that a worker does for a film, of that of one bare ffmpeg encode of its top rung."""

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from app.video.ffmpeg import binary, threads
from app.video.graph import CRF, ENCODER_THREADS, EVENNESS, PRESET
from app.video.ladder import AUDIO_BPS, GOP_S, Rung
from bench import films
from bench.encoding import Made, cpu_s, make

LENGTH_S = 60
FILM_GOAL, LECTURE_GOAL, COPIED_GOAL = 1.75, 2.0, 0.95


def bare(path: Path, rung: Rung, fps: float, out: Path) -> float:
    """CPU seconds of one plain encode at our preset, quality and cap, with sound, into one MP4."""
    picture = ["-c:v", "libx264", "-preset", PRESET, "-crf", str(CRF), "-aq-strength", str(EVENNESS),
               "-maxrate", str(rung.max_bps), "-bufsize", str(GOP_S * rung.max_bps), "-g", str(round(GOP_S * fps)),
               "-sc_threshold", "0", "-pix_fmt", "yuv420p", "-threads", str(ENCODER_THREADS)]  # fmt: skip
    sound = ["-c:a", "aac", "-b:a", str(AUDIO_BPS), "-ac", "2"]
    reading = [binary(), "-v", "error", "-nostdin", "-threads", str(threads()), "-i", str(path)]
    before = cpu_s()
    subprocess.run([*reading, *picture, *sound, str(out)], check=True, timeout=1800)
    return cpu_s() - before


def compared(path: Path, folder: Path) -> tuple[float, float, Made]:
    """The whole pipeline's CPU and that of its pictures and sound alone, each of the bare encode's."""
    folder.mkdir()
    made = make(path, folder)
    alone_s = bare(path, made.ladder.top, made.ladder.fps, folder / "bare.mp4")
    encodes_s = made.steps_s["pictures"] + made.steps_s["sound"]
    return made.total_s / alone_s, encodes_s / alone_s, made


def run() -> dict[str, Any]:
    """A minute of film, of lecture, and of film whose top rung is copied, 1080p30; five to eight minutes."""
    told: dict[str, Any] = {}
    ratios = []
    for kind, path, goal in (
        ("film", films.film(LENGTH_S), FILM_GOAL),
        ("lecture", films.lecture(LENGTH_S), LECTURE_GOAL),
        ("copied", films.as_rung(films.film(LENGTH_S)), COPIED_GOAL),
    ):
        with tempfile.TemporaryDirectory(prefix="limber-bench-") as scratch:
            whole, encodes, made = compared(path, Path(scratch) / "made")
        if made.is_top_copied != (kind == "copied"):
            raise RuntimeError(f"the top rung of the {kind} was not made as it was to be")
        ratios.append(whole / goal)
        told[kind] = round(whole, 3)
        told[f"{kind}_goal"] = goal
        told[f"{kind}_encodes_alone"] = round(encodes, 3)
        told[f"{kind}_cpu_s"] = {step: round(seconds, 2) for step, seconds in made.steps_s.items()}
    ratio = max(ratios)
    return {"ratio": round(ratio, 3), "goal": 1.0, "met": ratio <= 1.0, **told}
