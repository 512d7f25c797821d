"""`converge`: members' lives drawn from seeds, their events shuffled and repeated, workers killed: nothing may differ.

The goal is ten thousand lives (`--lives 10000`, or LIMBER_LIVES: hours); without that 300. What the oracle in
`tests/billing/oracle.py` tells from the stand-in's objects, Limber must tell too: after every event has come, and after
a fifth of the later ones never came and one reconciliation was made.
"""

import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psycopg

from bench.front_door import ROOT
from bench.workshop import workshop

LIVES, ALL_LIVES, LANES, WAVE = 300, 10_000, 1, 40
MOST_S = 6 * 3600
# A kill is no power cut: what PostgreSQL was told stays told without waiting for the disk, as in the tests.
SETTINGS = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "max_connections = 600")


def lanes(url: str, count: int) -> list[str]:
    """The addresses of so many migrated, empty databases on one server."""
    found = []
    with psycopg.connect(url, autocommit=True) as connection:
        (name,) = connection.execute("SELECT current_database()").fetchone() or ("",)
    # From another database: one that somebody is connected to is no template.
    head, _slash, tail = url.partition("@/")
    other = f"{head}@/template1{tail.removeprefix(name)}"
    with psycopg.connect(other, autocommit=True) as connection:
        for number in range(count):
            connection.execute(f'CREATE DATABASE lane{number} TEMPLATE "{name}"'.encode())
            found.append(f"{head}@/lane{number}{tail.removeprefix(name)}")
    return found


def run_lane(url: str, folder: Path, first: int, count: int, waves: list[dict[str, Any]]) -> None:
    """One lane in a process of its own; its waves are told as they come."""
    folder.mkdir()
    command = [
        sys.executable,
        "-m",
        "bench.converge_lane",
        url,
        str(folder),
        str(first),
        str(count),
        str(WAVE),
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ.copy())
    assert process.stdout is not None
    for line in process.stdout:
        with contextlib.suppress(ValueError):
            seen = json.loads(line)
            waves.append(seen)
            print(f"lives {first + sum_of(waves, 'lives') - 1}: {line.strip()}", file=sys.stderr, flush=True)
    if process.wait() != 0:
        waves.append({"failed": f"the lane of seed {first} ended with {process.returncode}"})


def sum_of(waves: list[dict[str, Any]], name: str) -> int:
    return sum(int(wave.get(name, 0)) for wave in waves)


def wanted() -> int:
    """How many lives: `--lives N`, or LIMBER_LIVES, or 300."""
    if "--lives" in sys.argv:
        return int(sys.argv[sys.argv.index("--lives") + 1])
    return int(os.environ.get("LIMBER_LIVES", LIVES))


def run() -> dict[str, Any]:
    """Each wave is told as it ends."""
    count = wanted()
    first = int(os.environ.get("LIMBER_SEED", random.randrange(10**6)))
    began = time.monotonic()
    found: list[list[dict[str, Any]]] = [[] for _number in range(LANES)]
    with workshop(*SETTINGS) as (url, folder):
        share = -(-count // LANES)
        threads = []
        for number, (address, waves) in enumerate(zip(lanes(url, LANES), found, strict=True)):
            start, lives = first + number * share, min(share, count - number * share)
            work = (address, folder / f"lane{number}", start, lives, waves)
            threads.append(threading.Thread(target=run_lane, args=work, daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join(MOST_S)
    waves = [wave for lane in found for wave in lane]
    took_s = time.monotonic() - began
    differing = {seed: words for wave in waves for seed, words in wave.get("differing", {}).items()}
    unhealed = {seed: words for wave in waves for seed, words in wave.get("unhealed", {}).items()}
    for seed, words in {**differing, **unhealed}.items():
        print(f"seed {seed}: {words}", file=sys.stderr)
    failed = [wave["failed"] for wave in waves if "failed" in wave]
    lived = sum_of(waves, "lives")
    wrong = len(differing) + len(unhealed)
    return {
        "ratio": wrong,
        "goal": 0,
        "met": wrong == 0 and not failed and lived == count,
        "lives": lived,
        "lives_goal": ALL_LIVES,
        "first_seed": first,
        "differing": len(differing),
        "unhealed": len(unhealed),
        "stale_before_reconcile": sum_of(waves, "stale"),
        "events": sum_of(waves, "events"),
        "deliveries": sum_of(waves, "deliveries"),
        "never_delivered": sum_of(waves, "dropped"),
        "workers_killed": sum_of(waves, "killed"),
        "failed": failed,
        "lives_per_s": round(lived / took_s, 2),
        "took_s": round(took_s),
    }
