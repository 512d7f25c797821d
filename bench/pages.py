"""`pages`: an article with 200 responses, a course and a lesson, against a bare FastAPI route of as many bytes.

Twice: drawn each time (an address with a query is never kept), and as a reader who is not signed in gets it, from the
shelf of kept pages after one question for its mark (app/web/kept.py).

Each side is one process on the same machine, pool and PostgreSQL; the same clients ask both in turns over connections
that stay open. Readers are anonymous, as almost all are; the lesson is also drawn for a member who may watch it, which
is told and not judged. Beside requests a second stands what each cost the server in CPU, which other work on the
machine changes less.
"""

import asyncio
import itertools
import statistics
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from bench.load import cpu_s
from bench.streams import Web, serving
from bench.workshop import workshop

GOAL = 0.5
RESPONSES = 200
SECTIONS, LESSONS = 4, 8
# CPU is counted in hundredths of a second, so a round wants a second; an article takes four times as long as others.
REQUESTS = {"article": 250, "course": 1_000, "lesson": 1_000}
CONNECTIONS = 8
ROUNDS = 5
BARE = Path(__file__).resolve().parent / "bare_page.py"
PAGES = {
    "article": "/articles/bench",
    "course": "/courses/bench",
    "lesson": "/courses/bench/lesson-3",
}
# Buying is on, as on a real site; nothing of this asks Stripe.
STRIPE = {"STRIPE_SECRET_KEY": "sk_test_bench", "STRIPE_WEBHOOK_SECRET": "whsec_bench"}
WORDS = "Two seconds are enough when you come back for more of them, and a muscle that was never argued with lets go. "


async def fill(database_url: str) -> str:
    """A site as a teacher has it: an article of 1,500 words with 200 responses, a course of 32 lessons, a plan.

    Answers the cookie of a member who may watch all of it.
    """
    from app import db
    from app.articles.markdown import render_article
    from app.articles.models import Article
    from app.billing.plan_models import Plan, PlanPrice
    from app.clock import utcnow
    from app.practice.models import Location, Practice

    db.open_database(database_url, pool_size=1)
    try:
        async with db.transaction() as session:
            session.add(
                Practice(id=1, site_name="Bench", teacher_name="Bench", contact_email="b@example.com")
            )
            session.add_all(
                Location(city=city, street="1 Street", phone="555-0142", hours="9 to 5", position=n)
                for n, city in enumerate(("Honolulu", "Kailua"))
            )
            plan = Plan(slug="p", name="Monthly", interval="month", amount_cents=1900)
            session.add(plan)
            await session.flush()
            price = PlanPrice(stripe_price_id="price_1", plan_id=plan.id, amount_cents=1900, currency="usd")
            session.add(price)
            body = "\n\n".join(f"## Heading {n}\n\n" + WORDS * 12 for n in range(6))
            rendered = render_article(body)
            article = Article(
                slug="bench",
                title="Bench",
                summary="Bench.",
                body_md=body,
                body_html=rendered.html,
                word_count=rendered.word_count,
                state="published",
                published_at=utcnow(),
            )
            session.add(article)
            await session.flush()
            await _respond(session, article.id)
            await _teach(session)
            return await _join(session)
    finally:
        await db.close_database()


async def _respond(session: Any, article_id: Any) -> None:
    """200 responses; every other one answers the one before it, down to the sixth level."""
    from app.articles.markdown import render_response
    from app.articles.models import Comment
    from app.clock import utcnow

    before = None
    for number in range(RESPONSES):
        parent = before if number % 6 and number % 2 else None
        row = Comment(
            article_id=article_id,
            parent_id=parent,
            name=f"Reader {number}",
            email="r@example.com",
            is_author=number % 5 == 4,
            body_md=WORDS * 2,
            body_html=render_response(WORDS * 2 + "\n\n*Thank you.*"),
            state="approved",
            created_at=utcnow() - timedelta(days=RESPONSES - number),
        )
        session.add(row)
        await session.flush()
        before = row.id


async def _teach(session: Any) -> None:
    from app.catalog.models import Course, Lesson, Section
    from app.clock import utcnow
    from app.video.models import Video

    course = Course(slug="bench", title="Bench", summary=WORDS, body_md=WORDS * 8, state="published")
    course.published_at = utcnow()
    session.add(course)
    await session.flush()
    for part in range(SECTIONS):
        section = Section(course_id=course.id, title=f"Part {part}", position=part)
        session.add(section)
        await session.flush()
        for number in range(LESSONS):
            film = Video(
                title="B", source_filename="a.mp4", source_key="a", source_bytes=1, state="ready", version=1
            )
            film.duration_s = 600.0
            session.add(film)
            await session.flush()
            lesson = Lesson(
                course_id=course.id,
                section_id=section.id,
                slug=f"lesson-{part * LESSONS + number}",
                title=f"Lesson {part * LESSONS + number}",
                summary="Bench.",
                body_md=WORDS * 4,
                position=number,
                is_free=part == number == 0,
                state="published",
                published_at=utcnow(),
                video_id=film.id,
            )
            session.add(lesson)


