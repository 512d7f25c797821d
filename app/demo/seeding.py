"""Fills the demo once, piece by piece, through the real doors; a start that was cut off goes on where it stopped."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from sqlalchemy import select

from app import db
from app.accounts.joining import add_user
from app.accounts.models import User
from app.accounts.permissions import Viewer
from app.billing import plans
from app.billing.plan_models import Plan, PlanPrice
from app.clock import utcnow
from app.demo import films, texts, visitors
from app.demo.own_pages import add_pages
from app.demo.processes import Fault
from app.demo.writing import add_articles, add_captions, add_course, add_practice, add_terms, publish_course
from app.settings import get_settings
from app.video.models import Video

PASSWORD = "limber-demo"  # noqa: S105 (the demo's public password, printed at its start)
TEACHER, MEMBER, VISITOR = "teacher@example.com", "member@example.com", "visitor@example.com"
PEOPLE = (
    (TEACHER, texts.practice().teacher_name, "staff"),
    (MEMBER, "Mele Kahale", "member"),
    (VISITOR, "Noa Pili", "member"),
)
PLANS = (
    plans.PlanDraft(
        name="Monthly membership", slug="monthly", amount_cents=1900, interval="month",
        description="Every lesson, and each new one as it comes out. Stop whenever you like.",
        pause_months=3, stay_offer="discount", stay_percent=30, stay_months=3,
    ),
    plans.PlanDraft(
        name="Yearly membership", slug="yearly", amount_cents=19000, interval="year",
        description="Every lesson for a year, for the price of ten months.",
    ),
    plans.PlanDraft(
        name="Three months for somebody", slug="three-months", amount_cents=4900, interval="once",
        description="Every lesson for three months, paid once. A gift for a friend with a stubborn hip.",
        lasts_months=3, is_giftable=True,
    ),
)  # fmt: skip
PATIENCE_S = 300


class TookTooLong(Fault):
    """Something that the demo waits for did not happen; the message says what."""


async def fill(environment: dict[str, str], tell: Callable[[str], None]) -> None:
    """Make the demo's people, words, films and membership, unless they are there.

    Raises:
        TookTooLong: when an encode or the stand-in does not come to an end.
    """
    db.open_database(environment["DATABASE_URL"], pool_size=4)
    try:
        teacher = await _people()
        await add_practice(teacher)
        await add_course(teacher)
        await asyncio.gather(_films(tell), _plans(teacher))
        await add_captions(teacher)
        await publish_course(teacher)
        await add_articles(teacher)
        await add_pages(teacher)
        await add_terms(teacher)
        await _membership()
    finally:
        await db.close_database()


async def _people() -> Viewer:
    async with db.transaction() as session:
        known = set(await session.scalars(select(User.email)))
        for email, name, role in PEOPLE:
            if email not in known:
                # So that the studio can show what an article earns.
                came_from = texts.articles()[0].slug if role == "member" else ""
                await add_user(
                    session,
                    email=email,
                    name=name,
                    password=PASSWORD,
                    now=utcnow(),
                    role=role,
                    came_from=came_from,
                )
        teacher = (await session.scalars(select(User).where(User.email == TEACHER))).one()
    return Viewer(teacher.id, teacher.id, teacher.name, teacher.email, is_staff=True, is_confirmed=True)


async def _films(tell: Callable[[str], None]) -> None:
    """Draw each film that is missing and upload it, while the worker encodes the ones before it."""
    async with db.transaction() as session:
        known = set(await session.scalars(select(Video.source_filename)))
    missing = [film for film in films.FILMS if f"{film.slug}.mp4" not in known]
    if missing:
        tell(
            f"Drawing, uploading and encoding {len(missing)} films. This happens once, and takes a minute or two."
        )
    async with visitors.browser(get_settings().base_url) as client:
        if missing:
            await visitors.sign_in(client, TEACHER, PASSWORD)
        with tempfile.TemporaryDirectory(prefix="limber-films-") as scratch:
            for film in missing:
                path = Path(scratch) / f"{film.slug}.mp4"
                await asyncio.to_thread(films.draw, film, path)
                await visitors.upload(client, path)
                tell(f"  {film.title}")
                path.unlink()
    await _until(_all_films_are_ready, "the films to be encoded")


async def _all_films_are_ready() -> bool:
    async with db.transaction() as session:
        rows = (await session.execute(select(Video.source_filename, Video.state, Video.failure))).all()
    states = {row.source_filename: row.state for row in rows}
    failed = [f"{row.source_filename}: {row.failure}" for row in rows if row.state == "failed"]
    if failed:
        raise TookTooLong("A film of the demo could not be encoded. " + " ".join(failed))
    return all(states.get(f"{film.slug}.mp4") == "ready" for film in films.FILMS)


async def _plans(teacher: Viewer) -> None:
    async with db.transaction() as session:
        known = set(await session.scalars(select(Plan.slug)))
        for draft in PLANS:
            if draft.slug not in known:
                await plans.create(session, teacher.user_id, draft)
    await _until(_plans_can_be_bought, "the plans to be at the Stripe stand-in")


async def _plans_can_be_bought() -> bool:
    async with db.transaction() as session:
        priced = set(await session.scalars(select(PlanPrice.plan_id).where(PlanPrice.is_current)))
    return len(priced) >= len(PLANS)


async def _membership() -> None:
    """The member pays as anybody does, at the stand-in's page, once."""
    from app.access.queries import facts_for

    async with db.transaction() as session:
        member = (await session.scalars(select(User).where(User.email == MEMBER))).one()
        if await facts_for(session, member.id):
            return
    async with visitors.browser(get_settings().base_url) as client:
        # Readers who looked, and went on reading.
        for n, article in enumerate(texts.articles()[:4]):
            for _reader in range(9 - 2 * n):
                await visitors.open_offer(client, article.slug)
        await visitors.sign_in(client, MEMBER, PASSWORD)
        await visitors.pay(client, PLANS[0].slug, "/library", texts.articles()[0].slug)

    async def is_entitled() -> bool:
        async with db.transaction() as session:
            return bool(await facts_for(session, member.id))

    await _until(is_entitled, "the member's payment to arrive")


async def _until(happened: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not await happened():
        if time.monotonic() > deadline:
            raise TookTooLong(f"Waited {PATIENCE_S} seconds for {what}. The folder logs/ may say why.")
        await asyncio.sleep(0.3)
