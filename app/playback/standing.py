"""Does a playback still stand: asked for every segment, looked up at most once in 10 seconds.

What was found is kept in this process under the token's playback and end, video and version, all of which its signature
binds: a token that is good for a free film opens no other one, and a renewed one does not inherit a refusal.
"""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app import db
from app.clock import utcnow
from app.playback.tokens import Verified
from app.playback.verdicts import Asked, verdicts

ALLOW_S = 10.0
DENY_S = 2.0
MOST = 20_000

Key = tuple[Verified, str, str]


@dataclass(frozen=True)
class _Found:
    stands: bool
    until: float


class Standing:
    """The process's memory of answers. Requests that arrive while one is being looked up wait for that one.

    One query is under way at a time, for all that were asked since the last: the more are asked, the cheaper is each.
    """

    def __init__(self) -> None:
        self._found: OrderedDict[Key, _Found] = OrderedDict()
        self._asking: dict[Key, asyncio.Future[bool]] = {}
        self._next: dict[Key, asyncio.Future[bool]] = {}
        self._task: asyncio.Task[None] | None = None

    async def stands(self, token: Verified, video: str, version: str) -> bool:
        """Whether the token's playback may go on. `video` and `version` are those that it was verified for."""
        found = self._found.get((token, video, version))
        if found is not None and time.monotonic() < found.until:
            return found.stands
        return await self.stands_now(token, video, version)

    async def stands_now(self, token: Verified, video: str, version: str) -> bool:
        """The same, never from memory: for nginx, which keeps the answer itself. Two memories would add up to 20 s."""
        key = (token, video, version)
        answer = self._asking.get(key) or self._next.get(key)
        if answer is None:
            answer = self._next[key] = asyncio.get_running_loop().create_future()
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._ask_all())
        # A viewer who hangs up must not take the answer from the others who wait for it.
        return await asyncio.shield(answer)

    async def _ask_all(self) -> None:
        try:
            # Outside too: whoever asks while the connection is given back finds this task still under way.
            while self._next:
                # One statement reads one moment: a transaction around it would be two more ways there and back.
                engine = db.database().engine.execution_options(isolation_level="AUTOCOMMIT")
                async with engine.connect() as connection:
                    while self._next:
                        await self._ask(connection)
        except BaseException as fault:
            self._fail(fault)
            if not isinstance(fault, Exception):
                raise

    async def _ask(self, connection: AsyncConnection) -> None:
        self._asking, self._next = self._next, {}
        # The clock starts before the question: the answers are as old as that.
        asked = time.monotonic()
        answers = await verdicts(connection, [_asked(key) for key in self._asking], utcnow())
        self._keep(answers, asked)

    def _keep(self, answers: list[bool], asked: float) -> None:
        for (key, waiting), stands in zip(self._asking.items(), answers, strict=True):
            self._found[key] = _Found(stands, asked + (ALLOW_S if stands else DENY_S))
            self._found.move_to_end(key)
            waiting.set_result(stands)
        self._asking = {}
        while len(self._found) > MOST:
            self._found.popitem(last=False)

    def _fail(self, fault: BaseException) -> None:
        """Whoever waits hears of it; the next to ask tries again."""
        for waiting in (*self._asking.values(), *self._next.values()):
            waiting.set_exception(fault)
            # Nobody may be left who waits for it.
            waiting.exception()
        self._asking, self._next = {}, {}

    def forget(self) -> None:
        self._found.clear()


standing = Standing()


def _asked(key: Key) -> Asked:
    token, video, version = key
    return Asked(token.playback_id, UUID(video), int(version))
