"""What this process knows by heart about viewings, kept fresh: the keys of tokens, and who stands where nginx is told.

Both at once, and when nginx asks for them: waking a process that has slept costs more than what it then asks
(docs/adr/0028-told-beside.md).
"""

import asyncio
import logging
import time

from sqlalchemy.exc import SQLAlchemyError

from app.playback import keyring
from app.playback.standing import standing

# nginx asks more often (deploy/nginx/answers-in-memory/http-news.conf): then nothing is done by this clock.
EVERY_S = 5.0
log = logging.getLogger("limber.playback")


class Keeping:
    """The process's clock, which every freshening puts back."""

    def __init__(self) -> None:
        self._freshened_at = float("-inf")
        self._freshened: asyncio.Event | None = None
        self._task: asyncio.Task[None] | None = None

    async def freshen(self) -> None:
        """Read the rotations of keys, and look up who may be asked about.

        What is known stays known while the database is away. Whoever comes meanwhile waits for the one under way: of a
        database that hangs, nginx asks again and again.
        """
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._freshen())
        await asyncio.shield(self._task)

    async def _freshen(self) -> None:
        self._freshened_at = time.monotonic()
        if self._freshened:
            self._freshened.set()
        try:
            await keyring.refresh()
        except (SQLAlchemyError, OSError) as fault:
            log.warning("media keys were not read: %s", type(fault).__name__)
            return
        await standing.look_ahead()

    async def keep_fresh(self) -> None:
        """Freshen whenever nobody did for some seconds, until cancelled."""
        self._freshened = asyncio.Event()
        try:
            while True:
                await self.freshen()
                await self._until_due(self._freshened)
        finally:
            # The database is closed next.
            if self._task:
                self._task.cancel()

    async def _until_due(self, freshened: asyncio.Event) -> None:
        """(Looked at when somebody freshens, which is when this process is awake.)"""
        while True:
            freshened.clear()
            left = self._freshened_at + EVERY_S - time.monotonic()
            try:
                # (wait_for of Python 3.11 may swallow that this is cancelled.)
                async with asyncio.timeout(max(0.0, left)):
                    await freshened.wait()
            except TimeoutError:
                return


keeping = Keeping()
