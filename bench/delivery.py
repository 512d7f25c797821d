"""`delivery`: paid films through the shipped nginx, against the same nginx with the same files for anybody.

1,000 viewings, each with a token of its own, ask for a segment of pictures and one of sound in turn. Cold: no token was
asked about yet. Both sides stand in one server block, so logs, TLS and what else is shared are the same.
"""

import asyncio
import statistics
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.front_door import FrontDoor, front_door
from bench.load import Load, load
from bench.streams import AUDIO, SMALL, VIDEO, Viewing, postmaster, serving, viewings
from bench.workshop import workshop

GOAL = 0.95
CPU_GOAL = 1.25
SMALL_GOAL = 0.75
VIEWINGS = 1_000
ROUNDS = 5
SECONDS = 3
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
    """A front door, the files with addresses, and whose CPU counts."""

    origin: str
    folder: Path
    pids: list[int]

    def run(self, name: str, connections: int, seconds: int = SECONDS) -> Load:
        """Raises: RuntimeError: an answer was no 2xx."""
        measured = load(self.origin, self.folder / name, connections, seconds, self.pids)
        if measured.wrong:
            raise RuntimeError(f"{measured.wrong} of {measured.requests} answers to {name} were wrong")
        return measured


def write_addresses(folder: Path, watching: list[Viewing]) -> None:
    """Lists for wrk: pairs and small files, signed and for anybody."""
    expires = int(time.time()) + 3600
    signed = [viewing.prefix(expires) for viewing in watching]
    plain = [viewing.folder for viewing in watching]
    for side, prefixes in (("signed", signed), ("plain", plain)):
        pairs = [prefix + name for prefix in prefixes for name in (VIDEO, AUDIO)]
        (folder / f"{side}-pairs").write_text("\n".join(pairs))
        (folder / f"{side}-small").write_text("\n".join(prefix + SMALL for prefix in prefixes))


def alternated(sides: Sides, kind: str, connections: int) -> tuple[list[Load], list[Load]]:
    """Both, turn by turn, the first of a round changing. Each begins warm."""
    seen: dict[str, list[Load]] = {"signed": [], "plain": []}
    for side in seen:
        sides.run(f"{side}-{kind}", connections, 1)
    for number in range(ROUNDS):
        for side in ("signed", "plain") if number % 2 else ("plain", "signed"):
            seen[side].append(sides.run(f"{side}-{kind}", connections))
    return seen["signed"], seen["plain"]


def median(loads: list[Load], what: str) -> float:
    return float(statistics.median(getattr(one, what) for one in loads))


def pairs_at(sides: Sides, connections: int) -> dict[str, float]:
    """Ratios of the pairs at so many connections: speed and CPU seconds for a GB, of the medians."""
    signed, plain = alternated(sides, "pairs", connections)
    return {
        "mb_s": round(median(signed, "bytes_s") / 1e6),
        "plain_mb_s": round(median(plain, "bytes_s") / 1e6),
        "ratio": round(median(signed, "bytes_s") / median(plain, "bytes_s"), 3),
        "cpu_s_per_gb": round(median(signed, "cpu_s_per_gb"), 3),
        "plain_cpu_s_per_gb": round(median(plain, "cpu_s_per_gb"), 3),
        "cpu_ratio": round(median(signed, "cpu_s_per_gb") / median(plain, "cpu_s_per_gb"), 3),
    }


def small_at(sides: Sides, connections: int) -> dict[str, float]:
    signed, plain = alternated(sides, "small", connections)
    return {
        "requests_s": round(median(signed, "requests_s")),
        "plain_requests_s": round(median(plain, "requests_s")),
        "ratio": round(median(signed, "requests_s") / median(plain, "requests_s"), 3),
    }


def hit_rate(log: Path) -> dict[str, float]:
    """How often nginx knew the answer about a token, by its own log; empties the log."""
    # nginx writes it down every 5 s.
    time.sleep(5.5)
    with log.open() as lines:
        seen = Counter(line.partition(" auth=")[2].partition(" ")[0] for line in lines if " auth=" in line)
    log.write_text("")
    asked = sum(seen.values())
    return {"rate": round(seen["HIT"] / asked, 4), "asked_app": asked - seen["HIT"], "requests": asked}


def measured(kind: str, web: Any, folder: Path, media: Path, pids: list[int]) -> dict[str, Any]:
    """Everything at one front door: plain HTTP, or TLS on both sides."""
    place = folder / kind
    place.mkdir()
    cores = psutil.cpu_count() or 1
    extra = PLAIN % media
    with front_door(place, web.port, media, kind=kind, workers=cores, extra=extra) as door:
        sides = Sides(origin(door), folder, [door.pid, *pids])
        cold_plain = sides.run("plain-pairs", 16, 2)
        cold = sides.run("signed-pairs", 16, 2)
        cold_hits = hit_rate(door.log)
        found = {"c16": pairs_at(sides, 16), "c64": pairs_at(sides, 64), "small_c64": small_at(sides, 64)}
        return {
            "cold_ratio": round(cold.bytes_s / cold_plain.bytes_s, 3),
            "cold_auth_hits": cold_hits["rate"],
            **found,
            "auth_hits": hit_rate(door.log),
        }


def origin(door: FrontDoor) -> str:
    return f"https://127.0.0.1:{door.tls_port}" if door.tls_port else f"http://127.0.0.1:{door.port}"


def run() -> dict[str, Any]:
    """Measure on a server, a database and files of its own; about four minutes."""
    with workshop() as (database_url, folder):
        media = folder / "media"
        watching = asyncio.run(viewings(database_url, media, VIEWINGS))
        write_addresses(folder, watching)
        with serving() as web:
            pids = [web.pid, postmaster(folder)]
            found = {kind: measured(kind, web, folder, media, pids) for kind in ("http", "https")}
    return told(found)


def told(found: dict[str, Any]) -> dict[str, Any]:
    """The worst of each; the goal is met when all are."""
    pairs = [found[kind][many] for kind in found for many in ("c16", "c64")]
    ratio = min(pair["ratio"] for pair in pairs)
    cpu = max(pair["cpu_ratio"] for pair in pairs)
    small = min(found[kind]["small_c64"]["ratio"] for kind in found)
    return {
        "ratio": ratio,
        "goal": GOAL,
        "met": ratio >= GOAL and cpu <= CPU_GOAL and small >= SMALL_GOAL,
        "cpu_ratio": cpu,
        "cpu_goal": CPU_GOAL,
        "small_ratio": small,
        "small_goal": SMALL_GOAL,
        **found,
    }
