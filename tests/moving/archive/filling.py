"""Fills a site so that every table that is exported has rows, with words and files that are hard to carry."""

import hashlib
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    Uuid,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app import storage
from app.access.models import EntitlementEntry
from app.accounts import passwords
from app.articles.markdown import render_article, render_response
from app.articles.models import ArticleRelation, ArticleTag, Comment, OldAddress, Tag
from app.clock import utcnow
from app.db import UtcDateTime
from app.moving.archive import contents
from app.practice.models import Location, Practice
from app.practice.navigation import HEADING, Kept, Navigation
from app.video.captions_models import CaptionTrack, Chapter
from tests import factories

PASSWORD = "quiet-river-stone-7"
HARD = "Ünï “códe” \\n \\ 'x' {\"a\": 1} 😀\u2028 =1+1"
BODY = "---\ntitle: not mine\n---\n\nFirst.\r\n\r\n- one\n- two\n\n```\nx = '\\\\'\n---\n```\n\nLast, with a tail  \n\n"
PICTURE = b"\xff\xd8 a picture"
VTT = "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nBreathe & let go.\n"
# What no rule of a table's columns tells.
VALUES: dict[str, dict[str, Any]] = {
    # One under way has nobody who goes on with it: see restoring.
    "caption_draft": {"state": "ready"},
    "clip": {"end_ms": 20_000, "state": "ready"},
    "gift": {"state": "paid"},
    "plan": {"interval": "month", "currency": "usd", "lasts_months": None, "is_giftable": False},
    "plan_amount": {"currency": "eur"},
    "search_document": {
        "course_id": None,
        "lesson_id": None,
        "track_id": None,
        "video_id": None,
        "term_id": None,
    },
}


# Hashing is slow on purpose.
_kept: list[str] = []


async def fill(session: AsyncSession) -> None:
    """A practice with people, articles, a course with one real and one lost film; then a row in what is still empty."""
    now = utcnow()
    below = (Kept("/muscles", "Muscles"), Kept("https://example.com/", "Shop"))
    menu = Navigation((Kept("/body", items=below),), (Kept(HEADING, "Small print", (Kept("/contact"),)),))
    practice = Practice(id=1, site_name="A practice & more", tagline=HARD[:200], teacher_name="Kai")
    practice.navigation = menu.as_json()
    session.add(practice)
    session.add(Location(city="Hilo", street="1 Shore Road", phone="+1 808 555 0100", hours="Mon 9-5"))
    secret = _kept[0] if _kept else await passwords.hashed(PASSWORD)
    _kept[:] = [secret]
    teacher = await factories.staff(session, email="teacher@example.com", name="Kai", password_hash=secret)
    member = await factories.user(session, email="member@example.com", name="=cmd()", password_hash=secret)
    course = await factories.course(session, slug="hips", title="Hips", body_md="All about *hips*.\n")
    section = await factories.section(session, course, title="First")
    film = await _film(session, teacher.id)
    lesson = await factories.lesson(
        session, section, slug="one", title="One", video_id=film.id, body_md="Lie down.", transcript_md=HARD
    )
    free = await factories.lesson(
        session, section, slug="two", is_free=True, video_id=None, title="Two", position=1
    )
    session.add(CaptionTrack(video_id=film.id, language="en", label="English", vtt=VTT))
    session.add(Chapter(video_id=film.id, at_s=3, title="A part"))
    right = await factories.entitlement(session, member, course_id=course.id)
    session.add(
        EntitlementEntry(
            entitlement_id=right.id, user_id=member.id, change="given", cause="a test", after={"n": 1.5}
        )
    )
    name = await _picture()
    body = f"{BODY}![A hip]({name})\n"
    first = await factories.article(
        session, slug="hip-pain", title="Hip pain: “why?”", summary=HARD, body_md=body,
        body_html=render_article(body).html, author_id=teacher.id, lesson_id=lesson.id,
    )  # fmt: skip
    second = await factories.article(session, slug="x" * 80, title="A long address", body_md="")
    await factories.article(session, slug="Not_A_Slug", state="draft", published_at=None)
    tag = Tag(slug="hips", name="Hips")
    session.add(tag)
    await session.flush()
    session.add_all(
        [
            ArticleTag(article_id=first.id, tag_id=tag.id),
            ArticleRelation(article_id=first.id, related_id=second.id),
            OldAddress(path="/2019/05/hip-pain", article_id=first.id),
        ]
    )
    await _thread(session, first.id, now)
    await _rest(session)
    assert free.video_id is None


