"""What responses no longer need is forgotten, and no thread loses anybody by it."""

from datetime import timedelta

from sqlalchemy import select

from app import db
from app.articles.models import Ban, Comment, SpentStamp
from app.articles.sweep import sweep
from app.clock import utcnow
from tests import factories


async def test_spam_addresses_stamps_and_old_bans_go_and_threads_stay(database: db.Database) -> None:
    now = utcnow()
    long_ago = now - timedelta(days=31)
    async with db.transaction() as session:
        article = await factories.article(session)

        async def put(name: str, state: str, **values: object) -> Comment:
            words = {"email": "x@example.com", "body_md": "x", "body_html": "<p>x</p>", "ip": "203.0.113.9"}
            facts = {"created_at": long_ago, "moderated_at": long_ago, **words, **values}
            row: Comment = await factories.save(
                session, Comment(article_id=article.id, name=name, state=state, **facts)
            )
            return row

        for state in ("approved", "pending", "spam", "removed", "withdrawn"):
            await put(state, state)
        await put("fresh spam", "spam", created_at=now)
        await put("spam since today", "spam", moderated_at=now)
        await put("imported spam", "spam", email_hash="abc")
        answered = await put("answered", "removed")
        await put("answer", "approved", parent_id=answered.id)
        for kind, value, ends_at, lifted_at in (
            ("address", "stands", None, None),
            ("network", "1.2.3.4/32", now - timedelta(days=91), None),
            ("address", "lifted", None, now - timedelta(days=91)),
            ("network", "5.6.7.8/32", now + timedelta(days=1), None),
        ):
            session.add(Ban(kind=kind, value=value, ends_at=ends_at, lifted_at=lifted_at))
        session.add(SpentStamp(challenge="old", spent_at=now - timedelta(days=3)))
        session.add(SpentStamp(challenge="new", spent_at=now))
    await sweep(now)
    async with db.transaction() as session:
        rows = {row.name: row.ip for row in await session.scalars(select(Comment))}
        bans = set(await session.scalars(select(Ban.value)))
        stamps = list(await session.scalars(select(SpentStamp.challenge)))
    assert set(rows) == {
        "approved", "pending", "fresh spam", "spam since today", "imported spam", "answered", "answer",
    }  # fmt: skip
    assert {name for name, ip in rows.items() if ip} == {"fresh spam"}
    assert bans == {"stands", "5.6.7.8/32"}
    assert stamps == ["new"]
