"""`storyboard`: CPU of the pictures that are shown while scrubbing, of that of the ladder they are taken from."""

import tempfile
from pathlib import Path
from typing import Any

from bench import films
from bench.encoding import make

GOAL = 0.01
LENGTH_S = 60


def run() -> dict[str, Any]:
    """A minute of film in 1080p, whose chunks are as long as those of any film; two minutes."""
    with tempfile.TemporaryDirectory(prefix="limber-bench-") as scratch:
        steps_s = make(films.film(LENGTH_S), Path(scratch)).steps_s
    ratio = steps_s["storyboard"] / steps_s["pictures"]
    return {
        "ratio": round(ratio, 4),
        "goal": GOAL,
        "met": ratio <= GOAL,
        "storyboard_cpu_s": round(steps_s["storyboard"], 2),
        "ladder_cpu_s": round(steps_s["pictures"], 2),
    }
