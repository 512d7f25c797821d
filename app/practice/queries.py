"""Reads of the practice: what the header, the footer and the author box show."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

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
        locations=locations,
    )
