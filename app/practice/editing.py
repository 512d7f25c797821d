"""Changes to the practice's facts and addresses; each leaves an audit entry."""

from dataclasses import asdict
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.permissions import Viewer
from app.errors import NotFound
from app.practice.models import Location, Practice
from app.practice.rules import LocationDraft, PracticeDraft


async def save_practice(db: AsyncSession, viewer: Viewer, draft: PracticeDraft) -> None:
    """Write checked settings, making the one row where there is none."""
    row = await db.get(Practice, 1)
    if row is None:
        row = Practice(id=1)
        db.add(row)
    changed = [name for name, value in asdict(draft).items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, getattr(draft, name))
    if changed:
        audit.record(db, viewer.user_id, "practice.save", "practice", 1, changed=changed)


async def add_location(db: AsyncSession, viewer: Viewer, draft: LocationDraft) -> Location:
    """A new address, after the others."""
    last = await db.scalar(select(func.max(Location.position)))
    place = Location(id=uuid4(), position=0 if last is None else last + 1, **asdict(draft))
    db.add(place)
    audit.record(db, viewer.user_id, "location.create", "location", place.id, city=place.city)
    return place


async def save_location(db: AsyncSession, viewer: Viewer, location_id: UUID, draft: LocationDraft) -> None:
    """Write a checked address.

    Raises:
        NotFound: when it is gone.
    """
    place = await _place(db, location_id)
    for name, value in asdict(draft).items():
        setattr(place, name, value)
    audit.record(db, viewer.user_id, "location.save", "location", place.id, city=place.city)


async def remove_location(db: AsyncSession, viewer: Viewer, location_id: UUID) -> None:
    """Delete an address.

    Raises:
        NotFound: when it is gone already.
    """
    place = await _place(db, location_id)
    audit.record(db, viewer.user_id, "location.delete", "location", place.id, city=place.city)
    await db.delete(place)


async def move_location_up(db: AsyncSession, viewer: Viewer, location_id: UUID) -> None:
    """Put an address before the one above it; the first one stays.

    Raises:
        NotFound: when it is gone.
    """
    place = await _place(db, location_id)
    places = list(await db.scalars(select(Location).order_by(Location.position, Location.id)))
    at = places.index(place)
    if at == 0:
        return
    places[at - 1], places[at] = places[at], places[at - 1]
    for position, other in enumerate(places):
        other.position = position
    audit.record(db, viewer.user_id, "location.move", "location", place.id, city=place.city)


async def _place(db: AsyncSession, location_id: UUID) -> Location:
    place: Location | None = await db.get(Location, location_id)
    if place is None:
        raise NotFound
    return place
