"""Around a lane of `converge`: the stand-in with a file for each wave, workers that are killed, a mail server."""

import asyncio
import json
import logging
import multiprocessing
import os
import random
import shutil
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import httpx
import stripe

from sandbox.stripe.app import create_app
from sandbox.stripe.store import Store
from tests.billing.till import KEY
from tests.sandbox.stands import Served

WORKERS = 8

Json = dict[str, Any]


@dataclass
class StandIn:
    """The stand-in on a port of its own, for workers, and without a socket, for the lives. One file for each wave."""

    folder: Path
    port: int = 0
    store: Store = field(init=False)
    served: Served = field(init=False)

    def start(self, name: str, copied_from: str | None = None) -> None:
        path = self.folder / f"{name}.sqlite"
        if copied_from is not None:
            shutil.copy(self.folder / f"{copied_from}.sqlite", path)
        self.store = Store(path)
        self.store.connection.execute("PRAGMA synchronous = OFF")
        self.app = create_app(self.store, tick_s=3600)
        self.served = Served(self.app, self.port)
        self.port = self.served.port

    def stop(self) -> None:
        self.served.stop()
        # One file, so that it can be copied.
        self.store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.store.close()

    def events(self, since: int) -> tuple[list[Json], int]:
        """The events after the number `since`, and the number of the last one."""
        with self.store.transaction():
            rows = self.store.connection.execute(
                "SELECT seq, body FROM objects WHERE kind = 'event' AND seq > ? ORDER BY seq", (since,)
            ).fetchall()
        return [json.loads(row[1]) for row in rows], rows[-1][0] if rows else since

    @asynccontextmanager
    async def people(self) -> AsyncIterator[tuple[stripe.StripeClient, httpx.AsyncClient]]:
        """The real library and a browser, for those who live there."""
        transport = httpx.ASGITransport(app=self.app, client=("127.0.0.1", 1))
        base = self.served.url
        async with httpx.AsyncClient(transport=transport, base_url=base) as browser:
            http = stripe.HTTPXClient()
            http._client_async = browser
            yield stripe.StripeClient(KEY, base_addresses={"api": base}, http_client=http), browser


class Box:
    """A mail server's end of the line."""

    def __init__(self) -> None:
        self.mails = 0

    async def handle_DATA(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        self.mails += 1
        return "250 OK"


def work() -> None:
    """A worker process: `limber worker`, but for the seconds that loading takes.

    Eight that each look into five queues twice a second spend nine tenths of what they spend on looking: 200 of 228 s
    of the processors' time in the first minutes on a loaded machine. Films and pictures there are none, and what one
    of eight finds every two seconds is found early enough.
    """
    from app import jobs, worker
    from app.jobs import engine

    # Lives pay twice on purpose: hundreds of lines that tell it.
    logging.getLogger("limber.billing").setLevel(logging.CRITICAL)
    engine.POLL_S.update(dict.fromkeys(jobs.QUEUES, 120.0) | {jobs.DEFAULT: 4.0, jobs.BILLING: 2.0})
    parent = os.getppid()

    def end_with_parent() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    asyncio.run(worker.main())


@dataclass
class Crew:
    """Eight workers, of whom one or another is killed, and another one takes the place."""

    dice: random.Random
    running: list[ForkServerProcess] = field(default_factory=list)
    killed: int = 0

    def __post_init__(self) -> None:
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["bench.converge_worker"])
        for _number in range(WORKERS):
            self.add()

    def add(self) -> None:
        process = self.context.Process(target=work, daemon=True)
        process.start()
        self.running.append(process)

    def kill_one(self) -> None:
        """As the system does it to the greediest."""
        victim = self.running.pop(self.dice.randrange(len(self.running)))
        victim.kill()
        victim.join()
        self.killed += 1
        self.add()

    def replace_ended(self) -> None:
        """Who was paused until others took the work over ends by himself; the system starts another one."""
        ended = [process for process in self.running if not process.is_alive()]
        for process in ended:
            self.running.remove(process)
            self.add()

    def end(self) -> None:
        for process in self.running:
            process.kill()
        for process in self.running:
            process.join()