async def _join(session: Any) -> str:
    """A member who is signed in, has watched a lesson, and has a right to all of them."""
    from sqlalchemy import select

    from app.access.models import Entitlement
    from app.accounts import sessions
    from app.accounts.models import User
    from app.catalog.models import Lesson
    from app.clock import utcnow
    from app.playback import progress
    from app.web.guard import cookie_name

    now = utcnow()
    user = User(email="m@example.com", name="M", password_hash="!", email_confirmed_at=now)
    session.add(user)
    await session.flush()
    session.add(Entitlement(user_id=user.id, source_kind="manual", source_id="bench", starts_at=now))
    first = await session.scalar(select(Lesson.id).where(Lesson.slug == "lesson-0"))
    await progress.save(session, user.id, first, 599.0, 600.0, now)
    token = await sessions.start(session, user, user_agent="", ip="127.0.0.1", now=now)
    return f"{cookie_name()}={token}"


@dataclass(frozen=True)
class Page:
    """What the reader got the first time."""

    path: str
    size: int


def look(port: int, path: str) -> Page:
    answer = httpx.get(f"http://127.0.0.1:{port}{path}", headers={"Accept": "text/html"}, trust_env=False)
    answer.raise_for_status()
    return Page(path, len(answer.content))


def _request(path: str, cookie: str = "") -> bytes:
    carried = f"Cookie: {cookie}\r\n" if cookie else ""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n{carried}\r\n".encode()


async def _answer(reader: asyncio.StreamReader) -> int:
    """The status of the next answer, its body read. As little work as can be: the clients share the machine."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
    await reader.readexactly(length)
    return int(head[9:12])


@dataclass(frozen=True)
class Asked:
    """Answers a second, and CPU milliseconds of the server for each."""

    rate: float
    cpu_ms: float


async def ask(web: Web, request: bytes, count: int) -> Asked:
    """So many same requests; each must be answered by 200.

    Raises:
        RuntimeError: it has another.
    """
    turns = itertools.repeat(request, count)

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
        for asked in turns:
            writer.write(asked)
            status = await _answer(reader)
            if status != 200:
                raise RuntimeError(f"answered {status}")
        writer.close()

    spent, began = cpu_s([web.pid]), time.perf_counter()
    await asyncio.gather(*(one() for _number in range(CONNECTIONS)))
    took, spent = time.perf_counter() - began, cpu_s([web.pid]) - spent
    return Asked(count / took, 1000 * spent / count)


def compare(web: Web, bare: Web, page: Page, count: int) -> dict[str, Any]:
    """Rounds in turns after one that is not counted, the first of a round changing; medians."""
    sides = [
        (web, _request(page.path + "?fresh=1")),
        (bare, _request(f"/bare/{page.size}")),
        (bare, _request(f"/plain/{page.size}")),
        (web, _request(page.path)),
    ]
    found: list[list[Asked]] = [[] for _side in sides]
    for number in range(ROUNDS + 1):
        for at in range(len(sides)) if number % 2 else reversed(range(len(sides))):
            asked = asyncio.run(ask(*sides[at], count))
            if number:
                found[at].append(asked)
    ours, theirs, text, kept = (statistics.median(one.rate for one in side) for side in found)
    cpu = [statistics.median(one.cpu_ms for one in side) for side in found]
    return {
        "ratio": round(ours / theirs, 3),
        "text_ratio": round(ours / text, 3),
        "kept_ratio": round(kept / theirs, 3),
        "pages_s": round(ours),
        "bare_s": round(theirs),
        "text_s": round(text),
        "cpu_ratio": round(cpu[1] / cpu[0], 3),
        "text_cpu_ratio": round(cpu[2] / cpu[0], 3),
        "kept_cpu_ratio": round(cpu[1] / cpu[3], 3),
        "cpu_ms": [round(one, 2) for one in cpu],
        "bytes": page.size,
    }


def of_member(web: Web, page: Page, cookie: str) -> dict[str, Any]:
    """What the page costs for who is signed in, for whom nothing is kept."""
    request = _request(page.path, cookie)
    asked = [asyncio.run(ask(web, request, REQUESTS["lesson"])) for _round in range(ROUNDS + 1)][1:]
    return {
        "pages_s": round(statistics.median(one.rate for one in asked)),
        "cpu_ms": round(statistics.median(one.cpu_ms for one in asked), 2),
    }


def run() -> dict[str, Any]:
    """Measure on servers and a database of their own; about two minutes."""
    with workshop() as (database_url, _folder):
        cookie = asyncio.run(fill(database_url))
        with serving([sys.executable, str(BARE)]) as bare, serving(None, **STRIPE) as web:
            found = {
                name: compare(web, bare, look(web.port, path), REQUESTS[name]) for name, path in PAGES.items()
            }
            member = of_member(web, Page(PAGES["lesson"], 0), cookie)
    drawn, kept = (min(one[name] for one in found.values()) for name in ("ratio", "kept_ratio"))
    return {
        "ratio": drawn,
        "kept_ratio": kept,
        "goal": GOAL,
        "met": min(drawn, kept) >= GOAL,
        **found,
        "lesson_of_a_member": member,
    }
