"""`play`: a viewing begins, its row and its place really written, against a bare route that commits one INSERT.

Both are asked by the same clients on connections that are kept open, in turns, each on one process with the same pool
and PostgreSQL. Then the slowest hundredth with a million members who may watch, against a thousand.
"""

import asyncio
import itertools
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from bench.courses import lessons_of_a_course
from bench.streams import Web, serving
from bench.workshop import workshop

GOAL = 0.5
LATENCY_GOAL = 1.2
FEW, MANY = 1_000, 1_000_000
# Members who are signed in and press play, each once a round: nobody's second start takes over their first.
PLAYERS = 1_000
CONNECTIONS = 8
ROUNDS = 7
LESSONS = 10
BARE = Path(__file__).resolve().parent / "bare_insert.py"


@dataclass(frozen=True)
class Asked:
    """Milliseconds of each request, sorted, and requests a second."""

    took_ms: list[float]
    requests_s: float

    @property
    def p99_ms(self) -> float:
        return self.took_ms[int(0.99 * (len(self.took_ms) - 1))]


async def lessons(database_url: str) -> list[UUID]:
    """Ten paid lessons that are out."""
    from app import db

    db.open_database(database_url, pool_size=1)
    try:
        async with db.transaction() as session:
            return [one.id for one in await lessons_of_a_course(session, LESSONS, duration_s=1800.0)]
    finally:
        await db.close_database()


MEMBERS = """
INSERT INTO user_account (id, email, name, password_hash, role, email_confirmed_at, created_at, came_from)
SELECT md5('u' || n)::uuid, 'm' || n || '@example.com', 'M', '!', 'member', now(), now(), ''
FROM generate_series(%(first)s::int, %(last)s::int) n;
"""
RIGHTS = """
INSERT INTO entitlement (id, user_id, source_kind, source_id, starts_at)
SELECT gen_random_uuid(), md5('u' || n)::uuid, 'subscription', 's' || n, now() - interval '1 day'
FROM generate_series(%(first)s::int, %(last)s::int) n;
"""
SIGN_INS = """
INSERT INTO user_session (id, user_id, token_hash, user_agent, ip, created_at, last_seen_at, expires_at)
SELECT gen_random_uuid(), md5('u' || n)::uuid, sha256(('cookie-' || n)::bytea), 'Firefox', '', now(), now(),
    now() + interval '1 day'
FROM generate_series(%(first)s::int, %(last)s::int) n;
"""


def add_members(database_url: str, first: int, last: int) -> None:
    """Members `first` to `last`, each with a right to everything, and signed in with the cookie `cookie-<n>`."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        for statement in (MEMBERS, RIGHTS, SIGN_INS):
            connection.execute(statement, {"first": first, "last": last})
        for table in ("user_account", "entitlement", "user_session", "playback"):
            connection.execute(f"VACUUM ANALYZE {table}")
        connection.execute("CHECKPOINT")


def forget_viewings(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("TRUNCATE playback")
        connection.execute("TRUNCATE bench_row")


def _request(path: str, cookie: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
    if cookie:
        head += f"Cookie: limber={cookie}\r\n"
    return (head + "Content-Length: 0\r\n\r\n").encode()


async def _answer(reader: asyncio.StreamReader) -> int:
    """The status of the next answer, its body read. As little work as can be: the clients share the machine."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
    await reader.readexactly(length)
    return int(head[9:12])


async def ask(port: int, requests: list[bytes], connections: int) -> Asked:
    """Every request once, over so many connections.

    Raises:
        RuntimeError: an answer was not 201.
    """
    waiting, took = iter(requests), []

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in waiting:
            began = time.perf_counter()
            writer.write(request)
            status = await _answer(reader)
            took.append(1000 * (time.perf_counter() - began))
            if status != 201:
                raise RuntimeError(f"answered {status}")
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _number in range(connections)))
    return Asked(sorted(took), len(took) / (time.perf_counter() - began))


def plays(lesson_ids: list[UUID], numbers: range) -> list[bytes]:
    turn = itertools.cycle(lesson_ids)
    return [_request(f"/lessons/{next(turn)}/playback", f"cookie-{number}") for number in numbers]


def rounds(
    web: Web, bare: Web, database_url: str, ours: list[bytes], theirs: list[bytes]
) -> tuple[list[Asked], list[Asked]]:
    """Both in turns, the first of a round changing, after one round that is not counted."""
    found: tuple[list[Asked], list[Asked]] = ([], [])
    for number in range(ROUNDS + 1):
        forget_viewings(database_url)
        for side in (0, 1) if number % 2 else (1, 0):
            port, requests = ((web.port, ours), (bare.port, theirs))[side]
            asked = asyncio.run(ask(port, requests, CONNECTIONS))
            if number:
                found[side].append(asked)
    return found


def run() -> dict[str, Any]:
    """Measure on a server and a database of its own; about three minutes, most of it to write a million members."""
    with workshop() as (database_url, _folder):
        lesson_ids = asyncio.run(lessons(database_url))
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE bench_row (id uuid PRIMARY KEY, at timestamptz NOT NULL)")
        add_members(database_url, 1, FEW)
        theirs = [_request("/insert", "")] * PLAYERS
        with serving([sys.executable, str(BARE)]) as bare, serving() as web:
            few = rounds(web, bare, database_url, plays(lesson_ids, range(1, PLAYERS + 1)), theirs)
            add_members(database_url, FEW + 1, MANY)
            # Spread over all: neighbours would lie on the same pages.
            spread = range(1, MANY + 1, MANY // PLAYERS)
            many = rounds(web, bare, database_url, plays(lesson_ids, spread), theirs)
    return told(few, many)


def told(few: tuple[list[Asked], list[Asked]], many: tuple[list[Asked], list[Asked]]) -> dict[str, Any]:
    """Medians of the rounds. The slowest hundredths are compared with the bare route's of their own minutes."""
    ours, bare = (statistics.median(one.requests_s for one in side) for side in few)
    p99 = [statistics.median(one.p99_ms for one in side) for side in (*few, *many)]
    latency = p99[2] / p99[0]
    return {
        "ratio": round(ours / bare, 3),
        "goal": GOAL,
        "met": ours / bare >= GOAL and latency <= LATENCY_GOAL,
        "p99_ratio": round(latency, 3),
        "p99_goal": LATENCY_GOAL,
        "plays_s": round(ours),
        "bare_s": round(bare),
        "p99_ms": {"few": round(p99[0], 1), "many": round(p99[2], 1)},
        "bare_p99_ms": {"few": round(p99[1], 1), "many": round(p99[3], 1)},
        "members": {"few": FEW, "many": MANY},
    }
