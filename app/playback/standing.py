"""Does a playback still stand: asked for every segment, looked up at most once in 10 seconds.

A yes is kept in this process under the token's playback, video and version, all of which its signature binds: a token
that is good for a free film opens no other. A no is kept under the token's end too: a renewed one does not inherit it.
"""

import asyncio
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app import db
from app.clock import utcnow
from app.playback.news import News
from app.playback.tokens import Verified
from app.playback.verdicts import Viewing, begun_since, verdicts

ALLOW_S = 10.0
DENY_S = 2.0
# nginx keeps a yes for 10 s more: together 16 s, of the 30 that are promised.
NGINX_ALLOW_S = 6.0
# Whoever plays is asked about every 10 s: those whose turn may come are looked up along with who is asked about now.
ALONG_S = 4.0
ALONG = 256
# So often without anybody wanting the answer.
IN_VAIN = 2
# Where nginx is told who stands, they are looked up every few seconds (keeping.py), whether anybody asks or not. nginx
# does not say whom it serves, but a player that goes on renews its token (LATELY). Else for a minute.
AHEAD_IN_VAIN = 15
# A film that is paused is asked about no more.
KEEP_S = 60.0
# What began in another process, or before this one, is read from the database in one go, and not more often.
LATELY = timedelta(minutes=6)
LATELY_EVERY_S = 30.0
# What bears an earlier time may be seen so much later.
COMMITTED = timedelta(seconds=3)
MOST = 20_000

Key = tuple[Verified, str, str]
log = logging.getLogger("limber.playback")


class _Yes:
    """When the answer was asked for (monotonic seconds), and how often it was, since anybody wanted it."""

    __slots__ = ("asked_at", "in_vain")

    def __init__(self, asked_at: float, in_vain: int) -> None:
        self.asked_at = asked_at
        self.in_vain = in_vain


