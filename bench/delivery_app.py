"""`delivery-app`: the same addresses from uvicorn alone, against a bare FileResponse and a bare route on another."""

import asyncio
import statistics
import sys
from pathlib import Path
from typing import Any

from bench.delivery import VIEWINGS, write_addresses
from bench.load import Load, load
from bench.streams import serving, viewings
from bench.workshop import workshop

GOAL = 0.95
SMALL_GOAL = 0.8
ROUNDS = 5
SECONDS = 3
# Of small files: the speed of a machine wanders within a minute, and by more than what is to be told.
SMALL_ROUNDS = 30
SMALL_SECONDS = 1
Side = tuple[str, Path, int]


def alternated(
    connections: int, ours: Side, theirs: Side, rounds: int, seconds: int
) -> tuple[list[Load], list[Load]]:
    """Both, turn by turn; one server idles while the other works. The first round warms them.

    Raises:
        RuntimeError: an answer was no 2xx.
    """
    seen: tuple[list[Load], list[Load]] = ([], [])
    for number in range(rounds + 1):
        for kept, (origin, paths, pid) in zip(seen, (ours, theirs), strict=True):
            measured = load(origin, paths, connections, seconds if number else 1, [pid])
            if measured.wrong:
                raise RuntimeError(
                    f"{measured.wrong} of {measured.requests} answers to {paths.name} were wrong"
                )
            if number:
                kept.append(measured)
    return seen


def compared(
    connections: int, what: str, ours: Side, theirs: Side, rounds: int = ROUNDS, seconds: int = SECONDS
) -> dict[str, float]:
    """Ratio of the medians of `what` a second, and of CPU seconds for the same."""
    one, other = alternated(connections, ours, theirs, rounds, seconds)

    def median(loads: list[Load], name: str) -> float:
        return float(statistics.median(getattr(each, name) for each in loads))

    def cpu(loads: list[Load]) -> float:
        return float(statistics.median(each.cpu_s / each.requests for each in loads))

    return {
        "ratio": round(median(one, what) / median(other, what), 3),
        "ours": round(median(one, what)),
        "theirs": round(median(other, what)),
        "cpu_us_each": round(cpu(one) * 1e6),
        "their_cpu_us_each": round(cpu(other) * 1e6),
    }


def run() -> dict[str, Any]:
    """Measure on servers, a database and files of its own; about three minutes."""
    with workshop() as (database_url, folder):
        watching = asyncio.run(viewings(database_url, folder / "media", VIEWINGS))
        write_addresses(folder, watching)
        (folder / "bare-small").write_text("/small/x")
        with serving() as web, serving([sys.executable, "-m", "bench.bare_server"]) as bare:
            origin, other = f"http://127.0.0.1:{web.port}", f"http://127.0.0.1:{bare.port}"
            pairs = {
                f"c{many}": compared(
                    many,
                    "bytes_s",
                    (origin, folder / "signed-pairs", web.pid),
                    (other, folder / "plain-pairs", bare.pid),
                )
                for many in (16, 64)
            }
            small = compared(
                64,
                "requests_s",
                (origin, folder / "signed-small", web.pid),
                (other, folder / "bare-small", bare.pid),
                SMALL_ROUNDS,
                SMALL_SECONDS,
            )
    ratio = min(each["ratio"] for each in pairs.values())
    return {
        "ratio": ratio,
        "goal": GOAL,
        "met": ratio >= GOAL and small["ratio"] >= SMALL_GOAL,
        "small_ratio": small["ratio"],
        "small_goal": SMALL_GOAL,
        **pairs,
        "small_c64": small,
    }
