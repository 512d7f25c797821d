"""Reads of the practice: what the header, the footer and the author box show."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import ScalarSelect, Text, cast, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.articles.models import Article
from app.articles.paths import size_of
from app.articles.rules import Suspicion
from app.articles.shown import shown
from app.db import Querying
from app.i18n import DEFAULT_LOCALE, current_locale
from app.practice import navigation
from app.practice.colours import CLAY
from app.practice.hours import Opening, openings
from app.practice.models import Location, Practice
from app.practice.navigation import Link, Navigation, PageLink
from app.practice.rules import PracticeWords
from app.question import Answers, Fact, ask


@dataclass(frozen=True)
class Place:
    """An address of the practice. `hours` may have several lines."""

    id: UUID
    city: str
    street: str
    postal_code: str
    region: str
    phone: str
    hours: str

    @property
    def openings(self) -> tuple[Opening, ...]:
        """What of `hours` programs can read."""
        return openings(self.hours, current_locale())


@dataclass(frozen=True)
class PracticeView(PracticeWords):
    """The practice as every page shows it."""

    site_name: str = "Limber"
    accent: str = CLAY
    logo: str = ""
    is_name_shown: bool = True
    navigation: dict[str, Any] | None = field(default=None, hash=False)
    locations: tuple[Place, ...] = ()
    # The published ones that the navigation may lead to.
    pages: tuple[PageLink, ...] = ()

    @cached_property
    def kept_navigation(self) -> Navigation:
        return navigation.from_json(self.navigation, self.pages)

    @cached_property
    def header_links(self) -> tuple[Link, ...]:
        return navigation.links(self.kept_navigation.header, self.pages)

    @cached_property
    def footer_links(self) -> tuple[Link, ...]:
        return navigation.links(self.kept_navigation.footer, self.pages)

    @property
    def logo_size(self) -> tuple[int, int] | None:
        """Width and height in pixels, of the file; None without a logo."""
        return size_of(self.logo) if self.logo else None


_FACTS = [column for column in Practice.__table__.columns if column.name != "id"]


def _places() -> Any:
    """Every address as a list of JSON, in its order."""
    columns = (
        Location.id,
        Location.city,
        Location.street,
        Location.postal_code,
        Location.region,
        Location.phone,
        Location.hours,
    )
    one = func.json_build_array(*columns)
    return select(func.json_agg(aggregate_order_by(one, Location.position, Location.id))).scalar_subquery()


def _pages() -> Any:
    """[id, slug, title] of each page that may stand in the navigation."""
    named = func.strpos(cast(Practice.navigation, Text), cast(Article.id, Text)) > 0
    one = func.json_build_array(Article.id, Article.slug, Article.title)
    return (
        select(func.json_agg(aggregate_order_by(one, Article.title)))
        .where(~Article.is_listed, shown(func.now()))
        .where(or_(Article.slug.in_(navigation.WELL_KNOWN), named))
        .correlate(Practice)
        .scalar_subquery()
    )


def _all() -> ScalarSelect[Any]:
    """Of the practice's one row, or of none: its columns, places and pages."""
    whole = func.json_build_array(func.json_build_array(*_FACTS), _places(), _pages())
    one = select(literal(1).label("one")).subquery()
    return select(whole).select_from(one).outerjoin(Practice, true()).scalar_subquery()


# What stands at the head and the foot of every page.
PRACTICE = Fact("practice", _all())


async def practice(db: Querying) -> PracticeView:
    """The practice, or plain defaults before anyone has filled it in."""
    return practice_of(await ask(db, PRACTICE))


def practice_of(found: Answers) -> PracticeView:
    """The same, of an answer to `PRACTICE`."""
    facts, places, linked = found[PRACTICE.name]
    locations = tuple(Place(UUID(one[0]), *one[1:]) for one in places or ())
    pages = tuple(PageLink(*one) for one in linked or ())
    told = {column.name: value for column, value in zip(_FACTS, facts, strict=True)}
    if told["site_name"] is None:
        return PracticeView(locations=locations, pages=pages)
    return PracticeView(**told, locations=locations, pages=pages)


async def time_zone(db: AsyncSession) -> str:
    """The name of the zone in which the practice lives."""
    return await db.scalar(select(Practice.time_zone).where(Practice.id == 1)) or "UTC"


async def language(db: Querying) -> str:
    """The locale of the interface and of mails."""
    return await db.scalar(select(Practice.language).where(Practice.id == 1)) or DEFAULT_LOCALE


async def letterhead(db: Querying) -> tuple[str, str, str]:
    """What every mail goes by: the practice's name (empty before it has one), its language, and its time zone."""
    row = (
        await db.execute(
            select(Practice.site_name, Practice.language, Practice.time_zone).where(Practice.id == 1)
        )
    ).first()
    return (row[0], row[1], row[2]) if row is not None else ("", DEFAULT_LOCALE, "UTC")


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
