"""The studio's members: find somebody, see what they may watch and why, close an account, sign it out."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query
from fastapi.responses import RedirectResponse, Response

from app.access.explaining import Explained, explain
from app.access.queries import LedgerEntry, ledger_for
from app.accounts import bans, queries, rules
from app.accounts.models import User
from app.accounts.queries import Device
from app.billing.queries import Membership, membership_of
from app.billing.watch import Payment, payments_of
from app.catalog import outlines
from app.clock import utcnow
from app.db import Db
from app.errors import BadInput
from app.web.guard import SignedIn
from app.web.pages import Page, Pages
from app.web.studio.paging import page_number

router = APIRouter(prefix="/members")


@dataclass(frozen=True)
class MembersPage:
    """`url`: the list's address with its search, for the pages."""

    members: list[User]
    total: int
    page: int
    pages: int
    words: str


@dataclass(frozen=True)
class MemberPage:
    """`done`: what was just done (banned, unbanned, signed-out, refunded).

    `reason`, `error`: what was typed, and why not. `courses`: titles by id, for rights to a single course.
    """

    member: User
    devices: list[Device]
    membership: Membership | None
    rights: list[Explained]
    ledger: list[LedgerEntry]
    courses: dict[UUID, str]
    can_be_banned: bool
    payments: list[Payment]
    done: str = ""
    reason: str = ""
    error: str | None = None


@router.get("")
async def members(
    page: Page, db: Db, q: str = "", number: Annotated[str, Query(alias="page")] = "1"
) -> Response:
    """GET /studio/members?q=: accounts by name or address, the newest first."""
    words = " ".join(rules.tidy(q).split())[:200]
    found = await queries.members(db, words, page_number(number))
    shown = MembersPage(found.rows, found.total, found.page, found.pages, words)
    return await page.show("studio/members/list.html", shown)


@router.get("/{user_id}")
async def member(user_id: UUID, page: Page, db: Db, viewer: SignedIn, done: str = "") -> Response:
    """GET /studio/members/{id}."""
    return await _show(page, db, viewer.user_id, user_id, done=done)


async def _show(
    page: Pages,
    db: Db,
    actor_id: UUID,
    user_id: UUID,
    *,
    done: str = "",
    reason: str = "",
    refusal: BadInput | None = None,
) -> Response:
    now = utcnow()
    user = await queries.by_id(db, user_id)
    rights = await explain(db, user_id, now)
    titles: dict[UUID, str] = {}
    if any(right.course_id for right in rights):
        titles = {course.id: course.title for course in await outlines.courses(db, now, with_drafts=True)}
    shown = MemberPage(
        member=user,
        devices=await queries.devices(db, user_id, now),
        membership=await membership_of(db, user_id, now),
        rights=rights,
        ledger=await ledger_for(db, user_id),
        courses=titles,
        payments=await payments_of(db, user_id),
        can_be_banned=user.id != actor_id and not user.is_staff,
        done=done,
        reason=reason,
        error=refusal.sentence if refusal else None,
    )
    status = refusal.status if refusal else 200
    return await page.show("studio/members/member.html", shown, status=status)


def _back(user_id: UUID, done: str) -> Response:
    return RedirectResponse(f"/studio/members/{user_id}?done={done}", 303)


@router.post("/{user_id}/ban")
async def ban(
    user_id: UUID, page: Page, db: Db, viewer: SignedIn, reason: Annotated[str, Form()] = ""
) -> Response:
    """POST /studio/members/{id}/ban: close the account; every device is signed out at once."""
    reason = rules.tidy(reason)
    try:
        await bans.ban(db, viewer.user_id, user_id, reason, utcnow())
    except BadInput as refusal:
        return await _show(page, db, viewer.user_id, user_id, reason=reason, refusal=refusal)
    return _back(user_id, "banned")


@router.post("/{user_id}/unban")
async def unban(user_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/members/{id}/unban: open the account again."""
    await bans.unban(db, viewer.user_id, user_id)
    return _back(user_id, "unbanned")


@router.post("/{user_id}/sign-out")
async def sign_out(user_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/members/{id}/sign-out: end every sign-in of this account."""
    await bans.sign_out_everywhere(db, viewer.user_id, user_id, utcnow())
    return _back(user_id, "signed-out")
