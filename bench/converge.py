"""`converge`: members' lives drawn from seeds, their events shuffled and repeated, workers killed: nothing may differ.

What the oracle in `tests/billing/oracle.py` tells from the stand-in's objects, Limber must tell too: after every event
has come, and after a fifth of the later ones never came and one reconciliation was made.

Without words 300 lives from a drawn seed. The goal is ten thousand, which is hours: they can be lived in windows.
`--from-seed 0 --count 10000 --minutes 60 --ledger=FILE` goes on where the file ends, writes each wave into it, begins
no other wave after an hour, and answers with the sum of all that the file has of these seeds. A wave that failed stays
in the file and in the answer until somebody has understood it, and its seeds are lived again.
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

from bench.converge_ledger import Ledger, Options, Wave, left_to_live, summed
from bench.front_door import ROOT
from bench.workshop import workshop

ALL_LIVES, LANES = 10_000, 1
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


def run_lane(url: str, folder: Path, seeds: list[list[int]], minutes: float, ledger: Ledger) -> None:
    """One lane in a process of its own; its waves are told, and written down, as they come."""
    folder.mkdir()
    command = [sys.executable, "-m", "bench.converge_lane", url, str(folder), str(minutes)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ.copy()
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(seeds))
    process.stdin.close()
    done = 0
    for line in process.stdout:
        with contextlib.suppress(ValueError):
            ledger.write(json.loads(line))
            done += 1
    if process.wait() != 0:
        lost = seeds[done] if done < len(seeds) else []
        ledger.write({"seeds": lost, "failed": f"the lane ended with {process.returncode}"})


def run() -> dict[str, Any]:
    """Each wave is told as it ends."""
    options = Options.read(sys.argv[1:], int(os.environ.get("LIMBER_SEED", random.randrange(10**6))))
    ledger = Ledger(options.ledger)
    before = ledger.waves()
    waiting = left_to_live(options, before)
    began = time.monotonic()
    if waiting:
        with workshop(*SETTINGS) as (url, folder):
            threads = []
            for number, address in enumerate(lanes(url, LANES)):
                work = (address, folder / f"lane{number}", waiting[number::LANES], options.minutes, ledger)
                threads.append(threading.Thread(target=run_lane, args=work, daemon=True))
                threads[-1].start()
            for thread in threads:
                thread.join()
    took_s = time.monotonic() - began
    waves = ledger.waves()
    lived_now = sum(wave.get("lives", 0) for wave in waves[len(before) :])
    return {
        **told(options, waves),
        "lives_now": lived_now,
        "lives_per_minute_now": round(60 * lived_now / took_s, 1) if took_s > 1 else 0,
        "took_s": round(took_s),
    }


def told(options: Options, waves: list[Wave]) -> dict[str, Any]:
    """What all waves of these seeds say together."""
    total = summed(options, waves)
    for seed, words in {**total.differing, **total.unhealed}.items():
        print(f"seed {seed}: {words}", file=sys.stderr)
    wrong = len(total.differing) + len(total.unhealed)
    return {
        "ratio": wrong,
        "goal": 0,
        "met": wrong == 0 and not total.failed and total.counts["lives"] == options.count,
        "lives_goal": ALL_LIVES,
        "first_seed": options.first,
        "differing": len(total.differing),
        "unhealed": len(total.unhealed),
        "stale_before_reconcile": total.counts.pop("stale"),
        **total.counts,
        "failed": total.failed,
        "revisions": total.revisions,
    }
