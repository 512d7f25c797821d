"""`delivery`: paid films through the shipped nginx, against the same nginx with the same files for anybody.

1,000 viewings, each with a token of its own, ask for a segment of pictures and one of sound in turn. Warm: a second of
files for anybody between two of ours. nginx forgets meanwhile too, so in each of ours half as many answers again run
out. Cold: each pair once, with a token that is new to nginx. It comes of a renewal, which is written down. Started: the
same at a nginx that was just started, to which viewings and the application are new as well; for this there is no goal.
Both sides stand in one server block, so logs, TLS and what else is shared are the same.
Files for anybody need no web process, so it is stopped while they are asked for: what it does unasked is ours to pay.
"""

import asyncio
import os
import signal
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import psycopg

from bench.front_door import FrontDoor, front_door
from bench.load import Load, load
from bench.streams import AUDIO, SMALL, VIDEO, Viewing, postmaster, serving, viewings
from bench.workshop import workshop

CONNECTIONS = (16, 64)
# Each is used up by being asked about.
COLD_ROUNDS = 24
# One lasts a second.
COLD_PLAIN = 3
# In these what is done once and what goes on by the clock falls into some and into others not.
STARTED_ROUNDS = 8
STARTED_CONNECTIONS = 64
COLD = [f"signed-cold-{many}-{number}" for many in CONNECTIONS for number in range(COLD_ROUNDS)]
STARTED = [f"signed-started-{number}" for number in range(STARTED_ROUNDS)]
GOAL = 0.95
CPU_GOAL = 1.25
SMALL_GOAL = 0.75
VIEWINGS = 1_000
# Many short ones: how the connections of one run happen to spread over nginx's workers moves its speed by up to 12 %
# however long it lasts, and a machine's own speed wanders within a minute.
ROUNDS = 40
SMALL_ROUNDS = 15
# File options are the server's, so both sides have them; what differs is the asking.
PLAIN = """
    location /plain/ {
        alias %s/;
        types { video/iso.segment m4s; }
        add_header Cache-Control "private, max-age=300";
    }
"""


@dataclass(frozen=True)
class Sides:
    """A front door, the files with addresses, whose CPU counts, and which of them is the web process."""

    origin: str
    folder: Path
    pids: list[int]
    web: int
    database_url: str
    log: Path

    def renew(self) -> None:
        """Write down that all players have just been given their tokens."""
        with psycopg.connect(self.database_url) as connection:
            connection.execute("UPDATE playback SET renewed_at = now()")

    def run(self, name: str, connections: int, seconds: int, *, once: bool = False) -> Load:
        """Raises: RuntimeError: an answer was no 2xx."""
        measured = load(self.origin, self.folder / name, connections, seconds, self.pids, once=once)
        if measured.wrong:
            raise RuntimeError(f"{measured.wrong} of {measured.requests} answers to {name} were wrong")
        return measured

    def alone(self, name: str, connections: int, seconds: int, *, once: bool = False) -> Load:
        """The same; files for anybody with the web process stopped."""
        if name.startswith("signed"):
            return self.run(name, connections, seconds, once=once)
        with stopped(self.web):
            return self.run(name, connections, seconds, once=once)

    def hit_rate(self) -> dict[str, float]:
        """How often nginx knew the answer about a token, by its own log; empties the log."""
        # nginx writes it down every 5 s.
        time.sleep(5.5)
        with self.log.open() as lines:
            seen = Counter(
                line.partition(" auth=")[2].partition(" ")[0] for line in lines if " auth=" in line
            )
        self.log.write_text("")
        asked = sum(seen.values())
        return {"rate": round(seen["HIT"] / asked, 4), "asked_app": asked - seen["HIT"], "requests": asked}


