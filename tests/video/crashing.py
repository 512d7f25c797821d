"""Kill workers at a named point of their work, for certain: at a lock that the test holds, or stopped and looked at."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg

from tests.forked import Forked, start_worker

FIRST_LOCK = 720_451
LOOK_S = 0.002
BRIEF_LOOK_S = 0.0005
LOOKS = 50
GIVE_UP_S = 180
# A gate that cannot be taken down says so, instead of waiting for whoever stands in its table.
LOCKED_MS = 30_000


class Gate:
    """A place in the database that nobody passes while the test holds its lock: a worker that comes there stands.

    With `at_commit` it stands in the COMMIT of the transaction that wrote the row, everything being written.
    """

    def __init__(
        self, url: str, number: int, event: str, table: str, when: str, *, at_commit: bool = False
    ) -> None:
        self.lock, self.table = FIRST_LOCK + number, table
        self.trigger = f"crash_gate_{number}"
        self.connection = psycopg.connect(url, autocommit=True, options=f"-c lock_timeout={LOCKED_MS}")
        kind, moment, late = (
            ("CONSTRAINT TRIGGER", "AFTER", "DEFERRABLE INITIALLY DEFERRED ")
            if at_commit
            else ("TRIGGER", "BEFORE", "")
        )
        for command in (
            "CREATE OR REPLACE FUNCTION crash_gate() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_advisory_xact_lock(TG_ARGV[0]::bigint); RETURN NEW; END'",
            f"CREATE {kind} {self.trigger} {moment} {event} ON {table} {late}FOR EACH ROW WHEN ({when})"
            f" EXECUTE FUNCTION crash_gate({self.lock})",
            f"SELECT pg_advisory_lock({self.lock})",
        ):
            self.connection.execute(command.encode())

    def standing(self) -> list[int]:
        """The database's processes whose clients stand at the gate."""
        rows = self.connection.execute(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = %s",
            [self.lock],
        ).fetchall()
        return [int(row[0]) for row in rows]

    def unlock(self, *, onward: bool = False) -> None:
        """Whoever stands there is gone by now: the database learns of a dead client when it wants to answer it.

        With `onward` it goes on as if its client lived: a commit that was asked for is made, and nobody is told.
        """
        if self.connection.closed:
            return
        for pid in self.standing() if not onward else ():
            self.connection.execute("SELECT pg_terminate_backend(%s)", [pid])
        self.connection.execute("SELECT pg_advisory_unlock_all()")

    def open(self, *, onward: bool = False) -> None:
        """Unlocked, and gone. Where a table has several gates, each is unlocked before one of them is opened."""
        if self.connection.closed:
            return
        self.unlock(onward=onward)
        self.connection.execute(f"DROP TRIGGER {self.trigger} ON {self.table}".encode())
        self.connection.close()


class Workers:
    """Some worker processes over one database; whoever of them holds a piece of work can be killed."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.running: dict[int, Forked] = {}

    def start(self, count: int = 1, **environment: str) -> None:
        for _n in range(count):
            process = start_worker(self.url, **environment)
            self.running[process.pid] = process

    def holder(self, work: str) -> int | None:
        """Process id of the worker that has this work (a workflow's id) under way."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(
                "SELECT executor_id FROM dbos.workflow_status WHERE workflow_uuid = %s AND status = 'PENDING'",
                [work],
            ).fetchone()
        # Host, process id and a random word: the host's name may hold dashes.
        return int(row[0].rsplit("-", 2)[1]) if row and row[0] else None

    def kill(self, pid: int) -> None:
        """As the system does it to the greediest."""
        process = self.running.pop(pid)
        process.send_signal(signal.SIGKILL)
        process.wait(30)

    async def killed_at_gate(self, gate: Gate, work: str) -> None:
        """Wait until somebody stands at the gate, and kill who has the work."""
        try:
            deadline = time.monotonic() + GIVE_UP_S
            while not await asyncio.to_thread(gate.standing):
                assert time.monotonic() < deadline, "nobody came to the gate"
                await asyncio.sleep(0.02)
            pid = self.holder(work)
            assert pid in self.running, f"{work} is held by {pid}"
            self.kill(pid)
        finally:
            gate.open()

    async def killed_when(self, work: str, is_there: Callable[[int], bool]) -> None:
        """Stop who has the work as soon as `is_there(pid)` says so; kill it if that still holds while it stands."""
        deadline = time.monotonic() + GIVE_UP_S
        while time.monotonic() < deadline:
            pid = await asyncio.to_thread(self.holder, work)
            # Looked at in a tight loop for a moment: a loop of events is late by more than some points last.
            for _look in range(LOOKS):
                if pid is None or pid not in self.running:
                    break
                if is_there(pid) and self._caught(pid, is_there):
                    return
                time.sleep(LOOK_S)
        raise AssertionError(f"{work} was never at that point")

    async def killed_within(self, work: str, is_there: Callable[[int], bool]) -> None:
        """As `killed_when` for what lasts milliseconds only: it gets on by half of one between two looks."""
        deadline = time.monotonic() + GIVE_UP_S
        while (pid := self.holder(work)) not in self.running:
            assert time.monotonic() < deadline, f"nobody has {work}"
            await asyncio.sleep(LOOK_S)
        while not self._caught(pid, is_there):
            assert time.monotonic() < deadline, f"{work} was never at that point"
            await asyncio.sleep(BRIEF_LOOK_S)

    def _caught(self, pid: int, is_there: Callable[[int], bool]) -> bool:
        os.kill(pid, signal.SIGSTOP)
        if is_there(pid):
            self.kill(pid)
            return True
        os.kill(pid, signal.SIGCONT)
        return False

    def end(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait(30)


@contextmanager
def workers(url: str, count: int) -> Iterator[Workers]:
    """`count` workers; those that live at the end are told to stop."""
    crew = Workers(url)
    crew.start(count)
    try:
        yield crew
    finally:
        crew.end()


def runs(pid: int, word: str) -> bool:
    """Whether a child of a process, alive, was started with `word` among its arguments."""
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if any(word in argument for argument in child.cmdline()):
                    return child.status() != psutil.STATUS_ZOMBIE
    return False


def half_written(folder: Path) -> list[Path]:
    """Files below `folder` that belong to somebody who is writing."""
    return [path for path in folder.rglob(".*") if path.is_file()]


async def until(condition: Callable[[], Awaitable[bool]], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.1)
