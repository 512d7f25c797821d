"""The studio's rights to watch of one member: why they may watch, giving a right, taking one."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from app.access import entitlements
from app.access.explaining import Explained, explain
from app.access.queries import LedgerEntry, ledger_for
from app.accounts import queries, rules
from app.accounts.models import User
from app.catalog import outlines
from app.clock import utcnow
from app.db import Db
from app.errors import BadInput, NotFound
from app.i18n import _
from app.web.guard import SignedIn
from app.web.pages import Page, Pages

router = APIRouter(prefix="/members/{user_id}/entitlements")
MAX_REASON = 500


@dataclass(frozen=True)
class EntitlementsPage:
    """`courses`: titles by id, for the form and for rights to a single course. `form`: what was typed."""

    member: User
    rights: list[Explained]
    ledger: list[LedgerEntry]
    courses: dict[UUID, str]
    form: dict[str, str]
    said: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TakePage:
    """One right, before it is taken."""

    member: User
    right: Explained
    course: str | None
    reason: str = ""
    errors: dict[str, str] = field(default_factory=dict)


async def _titles(db: Db) -> dict[UUID, str]:
    return {course.id: course.title for course in await outlines.courses(db, utcnow(), with_drafts=True)}


async def _show(
    page: Pages,
    db: Db,
    user_id: UUID,
    form: dict[str, str],
    *,
    said: str = "",
    refusal: BadInput | None = None,
) -> Response:
    shown = EntitlementsPage(
        member=await queries.by_id(db, user_id),
        rights=await explain(db, user_id, utcnow()),
        ledger=await ledger_for(db, user_id),
        courses=await _titles(db),
        form=form,
        said=said,
        errors={refusal.field or "_": refusal.sentence} if refusal else {},
    )
    return await page.show(
        "studio/members/entitlements.html", shown, status=refusal.status if refusal else 200
    )


@router.get("")
async def rights(user_id: UUID, page: Page, db: Db, did: str = "") -> Response:
    """GET /studio/members/{id}/entitlements: every right, its cause, and what would change it."""
    return await _show(page, db, user_id, {"course_id": "", "ends_on": "", "reason": ""}, said=did)


@router.post("")
async def give(
    user_id: UUID,
    page: Page,
    db: Db,
    viewer: SignedIn,
    course_id: Annotated[str, Form()] = "",
    ends_on: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """POST /studio/members/{id}/entitlements: for one course or every one, with a reason and perhaps a last day."""
    form = {"course_id": course_id[:40], "ends_on": ends_on.strip()[:40], "reason": _reason(reason)}
    try:
        course = await _course(db, form["course_id"])
        await entitlements.give(
            db,
            user_id,
            course,
            _end_of(form["ends_on"]),
            reason=form["reason"],
            by=viewer.name,
            now=utcnow(),
            actor_id=viewer.user_id,
        )
    except BadInput as refusal:
        return await _show(page, db, user_id, form, refusal=refusal)
    return RedirectResponse(f"/studio/members/{user_id}/entitlements?did=give", 303)


@router.get("/{entitlement_id}/take")
async def take_form(user_id: UUID, entitlement_id: UUID, page: Page, db: Db) -> Response:
    """GET /studio/members/{id}/entitlements/{id}/take: says what will end, and asks why."""
    return await _show_take(page, db, user_id, entitlement_id)


async def _show_take(
    page: Pages,
    db: Db,
    user_id: UUID,
    entitlement_id: UUID,
    reason: str = "",
    refusal: BadInput | None = None,
) -> Response:
    found = {one.entitlement_id: one for one in await explain(db, user_id, utcnow())}
    right = found.get(entitlement_id)
    if right is None or not right.can_be_taken:
        raise NotFound
    course = (await _titles(db)).get(right.course_id) if right.course_id else None
    errors = {refusal.field or "_": refusal.sentence} if refusal else {}
    shown = TakePage(await queries.by_id(db, user_id), right, course, reason, errors)
    return await page.show("studio/members/take.html", shown, status=refusal.status if refusal else 200)


@router.post("/{entitlement_id}/take")
async def take(
    user_id: UUID,
    entitlement_id: UUID,
    page: Page,
    db: Db,
    viewer: SignedIn,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """POST /studio/members/{id}/entitlements/{id}/take: it ends now. What a payment gives stays with the payment.

    Raises:
        Conflict: for a right that follows from a payment.
    """
    why = _reason(reason)
    try:
        await entitlements.take(
            db, user_id, entitlement_id, reason=why, by=viewer.name, now=utcnow(), actor_id=viewer.user_id
        )
    except BadInput as refusal:
        return await _show_take(page, db, user_id, entitlement_id, why, refusal)
    return RedirectResponse(f"/studio/members/{user_id}/entitlements?did=take", 303)


def _reason(text: str) -> str:
    return " ".join(rules.tidy(text).split())[:MAX_REASON]


async def _course(db: Db, text: str) -> UUID | None:
    if text in ("", "every"):
        return None
    found = {str(one): one for one in await _titles(db)}.get(text)
    if found is None:
        raise BadInput(_("This course is not there any more."), field="course_id")
    return found


def _end_of(text: str) -> datetime | None:
    """The last second of that day, UTC; None for no end.

    Raises:
        BadInput: for what is no day.
    """
    if not text:
        return None
    try:
        last = date.fromisoformat(text)
    except ValueError as fault:
        raise BadInput(_("Write the last day as year, month, day: 2027-01-31."), field="ends_on") from fault
    return datetime.combine(last, time(23, 59, 59), UTC)
