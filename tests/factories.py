"""Makes real rows for tests, each with one call; what a test does not name gets a plain, valid value."""

from datetime import timedelta
from itertools import count
from typing import Any

import httpx
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.access.models import Entitlement
from app.accounts import sessions
from app.accounts.models import User
from app.articles.models import Article
from app.catalog.models import Course, Lesson, Section
from app.clock import utcnow
from app.video.models import Video
from app.web.guard import cookie_name

_n = count(1)


async def save(session: AsyncSession, row: Any) -> Any:
    session.add(row)
    await session.flush()
    return row


async def user(session: AsyncSession, **values: Any) -> User:
    n = next(_n)
    defaults = {
        "email": f"person{n}@example.com",
        "name": f"Person {n}",
        "password_hash": "!",
        "email_confirmed_at": utcnow(),
    }
    row: User = await save(session, User(**{**defaults, **values}))
    return row


def kept(password: str) -> str:
    """A hash to keep of it, which takes no time to make and to verify: a real one takes a core for 50 ms, each time."""
    return Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)


async def staff(session: AsyncSession, **values: Any) -> User:
    return await user(session, **{"role": "staff", **values})


async def video(session: AsyncSession, **values: Any) -> Video:
    defaults = {
        "title": "A film",
        "source_filename": "film.mp4",
        "source_key": "sources/film.mp4",
        "source_bytes": 1000,
        "state": "ready",
        "version": 1,
        "duration_s": 24.0,
        "width_px": 1280,
        "height_px": 720,
        "percent": 100,
        "ready_at": utcnow(),
    }
    row: Video = await save(session, Video(**{**defaults, **values}))
    return row


async def course(session: AsyncSession, **values: Any) -> Course:
    n = next(_n)
    defaults = {"slug": f"course-{n}", "title": f"Course {n}", "state": "published", "published_at": utcnow()}
    row: Course = await save(session, Course(**{**defaults, **values}))
    return row


async def section(session: AsyncSession, course: Course, **values: Any) -> Section:
    row: Section = await save(session, Section(**{"course_id": course.id, "title": "Section", **values}))
    return row


async def lesson(session: AsyncSession, section: Section, **values: Any) -> Lesson:
    """A published, paid lesson with a ready video, unless told otherwise."""
    n = next(_n)
    defaults: dict[str, Any] = {
        "course_id": section.course_id,
        "section_id": section.id,
        "slug": f"lesson-{n}",
        "title": f"Lesson {n}",
        "state": "published",
        "published_at": utcnow(),
    }
    if "video_id" not in values:
        defaults["video_id"] = (await video(session)).id
    row: Lesson = await save(session, Lesson(**{**defaults, **values}))
    return row


async def entitlement(session: AsyncSession, user: User, **values: Any) -> Entitlement:
    n = next(_n)
    defaults = {
        "user_id": user.id,
        "source_kind": "staff",
        "source_id": f"test-{n}",
        "starts_at": utcnow() - timedelta(days=1),
    }
    row: Entitlement = await save(session, Entitlement(**{**defaults, **values}))
    return row


async def article(session: AsyncSession, **values: Any) -> Article:
    n = next(_n)
    defaults = {
        "slug": f"article-{n}",
        "title": f"Article {n}",
        "body_md": "Words.",
        "body_html": "<p>Words.</p>",
        "state": "published",
        "published_at": utcnow(),
    }
    row: Article = await save(session, Article(**{**defaults, **values}))
    return row


async def sign_in(client: httpx.AsyncClient, user: User) -> None:
    """Give the client a real session of this user."""
    async with db.transaction() as session:
        token = await sessions.start(session, user, user_agent="test", ip="127.0.0.1", now=utcnow())
    client.cookies.set(cookie_name(), token, domain=client.base_url.host)