# A front door that has just been opened.
Front = Callable[[], AbstractContextManager[Sides]]


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process that gets no CPU for a while."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def write_addresses(folder: Path, watching: list[Viewing]) -> None:
    """Lists for wrk: pairs and small files, signed and for anybody; `signed-cold-…` with tokens of their own."""
    expires = int(time.time()) + 3600
    signed = [viewing.prefix(expires) for viewing in watching]
    plain = [viewing.folder for viewing in watching]
    for side, prefixes in (("signed", signed), ("plain", plain)):
        write_pairs(folder / f"{side}-pairs", prefixes)
        (folder / f"{side}-small").write_text("\n".join(prefix + SMALL for prefix in prefixes))
    (folder / "signed-first").write_text("\n".join([watching[0].prefix(expires + 9) + SMALL] * 2))
    for number, name in enumerate(COLD + STARTED):
        write_pairs(folder / name, [viewing.prefix(expires + 1 + number) for viewing in watching])


def write_pairs(place: Path, prefixes: list[str]) -> None:
    place.write_text("\n".join(prefix + name for prefix in prefixes for name in (VIDEO, AUDIO)))


def alternated(sides: Sides, kind: str, connections: int, rounds: int) -> tuple[list[Load], list[Load]]:
    """In each round a second of files for anybody between two of ours: both see the same drift of the machine."""
    sides.renew()
    signed, plain = [], []
    for side in ("plain", "signed"):
        sides.run(f"{side}-{kind}", connections, 2)
    for _ in range(rounds):
        before, between, after = (
            sides.alone(f"{side}-{kind}", connections, 1) for side in ("signed", "plain", "signed")
        )
        signed.append(mean([before, after]))
        plain.append(between)
    return signed, plain


def median(loads: Sequence[Load], what: str) -> float:
    return float(statistics.median(getattr(one, what) for one in loads))


def pairs_at(sides: Sides, connections: int) -> dict[str, float]:
    """Warm pairs at so many connections."""
    return compared(*alternated(sides, "pairs", connections, ROUNDS))


def once(sides: Sides, name: str, connections: int) -> tuple[Load, Load]:
    """Each of these pairs once, with tokens that are new to nginx, and then the pairs for anybody.

    That takes a second or less, so of those for anybody there is the mean of some. Before both there was load for a
    second: a machine that has slept is slow to begin with.
    """
    sides.renew()
    sides.run("plain-pairs", connections, 30, once=True)
    signed = sides.run(name, connections, 30, once=True)
    return signed, mean([sides.alone("plain-pairs", connections, 30, once=True) for _ in range(COLD_PLAIN)])


def cold_at(sides: Sides, connections: int) -> dict[str, float]:
    """Each pair once, in some rounds."""
    names = [f"signed-cold-{connections}-{number}" for number in range(COLD_ROUNDS)]
    return compared(*zip(*(once(sides, name, connections) for name in names), strict=True))


def just_started(front: Front) -> dict[str, float]:
    """The same, with a nginx that has met nobody in each round."""
    rounds = []
    for name in STARTED:
        with front() as sides:
            rounds.append(once(sides, name, STARTED_CONNECTIONS))
    return compared(*zip(*rounds, strict=True))


def mean(loads: list[Load]) -> Load:
    """One that stands for all, by speed and CPU for a GB."""
    return replace(
        loads[0],
        bytes_s=statistics.fmean(one.bytes_s for one in loads),
        requests_s=statistics.fmean(one.requests_s for one in loads),
        cpu_s=sum(one.cpu_s for one in loads),
        total_bytes=sum(one.total_bytes for one in loads),
    )


def of_rounds(signed: Sequence[Load], plain: Sequence[Load], what: str) -> tuple[float, float]:
    """The mean of the rounds' ratios, and how far off it may be (its standard error).

    A machine that changes its speed changes both sides of a round. Not the median, which moves more.
    """
    ratios = [getattr(ours, what) / getattr(theirs, what) for ours, theirs in zip(signed, plain, strict=True)]
    return statistics.fmean(ratios), statistics.stdev(ratios) / len(ratios) ** 0.5


