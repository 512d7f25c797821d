"""What `converge` has lived so far: a file of waves, one JSON line each, and what they say together."""

import argparse
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.front_door import ROOT

LIVES, WAVE = 300, 100
COUNTED = ("lives", "events", "deliveries", "dropped", "killed", "stale")

Wave = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """Lives of the seeds `first` to `first + count - 1`. `minutes`: after so many no other wave is begun (0: never)."""

    first: int
    count: int
    minutes: float
    ledger: Path | None

    @classmethod
    def read(cls, words: list[str], drawn: int) -> "Options":
        """From the command line; `drawn`: the first seed where none is named."""
        parser = argparse.ArgumentParser(prog="python -m bench converge", allow_abbrev=False)
        parser.add_argument("--from-seed", type=int, default=drawn)
        parser.add_argument("--count", "--lives", type=int, default=LIVES)
        parser.add_argument("--minutes", type=float, default=0)
        parser.add_argument("--ledger", type=Path, default=None, help="write it as --ledger=FILE")
        given, _others = parser.parse_known_args(words)
        return cls(given.from_seed, given.count, given.minutes, given.ledger)

    @property
    def seeds(self) -> range:
        return range(self.first, self.first + self.count)


class Ledger:
    """Waves as they end: kept in `path` over several runs, or for this one only where there is no path."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.began = time.monotonic()
        self._lock = threading.Lock()
        self._waves: list[Wave] = []
        if path is not None and path.exists():
            self._waves = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
        self._old = len(self._waves)
        self._revision = revision()

    def waves(self) -> list[Wave]:
        """All of them, the oldest first."""
        return list(self._waves)

    def write(self, wave: Wave) -> None:
        """Keep a wave, and tell it."""
        with self._lock:
            wave = {**wave, "revision": self._revision}
            self._waves.append(wave)
            if self.path is not None:
                with self.path.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(wave) + "\n")
            lived = sum(one.get("lives", 0) for one in self._waves[self._old :])
            rate = 60 * lived / (time.monotonic() - self.began)
            shown = {name: value for name, value in wave.items() if name not in ("seeds", "revision")}
            print(f"{lived} lives, {rate:.0f} a minute: {json.dumps(shown)}", file=sys.stderr, flush=True)


@dataclass
class Total:
    """`differing`, `unhealed`: seed → what both said. `revisions`: the commits that the waves were lived at."""

    counts: dict[str, int]
    differing: dict[str, Any] = field(default_factory=dict)
    unhealed: dict[str, Any] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    revisions: list[str] = field(default_factory=list)


def _ours(options: Options, waves: Iterable[Wave]) -> list[Wave]:
    """A wave that has seeds of others too cannot be divided, and is not ours."""
    wanted = set(options.seeds)
    return [wave for wave in waves if wanted.issuperset(wave["seeds"])]


def left_to_live(options: Options, waves: Iterable[Wave]) -> list[list[int]]:
    """The seeds that no wave has, in waves. Pure."""
    done = {seed for wave in _ours(options, waves) if "failed" not in wave for seed in wave["seeds"]}
    left = [seed for seed in options.seeds if seed not in done]
    return [left[start : start + WAVE] for start in range(0, len(left), WAVE)]


def summed(options: Options, waves: Iterable[Wave]) -> Total:
    """The waves of these seeds together; a seed counts once, and no wave that failed is left out. Pure.

    Raises:
        ValueError: for a file in which a seed was lived twice, whose sum would count it twice.
    """
    ours = _ours(options, waves)
    often = Counter(seed for wave in ours if "failed" not in wave for seed in wave["seeds"])
    if twice := [seed for seed, times in often.items() if times > 1]:
        raise ValueError(f"the seeds {twice[:5]} were lived more than once")
    total = Total({name: sum(wave.get(name, 0) for wave in ours) for name in COUNTED})
    for wave in ours:
        total.differing |= wave.get("differing", {})
        total.unhealed |= wave.get("unhealed", {})
        if "failed" in wave:
            total.failed.append(f"{wave['failed']}, seeds {wave['seeds'][:1]} to {wave['seeds'][-1:]}")
    total.revisions = sorted({wave["revision"] for wave in ours})
    return total


def revision() -> str:
    """The commit that is lived at, with a plus where files differ from it; empty without git."""
    told = subprocess.run(
        ["git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip()
