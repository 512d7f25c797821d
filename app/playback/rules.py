"""What a saved place means: when a lesson counts as watched, and where it goes on: pure."""

from dataclasses import dataclass

FINISHED_SHARE = 0.9


@dataclass(frozen=True)
class Mark:
    """Where to go on (seconds), and whether the lesson counts as watched."""

    position_s: float
    is_finished: bool


def mark(position_s: float, duration_s: float) -> Mark:
    """At nine tenths a lesson is watched, and the next viewing begins at the beginning."""
    position_s = min(max(position_s, 0.0), max(duration_s, 0.0))
    if duration_s > 0 and position_s >= FINISHED_SHARE * duration_s:
        return Mark(0.0, True)
    return Mark(position_s, False)
