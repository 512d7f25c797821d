"""What the pages about courses show: outlines, offers and walls, made of what each domain knows."""

import itertools
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.rules import Denied, EntitlementFacts, Reason, covers, is_active
from app.accounts.permissions import Viewer
from app.articles.markdown import render_article
from app.billing.offers import PlanOffer, offered_plans, offers_of
from app.catalog.views import CourseView, OutlineLesson
from app.i18n import _
from app.playback.starting import refusal
from app.question import Answers
from app.settings import get_settings
from app.templating import clock, day
from app.web.origin import carried


class OutlineRow(NamedTuple):
    """A lesson as `_parts/course_outline.html` takes it apart. `number`: counted through all sections, from 1; `note`:
    a few words on how it stands."""

    number: int
    url: str
    title: str
    length: str
    note: str


@dataclass(frozen=True)
class OutlineGroup:
    title: str
    lessons: tuple[OutlineRow, ...]


@dataclass(frozen=True)
class Wall:
    """What stands where the player would: a sentence and up to three ways on, the first one first.

    `join_words`: on the second one's button, where it is not about an offer.
    """

    sentence: str
    login_url: str | None
    join_url: str | None
    offer: PlanOffer | None
    free: OutlineLesson | None
    join_words: str = ""


def outline(course: CourseView, finished: Collection[UUID], *, is_open: bool) -> tuple[OutlineGroup, ...]:
    """The course's outline; `is_open`: the viewer may watch all of it, so "free" tells them nothing."""
    numbers = itertools.count(1)
    watched, free = _("Watched"), "" if is_open else _("Free")

    def note(lesson: OutlineLesson) -> str:
        if lesson.state == "draft":
            return _("Draft")
        if lesson.is_soon:
            at = lesson.available_at
            return _("Out on %(day)s") % {"day": day(at)} if at else _("Not out yet")
        if finished and lesson.id in finished:
            return watched
        return free if lesson.is_free else ""

    def row(lesson: OutlineLesson) -> OutlineRow:
        length = clock(lesson.duration_s) if lesson.duration_s else ""
        return OutlineRow(next(numbers), lesson.url, lesson.title, length, note(lesson))

    return tuple(
        OutlineGroup(section.title, tuple(row(lesson) for lesson in section.lessons))
        for section in course.sections
    )


def begin_with(course: CourseView, finished: set[UUID], *, is_open: bool) -> OutlineLesson | None:
    """The first lesson that this viewer may watch and has not seen; when all are seen, the first again."""
    ready = [one for one in course.lessons if one.is_out and one.has_poster and (is_open or one.is_free)]
    return next((one for one in ready if one.id not in finished), ready[0] if ready else None)


def can_watch_all(
    viewer: Viewer | None, course_id: UUID, entitlements: list[EntitlementFacts], now: datetime
) -> bool:
    if viewer is None:
        return False
    return viewer.is_staff or any(
        covers(facts, course_id) and is_active(facts, now) for facts in entitlements
    )


async def offers_now(db: AsyncSession) -> list[PlanOffer]:
    """What can be bought now, in the teacher's order; nothing while buying is off."""
    return await offered_plans(db) if get_settings().buying_enabled else []


async def offer_for(db: AsyncSession, course_id: UUID | None) -> PlanOffer | None:
    """The plan offered at a wall: the first, in the teacher's order, that covers the course; while buying is on."""
    return _first(await offers_now(db), course_id)


def offer_of(found: Answers, course_id: UUID) -> PlanOffer | None:
    """The same, of an answer to `OFFERS`."""
    return _first(offers_of(found), course_id) if get_settings().buying_enabled else None


def _first(offers: Iterable[PlanOffer], course_id: UUID | None) -> PlanOffer | None:
    return next((one for one in offers if {None, course_id} & set(one.scope)), None)


def plans_url(back: str, came_from: str = "") -> str:
    return carried("/plans", came_from, next=back)


def login_url(back: str, came_from: str = "") -> str:
    """Whoever logs in lands on `back`, whose own offer carries the article on."""
    return carried("/login", came_from, next=carried(back, came_from))


def goes_on(stopped_by: str) -> str:
    """What a member reads whose membership rests, and who has nothing to buy; empty for anybody else. `stopped_by`: see
    `billing.queries.stopped_by`."""
    return {
        "waiting": _("Your trial is over. Give a card to go on watching."),
        "resting": _("Your membership rests. Let it go on to watch this."),
        "unpaid": _("Your membership rests until it is paid."),
        "disputed": _("A payment of yours is disputed. What it paid for rests until your bank has decided."),
        "returned": _("Your last payment was given back, so the paid lessons are closed."),
    }.get(stopped_by, "")


def wall_for(
    denied: Denied,
    viewer: Viewer | None,
    back: str,
    lesson_id: UUID,
    free: OutlineLesson | None,
    offer: PlanOffer | None,
    came_from: str = "",
    stopped_by: str = "",
) -> Wall:
    """The wall in front of a lesson (its path: `back`) that this viewer may not watch. `free`: another one to offer;
    `came_from`: the article that brought them; `stopped_by`: see `billing.queries.stopped_by`."""
    if denied.reason is Reason.ENDED and (rests := goes_on(stopped_by)):
        return Wall(rests, None, "/account", None, None, _("Open my account"))
    if denied.reason is Reason.ENDED and stopped_by == "trial":
        sentence = _("Your trial is over. Join to go on watching.")
    elif denied.reason is Reason.ENDED:
        sentence = _("Your membership has ended. Join again to go on watching.")
    elif denied.reason is Reason.NO_ENTITLEMENT:
        sentence = _("This lesson is part of the membership.")
    else:
        sentence = refusal(denied).sentence
    if offer is not None and denied.reason is Reason.ENDED:
        # A trial is given once.
        offer = replace(offer, trial_days=0)
    is_about_paying = denied.reason in (Reason.SIGN_IN, Reason.NO_ENTITLEMENT, Reason.ENDED)
    return Wall(
        sentence=sentence,
        login_url=login_url(back, came_from) if denied.reason is Reason.SIGN_IN and viewer is None else None,
        join_url=plans_url(back, came_from) if is_about_paying and offer is not None else None,
        offer=offer if is_about_paying else None,
        free=free if is_about_paying and free is not None and free.id != lesson_id else None,
    )


# What it makes depends on the text alone, and a course's is the same for each reader.
@lru_cache(maxsize=256)
def prose(text: str) -> Markup | None:
    """Markdown as clean HTML; None for nothing."""
    # Sanitised by nh3 inside.
    return Markup(render_article(text).html) if text.strip() else None  # noqa: S704
