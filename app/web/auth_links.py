"""Links from mails: joining and a new password. A GET only shows a form, since mail scanners open every link."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from app.accounts import joining, recovery
from app.accounts.permissions import Permission
from app.accounts.signing_in import Device
from app.clock import utcnow
from app.db import Db
from app.errors import BadInput, LimberError, LinkExpired
from app.i18n import N_, _
from app.web.guard import device_of, needs, set_session_cookie
from app.web.pages import Page, Pages, safe_next

router = APIRouter(dependencies=[needs(Permission.SIGNED_LINK)])

# What a reader without an account is offered instead of a new link; every other link asks for an account.
ELSEWHERE = {
    "/account": N_("Open my account"),
    "/articles": N_("Read the articles"),
    "/coming": N_("See what is in the making"),
    "/contact": N_("Send me an email"),
}
# The address bar holds a secret: it must not leave in a Referer header, nor stay in a cache.
SECRET = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


@dataclass(frozen=True)
class PasswordPage:
    """A mailed link that wants a password; `email` is whose, for password managers and for the eye."""

    token: str
    email: str
    error: str | None = None


@dataclass(frozen=True)
class DeadLinkPage:
    """A link that no longer works, where to go on from there, and the words for it."""

    sentence: str
    again_url: str
    again: str
    wants_login: bool


@dataclass(frozen=True)
class PasswordForm:
    """A password that was chosen with a mailed link, and the page that shows the form again."""

    request: Request
    page: Pages
    token: str
    password: str


async def password_form(
    request: Request,
    page: Page,
    token: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
) -> PasswordForm:
    """The form as it was sent."""
    return PasswordForm(request, page, token, password)


Sent = Annotated[PasswordForm, Depends(password_form)]


async def show_dead_link(page: Pages, gone: LimberError, again_url: str) -> Response:
    """The page of a link that is used up, too old or cut off; `again_url` is a page of ours (`ELSEWHERE`)."""
    words = ELSEWHERE.get(again_url)
    again = _(words) if words else _("Ask for a new link")
    shown = DeadLinkPage(gone.sentence, again_url, again, wants_login=words is None)
    return await page.show("auth/dead_link.html", shown, status=gone.status, headers=SECRET)


@router.get("/confirm")
async def confirm(page: Page, db: Db, token: str = "") -> Response:
    """GET /confirm: choose a password for the new account."""
    try:
        claims = await joining.read_link(db, token, utcnow())
    except LinkExpired as gone:
        return await show_dead_link(page, gone, "/join")
    return await page.show("auth/confirm.html", PasswordPage(token, claims.subject), headers=SECRET)


@router.post("/confirm")
async def finish_joining(sent: Sent, db: Db) -> Response:
    """POST /confirm: make the account, sign in, go on to the page that was wanted."""
    now = utcnow()

    async def whose() -> str:
        return (await joining.read_link(db, sent.token, now)).subject

    async def finish(device: Device) -> tuple[str, str]:
        return await joining.finish_joining(db, sent.token, sent.password, device, now)

    return await _finish(sent, ("/join", "auth/confirm.html"), whose, finish)


@router.get("/reset")
async def reset(page: Page, db: Db, token: str = "") -> Response:
    """GET /reset: choose a new password."""
    try:
        user, _next = await recovery.read_link(db, token, utcnow())
    except LinkExpired as gone:
        return await show_dead_link(page, gone, "/forgot")
    return await page.show("auth/reset.html", PasswordPage(token, user.email), headers=SECRET)


@router.post("/reset")
async def set_new_password(sent: Sent, db: Db) -> Response:
    """POST /reset: keep the new password, sign out every device, sign in on this one."""
    now = utcnow()

    async def whose() -> str:
        return (await recovery.read_link(db, sent.token, now))[0].email

    async def finish(device: Device) -> tuple[str, str]:
        return await recovery.set_new_password(db, sent.token, sent.password, device, now)

    return await _finish(sent, ("/forgot", "auth/reset.html"), whose, finish)


async def _finish(
    sent: PasswordForm,
    shape: tuple[str, str],
    whose: Callable[[], Awaitable[str]],
    finish: Callable[[Device], Awaitable[tuple[str, str]]],
) -> Response:
    """Use a link: on with a new cookie, or back to the form with a sentence. `shape`: where to ask again, template."""
    again_url, template = shape
    try:
        cookie, wanted = await finish(device_of(sent.request))
    except LinkExpired as gone:
        return await show_dead_link(sent.page, gone, again_url)
    except BadInput as refusal:
        shown = PasswordPage(sent.token, await whose(), refusal.sentence)
        return await sent.page.show(template, shown, status=422, headers=SECRET)
    response = RedirectResponse(safe_next(wanted), 303)
    set_session_cookie(response, cookie)
    return response
