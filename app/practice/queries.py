"""Reads of the practice: what the header, the footer and the author box show."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.articles.rules import Suspicion
from app.db import Querying
from app.practice.models import Location, Practice


@dataclass(frozen=True)
class PracticeView:
    """The practice as every page shows it."""

    site_name: str = "Limber"
    tagline: str = ""
    teacher_name: str = ""
    teacher_role: str = ""
    teacher_bio: str = ""
    contact_email: str = ""
    time_zone: str = "UTC"
    is_marking: bool = False
    streams_at_once: int = 2
    most_links: int = 2
    held_words: str = ""
    locations: tuple[Location, ...] = ()


async def practice(db: AsyncSession) -> PracticeView:
    """The practice, or plain defaults before anyone has filled it in."""
    row = await db.get(Practice, 1)
    locations = tuple(await db.scalars(select(Location).order_by(Location.position)))
    if row is None:
        return PracticeView(locations=locations)
    return PracticeView(
        site_name=row.site_name,
        tagline=row.tagline,
        teacher_name=row.teacher_name,
        teacher_role=row.teacher_role,
        teacher_bio=row.teacher_bio,
        contact_email=row.contact_email,
        time_zone=row.time_zone,
        is_marking=row.is_marking,
        streams_at_once=row.streams_at_once,
        most_links=row.most_links,
        held_words=row.held_words,
        locations=locations,
    )


async def time_zone(db: AsyncSession) -> str:
    """The name of the zone in which the practice lives."""
    return await db.scalar(select(Practice.time_zone).where(Practice.id == 1)) or "UTC"


async def streams_at_once(db: Querying) -> int:
    """How many films one member may watch at the same time."""
    return await db.scalar(select(Practice.streams_at_once).where(Practice.id == 1)) or 2


async def suspicion(db: AsyncSession) -> Suspicion:
    """Which responses wait for the teacher, whoever wrote them."""
    row = (await db.execute(select(Practice.most_links, Practice.held_words).where(Practice.id == 1))).first()
    return Suspicion() if row is None else Suspicion(row.most_links, tuple(row.held_words.split("\n")))


async def mail_recipients(db: AsyncSession) -> tuple[str, ...]:
    """Who is told of new responses and messages: the practice's address, or all staff while none is set."""
    row = await db.get(Practice, 1)
    if row is not None and row.contact_email:
        return (row.contact_email,)
    staff = await db.scalars(
        select(User.email).where(User.role == "staff", User.banned_at.is_(None)).order_by(User.email)
    )
    return tuple(staff)


async def location(db: AsyncSession, location_id: UUID) -> Location | None:
    found: Location | None = await db.get(Location, location_id)
    return found