async def _film(session: AsyncSession, teacher_id: Any) -> Any:
    video_id = uuid4()
    key = f"sources/{video_id}/original.mp4"
    video = await factories.video(
        session, id=video_id, title="One", source_key=key, source_bytes=len(FILM), uploaded_by=teacher_id,
        version=2, attempt=2, poster_choice="own", poster_own="p1", renditions=[{"folder": "720p"}],
    )  # fmt: skip
    await storage.put(key, FILM)
    for name in ("poster.jpg", "poster-small.jpg"):
        await storage.put(f"videos/{video_id}/own/p1/{name}", PICTURE)
        await storage.put(f"videos/{video_id}/own/p0/{name}", b"replaced")
        await storage.put(f"videos/{video_id}/2/{name}", PICTURE)
        await storage.put(f"videos/{video_id}/1/{name}", b"an older stream")
    await storage.put(f"videos/{video_id}/2/master.m3u8", b"#EXTM3U\n")
    await storage.put(f"videos/{video_id}/clips/{uuid4()}/1/clip.mp4", b"twenty seconds")
    await storage.put(f"sources/{uuid4()}/original.mp4", b"of a film that was deleted")
    return video


FILM = bytes(range(256)) * 9000


async def _picture() -> str:
    name = f"{hashlib.sha256(PICTURE).hexdigest()[:32]}-8x6.jpg"
    await storage.put(f"articles/{name[:2]}/{name}", PICTURE)
    return f"/pictures/{name}"


async def _thread(session: AsyncSession, article_id: Any, now: datetime) -> None:
    """Each answers the one before: by their random ids, some rows come before what they lead to."""
    parent = None
    for n, state in enumerate(("approved", "approved", "approved", "spam", "pending")):
        said = Comment(
            article_id=article_id, parent_id=parent, name=f"Reader {n}", email=f"r{n}@example.com",
            body_md=f"*Words* {HARD}", body_html=render_response("*Words*"), state=state,
            created_at=now - timedelta(days=9 - n, microseconds=123457),
        )  # fmt: skip
        session.add(said)
        await session.flush()
        parent = said.id if n < 2 else None


async def _rest(session: AsyncSession) -> None:
    """A row in each table that has none, made of what its columns say."""
    for table in contents.tables():
        if (await session.execute(select(table).limit(1))).first() is None:
            row = {c.name: await _value(session, table, c) for c in contents.columns(table)}
            row |= VALUES.get(table.name, {})
            try:
                async with session.begin_nested():
                    await session.execute(table.insert().values(row))
            except IntegrityError:
                # Some columns exclude each other: only what must be there.
                bare = {c.name: row[c.name] for c in contents.columns(table) if not c.nullable}
                await session.execute(table.insert().values(bare))


async def _value(session: AsyncSession, table: Table, column: Column[Any]) -> Any:
    for key in column.foreign_keys:
        return (await session.execute(select(key.column).limit(1))).scalar()
    for check in table.constraints:
        words = str(getattr(check, "sqltext", ""))
        if found := re.search(rf"\b{column.name} IN \('([^']*)'", words):
            return found[1]
    if column.name == "slug":
        return f"a-{table.name.replace('_', '-')}"
    kind = column.type
    if isinstance(kind, UtcDateTime):
        return datetime(2026, 5, 4, 3, 2, 1, 234567, UTC)
    if isinstance(kind, Date):
        return date(2026, 5, 4)
    if isinstance(kind, Boolean):
        return True
    if isinstance(kind, Float):
        return 0.1 + 0.2
    if isinstance(kind, BigInteger):
        return 2**53 + 1
    if isinstance(kind, Integer):
        return 1
    if isinstance(kind, Uuid):
        return uuid4()
    if isinstance(kind, JSONB):
        return {"words": HARD, "n": [1, 2.5, None, 10**18], "more": {}}
    if isinstance(kind, LargeBinary):
        return bytes(range(256))
    if isinstance(kind, TSVECTOR):
        return "'a':1 'hip':2A"
    assert isinstance(kind, String), f"{table.name}.{column.name}: give it a value in VALUES"
    return HARD[: kind.length or 200]