class Standing:
    """The process's memory of answers. Requests that arrive while one is being looked up wait for that one.

    One query is under way at a time, for all that were asked since the last: the more are asked, the cheaper is each.
    """

    def __init__(self) -> None:
        # The oldest answer first.
        self._yes: OrderedDict[Viewing, _Yes] = OrderedDict()
        self._no: OrderedDict[Key, float] = OrderedDict()
        # Whose player is likely to ask here, and has not yet.
        self._expected: deque[Viewing] = deque()
        # When all of them were read, and when those who came last.
        self._expected_at = self._read_at = float("-inf")
        self._asking: dict[Key, asyncio.Future[bool]] = {}
        self._next: dict[Key, asyncio.Future[bool]] = {}
        self._task: asyncio.Task[None] | None = None
        # Whether there is a nginx that is told who stands.
        self._is_told = False
        self.news = News(NGINX_ALLOW_S)
        # Under way while all whose players may ask are looked up.
        self._ahead: asyncio.Future[None] | None = None
        # Answers younger than this moment are not looked up ahead: however long it takes, it comes to an end.
        self._ahead_until = 0.0
        self._were_wanted = False

    def known(self, token: Verified, video: str, version: str, within_s: float) -> bool:
        """Whether a yes of at most so many seconds ago is remembered."""
        yes = self._yes.get((token.sid, video, version))
        if yes is None or time.monotonic() - yes.asked_at >= within_s:
            return False
        yes.in_vain = 0
        return True

    async def stands(self, token: Verified, video: str, version: str) -> bool:
        """Whether the token's playback may go on. `video` and `version` are those that it was verified for."""
        if self.known(token, video, version, ALLOW_S):
            return True
        refused_until = self._no.get((token, video, version))
        if refused_until is not None and time.monotonic() < refused_until:
            return False
        return await self.look_up(token, video, version)

    async def stands_for_nginx(self, token: Verified, video: str, version: str) -> bool:
        """The same for nginx, which keeps the answer itself: a yes that is young, and never a no from memory."""
        if self.known(token, video, version, NGINX_ALLOW_S):
            return True
        return await self.look_up(token, video, version)

    async def look_up(self, token: Verified, video: str, version: str) -> bool:
        """The same, never from memory."""
        key = (token, video, version)
        answer = self._asking.get(key) or self._next.get(key)
        if answer is None:
            answer = self._next[key] = asyncio.get_running_loop().create_future()
            self._begin()
        # A viewer who hangs up must not take the answer from the others who wait for it.
        return await asyncio.shield(answer)

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._ask_all())

    async def _ask_all(self) -> None:
        try:
            # Outside too: whoever asks while the connection is given back finds this task still under way.
            while self._next or self._ahead:
                # One statement reads one moment: a transaction around it would be two more ways there and back.
                async with db.statements() as connection:
                    are_more = False
                    while self._next or self._ahead or are_more:
                        are_more = await self._ask(connection)
        except BaseException as fault:
            self._fail(fault)
            if not isinstance(fault, Exception):
                raise

    async def _ask(self, connection: AsyncConnection) -> bool:
        """Look up who is wanted and who comes along. Answers whether more may come along, before nginx asks again: what
        it is told next is ready then."""
        # In turns with looking ahead, so that neither waits for all of the other.
        if not (self._ahead and self._were_wanted):
            self._asking, self._next = self._next, {}
        # The clock starts before the question: the answers are as old as that.
        now = time.monotonic()
        wanted = [(token.sid, video, version) for token, video, version in self._asking]
        self._were_wanted = bool(wanted)
        if not wanted and self._ahead:
            if self._read_at < self._ahead_until:
                await self._expect(connection, now)
        elif now - self._expected_at > LATELY_EVERY_S and any(one not in self._yes for one in wanted):
            await self._expect(connection, now)
        along = [] if wanted and self._ahead else self._along(wanted, now)
        # (Taken now: whoever wants to look ahead from here on wants it anew.)
        ahead = None
        if not wanted and len(along) < ALONG:
            ahead, self._ahead = self._ahead, None
        try:
            return await self._answer(connection, wanted, along, now)
        finally:
            if ahead:
                ahead.set_result(None)

    async def _answer(
        self, connection: AsyncConnection, wanted: list[Viewing], along: list[Viewing], now: float
    ) -> bool:
        if not wanted and not along:
            return False
        answers = await verdicts(connection, [*wanted, *along], utcnow())
        for viewing, stands in zip(along, answers[len(wanted) :], strict=True):
            self._keep(viewing, stands, now, is_wanted=False)
        for (key, waiting), viewing, stands in zip(self._asking.items(), wanted, answers, strict=False):
            self._keep(viewing, stands, now, is_wanted=True)
            if not stands:
                self._no[key] = now + DENY_S
            waiting.set_result(stands)
        self._asking = {}
        while len(self._no) > MOST:
            self._no.popitem(last=False)
        return self._is_told and len(along) >= ALONG

    async def _expect(self, connection: AsyncConnection, now: float) -> None:
        """Read whose players will ask. Who is known gave a sign of life by being renewed."""
        are_all = now - self._expected_at > LATELY_EVERY_S
        since = LATELY if are_all else timedelta(seconds=now - self._read_at) + COMMITTED
        lately = await begun_since(connection, utcnow() - since)
        if are_all:
            self._expected_at = now
            self._expected.clear()
        self._read_at = now
        for viewing in lately:
            if viewing in self._yes:
                self._yes[viewing].in_vain = 0
            else:
                self._expected.append(viewing)

    def tell(self) -> None:
        """From now on there is a nginx that is told who stands, and asks about nobody of these."""
        self._is_told = True

    async def look_ahead(self) -> None:
        """Look up all whose players may ask a nginx that is told; whether that succeeded or not."""
        if not self._is_told:
            return
        self._ahead_until = time.monotonic()
        if self._ahead is None:
            self._ahead = asyncio.get_running_loop().create_future()
        self._begin()
        await asyncio.shield(self._ahead)

    def _along(self, wanted: Sequence[Viewing], now: float) -> list[Viewing]:
        """Who will be asked about soon: is expected, or was asked about since an answer that is some seconds old."""
        found: dict[Viewing, None] = {}
        while self._expected and len(found) < ALONG:
            expected = self._expected.popleft()
            if expected not in self._yes:
                found[expected] = None
        while self._yes and now - next(iter(self._yes.values())).asked_at >= KEEP_S:
            self._yes.popitem(last=False)
        in_vain = AHEAD_IN_VAIN if self._is_told else IN_VAIN
        # (Beside a question, where nginx is told: only those whose answer is too old for that.)
        until = self._ahead_until if self._ahead else now - (NGINX_ALLOW_S if self._is_told else ALONG_S)
        for viewing, yes in self._yes.items():
            if yes.asked_at > until or len(found) >= ALONG:
                break
            if yes.in_vain < in_vain:
                found[viewing] = None
        for viewing in wanted:
            found.pop(viewing, None)
        return list(found)

    def _keep(self, viewing: Viewing, stands: bool, now: float, *, is_wanted: bool) -> None:
        before = self._yes.pop(viewing, None)
        # Who asks has the answer by that.
        self.news.drop(viewing)
        if stands:
            if self._is_told and not is_wanted:
                self.news.put(viewing, now)
            self._yes[viewing] = _Yes(now, 0 if is_wanted else 1 + (before.in_vain if before else 0))
            while len(self._yes) > MOST:
                self._yes.popitem(last=False)

    def _fail(self, fault: BaseException) -> None:
        """Whoever waits hears of it; the next to ask tries again."""
        if not self._asking and not self._next and isinstance(fault, Exception):
            log.warning("who stands was not looked up ahead: %s", type(fault).__name__)
        for waiting in (*self._asking.values(), *self._next.values()):
            waiting.set_exception(fault)
            # Nobody may be left who waits for it.
            waiting.exception()
        self._asking, self._next = {}, {}
        self._end_ahead()

    def _end_ahead(self) -> None:
        if self._ahead:
            self._ahead.set_result(None)
            self._ahead = None

    def forget(self) -> None:
        self._yes.clear()
        self._no.clear()
        self._expected.clear()
        self._expected_at = self._read_at = float("-inf")
        self._is_told = False
        self.news.clear()
        self._end_ahead()


standing = Standing()
