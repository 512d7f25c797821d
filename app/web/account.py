"""A member's own account: name, address, password, devices and membership, each changed on a page of its own."""

from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from app.access.queries import active_for
from app.accounts import email_change, profile, queries, rules, sessions, throttle
from app.accounts.permissions import Permission
from app.accounts.queries import Device
from app.billing import customer_words
from app.billing.queries import Membership, Owned, membership_of, owned_by
from app.clock import utcnow
from app.db import Db
from app.errors import BadInput, Conflict, LinkExpired, TooMany
from app.web.auth_links import SECRET, show_dead_link
from app.web.guard import SignedIn, clear_session_cookie, device_of, needs, set_session_cookie
from app.web.pages import Page, Pages

router = APIRouter(tags=["account"])
MEMBER = [needs(Permission.MEMBER)]
LINK = [needs(Permission.SIGNED_LINK)]


@dataclass(frozen=True)
class AccountPage:
    """`owned`: bought once. `is_given`: may watch without paying.

    `done`: what was just changed (name, email, password, device), or empty.
    """

    name: str
    email: str
    membership: Membership | None
    owned: list[Owned]
    is_given: bool
    devices: list[Device]
    done: str


@dataclass(frozen=True)
class ChangePage:
    """One thing to change. `value`: the name or address as typed."""

    value: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class NewEmailPage:
    """The mailed link of a new address, before its button was pressed."""

    token: str
    email: str


@router.get("/account", dependencies=MEMBER)
async def account(page: Page, db: Db, viewer: SignedIn, done: str = "") -> Response:
    """GET /account: everything at a glance."""
    now = utcnow()
    membership = await membership_of(db, viewer.user_id, now)
    owned = await owned_by(db, viewer.user_id, now)
    rights = await active_for(db, viewer.user_id, now) if membership is None else []
    shown = AccountPage(
        name=viewer.name,
        email=viewer.email,
        membership=membership,
        owned=owned,
        is_given=bool(rights),
        devices=await queries.devices(db, viewer.user_id, now, this=viewer.session_id),
        done=done,
    )
    return await page.show("account/account.html", shown)


def _done(what: str) -> Response:
    return RedirectResponse(f"/account?done={what}", 303)


async def _again(page: Pages, what: str, value: str, refusal: BadInput) -> Response:
    shown = ChangePage(value, {refusal.field or "_": refusal.sentence})
    return await page.show(f"account/{what}.html", shown, status=refusal.status)


@router.get("/account/name", dependencies=MEMBER)
async def name_form(page: Page, viewer: SignedIn) -> Response:
    """GET /account/name."""
    return await page.show("account/name.html", ChangePage(viewer.name))


@router.post("/account/name", dependencies=MEMBER)
async def rename(page: Page, db: Db, viewer: SignedIn, name: Annotated[str, Form()] = "") -> Response:
    """POST /account/name."""
    try:
        await profile.rename(db, viewer.user_id, name)
        await customer_words.follow_account(db, viewer.user_id)
    except BadInput as refusal:
        return await _again(page, "name", name[:200], refusal)
    return _done("name")


@router.get("/account/email", dependencies=MEMBER)
async def email_form(page: Page) -> Response:
    """GET /account/email."""
    return await page.show("account/email.html", ChangePage())


@router.post("/account/email", dependencies=MEMBER)
async def ask_to_change_email(
    request: Request,
    page: Page,
    db: Db,
    viewer: SignedIn,
    email: Annotated[str, Form()] = "",
    current: Annotated[str, Form()] = "",
) -> Response:
    """POST /account/email: mail a link to the new address; the answer is the same whoever has it."""
    now = utcnow()
    buckets = (
        rules.reauthentication_bucket(viewer.user_id),
        *rules.letter_buckets(email, device_of(request).ip),
    )
    if not await throttle.allow(db, buckets, now):
        return await _too_many(page, "email", email[:254])
    try:
        await email_change.ask_to_change_email(db, viewer.user_id, email, current, now)
    except BadInput as refusal:
        return await _again(page, "email", email[:254], refusal)
    return _done("email")


async def _too_many(page: Pages, what: str, value: str = "") -> Response:
    shown = ChangePage(value, {"_": TooMany().sentence})
    return await page.show(f"account/{what}.html", shown, status=TooMany.status)


@router.get("/account/password", dependencies=MEMBER)
async def password_form(page: Page) -> Response:
    """GET /account/password."""
    return await page.show("account/password.html", ChangePage())


@router.post("/account/password", dependencies=MEMBER)
async def change_password(
    request: Request,
    page: Page,
    db: Db,
    viewer: SignedIn,
    current: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
) -> Response:
    """POST /account/password: every other device is signed out, this one gets a new cookie."""
    now = utcnow()
    if not await throttle.allow(db, [rules.reauthentication_bucket(viewer.user_id)], now):
        return await _too_many(page, "password")
    try:
        cookie = await profile.change_password(db, viewer.user_id, current, password, device_of(request), now)
    except BadInput as refusal:
        return await _again(page, "password", "", refusal)
    response = _done("password")
    set_session_cookie(response, cookie)
    return response


@router.post("/account/devices/{session_id}/sign-out", dependencies=MEMBER)
async def sign_out_device(db: Db, viewer: SignedIn, session_id: UUID) -> Response:
    """POST /account/devices/{id}/sign-out: another device, or this one."""
    await sessions.revoke(db, viewer.user_id, session_id, utcnow())
    if session_id == viewer.session_id:
        return _signed_out()
    return _done("device")


@router.post("/account/sign-out-everywhere", dependencies=MEMBER)
async def sign_out_everywhere(db: Db, viewer: SignedIn) -> Response:
    """POST /account/sign-out-everywhere: all devices, this one too."""
    await sessions.revoke_all(db, viewer.user_id, utcnow())
    return _signed_out()


def _signed_out() -> Response:
    response = RedirectResponse("/login", 303)
    clear_session_cookie(response)
    return response


@router.get("/change-email", dependencies=LINK)
async def new_email(page: Page, db: Db, token: str = "") -> Response:
    """GET /change-email: one button, since mail scanners open every link."""
    try:
        _user, email = await email_change.read_link(db, token, utcnow())
    except LinkExpired as gone:
        return await show_dead_link(page, gone, "/account/email")
    return await page.show("account/confirm_email.html", NewEmailPage(token, email), headers=SECRET)


@router.post("/change-email", dependencies=LINK)
async def finish_changing_email(page: Page, db: Db, token: Annotated[str, Form()] = "") -> Response:
    """POST /change-email: the new address counts from now on, and the old one is told."""
    try:
        user = await email_change.finish_changing_email(db, token, utcnow())
        await customer_words.follow_account(db, user.id)
    except LinkExpired as gone:
        return await show_dead_link(page, gone, "/account/email")
    except Conflict as taken:
        return await show_dead_link(page, taken, "/account/email")
    return RedirectResponse("/change-email/done", 303)


@router.get("/change-email/done", dependencies=[needs(Permission.PUBLIC)])
async def email_changed(page: Page) -> Response:
    """GET /change-email/done: also for whoever opened the link on a device that is not signed in."""
    return await page.show("account/email_changed.html")