def compared(signed: Sequence[Load], plain: Sequence[Load]) -> dict[str, float]:
    """Speed, and CPU seconds for a GB."""
    ratio, error = of_rounds(signed, plain, "bytes_s")
    return {
        "mb_s": round(median(signed, "bytes_s") / 1e6),
        "plain_mb_s": round(median(plain, "bytes_s") / 1e6),
        "ratio": round(ratio, 3),
        "ratio_error": round(error, 3),
        "cpu_s_per_gb": round(median(signed, "cpu_s_per_gb"), 3),
        "plain_cpu_s_per_gb": round(median(plain, "cpu_s_per_gb"), 3),
        "cpu_ratio": round(of_rounds(signed, plain, "cpu_s_per_gb")[0], 3),
    }


def small_at(sides: Sides, connections: int) -> dict[str, float]:
    signed, plain = alternated(sides, "small", connections, SMALL_ROUNDS)
    return {
        "requests_s": round(median(signed, "requests_s")),
        "plain_requests_s": round(median(plain, "requests_s")),
        "ratio": round(of_rounds(signed, plain, "requests_s")[0], 3),
    }


def measured(kind: str, web: Any, folder: Path, media: Path, database_url: str) -> dict[str, Any]:
    """Everything at one front door: plain HTTP, or TLS on both sides."""
    place = folder / kind
    place.mkdir()
    cores = psutil.cpu_count() or 1

    @contextmanager
    def front() -> Iterator[Sides]:
        with front_door(place, web.port, media, kind=kind, workers=cores, extra=PLAIN % media) as door:
            pids = [door.pid, web.pid, postmaster(folder)]
            yield Sides(origin(door), folder, pids, web.pid, database_url, door.log)

    with front() as sides:
        # The first question of a process also opens its connection and compiles its query.
        sides.run("signed-first", 2, 1, once=True)
        sides.hit_rate()
        cold: dict[str, Any] = {f"c{many}": cold_at(sides, many) for many in CONNECTIONS}
        cold["auth_hits"] = sides.hit_rate()
        warm: dict[str, Any] = {f"c{many}": pairs_at(sides, many) for many in CONNECTIONS}
        warm["auth_hits"] = sides.hit_rate()
        small = {**small_at(sides, 64), "auth_hits": sides.hit_rate()}
    started: dict[str, Any] = {"c64": just_started(front)}
    with front() as sides:
        started["auth_hits"] = sides.hit_rate()
    return {"cold": cold, "warm": warm, "small_c64": small, "started": started}


def origin(door: FrontDoor) -> str:
    return f"https://127.0.0.1:{door.tls_port}" if door.tls_port else f"http://127.0.0.1:{door.port}"


def run() -> dict[str, Any]:
    """Measure on a server, a database and files of its own; about 35 minutes."""
    with workshop() as (database_url, folder):
        media = folder / "media"
        watching = asyncio.run(viewings(database_url, media, VIEWINGS))
        found = {}
        for kind in ("http", "https"):
            # Anew, so that both begin with a process that knows nobody.
            write_addresses(folder, watching)
            with serving() as web:
                found[kind] = measured(kind, web, folder, media, database_url)
    return told(found)


def told(found: dict[str, Any]) -> dict[str, Any]:
    """The worst of each; the goal is met when all are."""

    def each(state: str) -> list[dict[str, float]]:
        return [found[kind][state][f"c{many}"] for kind in found for many in CONNECTIONS]

    pairs = each("cold") + each("warm")
    ratio = min(pair["ratio"] for pair in pairs)
    cpu = max(pair["cpu_ratio"] for pair in pairs)
    small = min(found[kind]["small_c64"]["ratio"] for kind in found)
    return {
        "ratio": ratio,
        "goal": GOAL,
        "met": ratio >= GOAL and cpu <= CPU_GOAL and small >= SMALL_GOAL,
        "warm_ratio": min(pair["ratio"] for pair in each("warm")),
        "cpu_ratio": cpu,
        "cpu_goal": CPU_GOAL,
        "warm_cpu_ratio": max(pair["cpu_ratio"] for pair in each("warm")),
        "small_ratio": small,
        "small_goal": SMALL_GOAL,
        **found,
    }
