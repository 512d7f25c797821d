"""`kill -9` of the worker while it tells those who wait: nobody is left out; doubled is at most what was under way."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import func, select

from app import db
from app.clock import utcnow
from app.waiting.models import Topic, Waiting
from bench.start import free_ports
from tests import factories
from tests.video.crashing import Workers

pytestmark = pytest.mark.long

ADDRESSES = 260
# As many mails as one worker hands over at once.
UNDER_WAY = 20
GIVE_UP_S = 240


class SlowBox:
    """A mail server that takes its time, so that there is always something under way."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        self.taken.update(envelope.rcpt_tos)
        await asyncio.sleep(0.2)
        return "250 OK"


async def until(box: SlowBox, count: int) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    while len(box.taken) < count:
        assert time.monotonic() < deadline, f"{len(box.taken)} of {count} came"
        await asyncio.sleep(0.05)


async def test_each_confirmed_address_is_told_although_workers_are_killed_in_between(
    database: db.Database, record_property: Callable[[str, object], None]
) -> None:
    async with db.transaction() as session:
        article = await factories.article(session, slug="neck")
        topic = await factories.save(session, Topic(slug="neck", title="Neck", article_id=article.id))
        session.add_all(
            Waiting(topic_id=topic.id, email=f"a{n}@example.com", confirmed_at=utcnow())
            for n in range(ADDRESSES)
        )
    box, port = SlowBox(), free_ports()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    crew, doubled = Workers(database.url), 0
    try:
        for count in (ADDRESSES // 5, ADDRESSES // 2):
            crew.start(1, SMTP_URL=f"smtp://127.0.0.1:{port}")
            await until(box, count)
            crew.kill(next(iter(crew.running)))
            doubled += UNDER_WAY
        crew.start(1, SMTP_URL=f"smtp://127.0.0.1:{port}")
        await until(box, ADDRESSES)
        # Were there more to come, they would come now.
        await asyncio.sleep(5)
    finally:
        await asyncio.to_thread(crew.end)
        server.stop()
    assert set(box.taken) == {f"a{n}@example.com" for n in range(ADDRESSES)}
    twice = sum(box.taken.values()) - ADDRESSES
    record_property("note", f"{ADDRESSES} addresses, two workers killed: {twice} mails went twice")
    assert twice <= doubled
    assert max(box.taken.values()) <= 3
    async with db.transaction() as session:
        assert await session.scalar(select(func.count()).where(Waiting.told_at.is_(None))) == 0
