"""Signing in and out, joining, and asking for a new password: everything before somebody is known."""

from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from app.accounts import joining, recovery, rules, sessions, signing_in, throttle
from app.accounts.permissions import Permission
from app.clock import utcnow
from app.db import Db, transaction
from app.errors import BadInput, Forbidden, TooMany
from app.web import auth_links, origin
from app.web.guard import (
    BriefViewer,
    clear_session_cookie,
    cookie_name,
    device_of,
    needs,
    needs_briefly,
    set_session_cookie,
)
from app.web.origin import CameFrom, carried
from app.web.pages import Page, Pages, safe_next

router = APIRouter(tags=["accounts"])
router.include_router(auth_links.router)
PUBLIC = [needs(Permission.PUBLIC)]


@dataclass(frozen=True)
class LoginPage:
    """`next`: the path to go on to, or empty. `error`: the one sentence about what was typed."""

    next: str = ""
    email: str = ""
    error: str | None = None
    is_throttled: bool = False


@dataclass(frozen=True)
class JoinPage:
    next: str = ""
    email: str = ""
    name: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ForgotPage:
    next: str = ""
    email: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SentPage:
    """A mail is on its way to `email` (empty when the address bar holds none); `again_url` asks once more."""

    email: str
    again_url: str


def with_query(path: str, **values: str) -> str:
    """The path with those of the values that are not empty as its query."""
    query = urlencode({name: value for name, value in values.items() if value})
    return f"{path}?{query}" if query else path


def onward(value: str) -> str:
    """A typed or linked `next` when it is a path of this site, else nothing."""
    return safe_next(value, "")


@router.get("/login", dependencies=PUBLIC)
async def login(page: Page, next: str = "", email: str = "") -> Response:
    """GET /login: the form; whoever is signed in already goes on."""
    if page.viewer is not None:
        return RedirectResponse(onward(next) or _home(page.viewer.is_staff), 303)
    return await page.show("auth/login.html", LoginPage(onward(next), email[:254]))


# Briefly, because the count has a transaction of its own: twenty requests that each hold a connection while they
# wait for a second one would stand still.
@router.post("/login", dependencies=[needs_briefly(Permission.PUBLIC)])
async def sign_in(
    request: Request,
    viewer: BriefViewer,
    db: Db,
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",
) -> Response:
    """POST /login: a right password gets a new cookie and goes on; a wrong one keeps the typed address."""
    now, wanted, device = utcnow(), onward(next), device_of(request)
    page = Pages(request, db, viewer)
    if not await _count_sign_in(email, device.ip):
        shown = LoginPage(wanted, email[:254], TooMany().sentence, is_throttled=True)
        return await page.show("auth/login.html", shown, status=429, headers={"Retry-After": "900"})
    try:
        token = await signing_in.sign_in(db, email, password, device, now)
    except (BadInput, Forbidden) as refusal:
        shown = LoginPage(wanted, email[:254], refusal.sentence)
        return await page.show("auth/login.html", shown, status=refusal.status)
    signed_in = await sessions.find(db, token, now)
    response = RedirectResponse(wanted or _home(signed_in is not None and signed_in.is_staff), 303)
    set_session_cookie(response, token)
    return response


def _home(is_staff: bool) -> str:
    return "/studio" if is_staff else "/library"


async def _count_sign_in(email: str, ip: str) -> bool:
    """Whether one more try is allowed; counted even when the rest of the request fails."""
    async with transaction() as short:
        return await throttle.allow(short, rules.sign_in_buckets(email, ip), utcnow())


@router.post("/logout", dependencies=PUBLIC)
async def sign_out(request: Request, db: Db) -> Response:
    """POST /logout: end this device's sign-in; without one there is nothing to do."""
    token = request.cookies.get(cookie_name())
    if token:
        await signing_in.end_token(db, token, utcnow())
    response = RedirectResponse("/", 303)
    clear_session_cookie(response)
    return response


@router.get("/join", dependencies=PUBLIC)
async def join(page: Page, next: str = "", email: str = "") -> Response:
    """GET /join: name and address; whoever is signed in already goes on."""
    if page.viewer is not None:
        return RedirectResponse(onward(next) or _home(page.viewer.is_staff), 303)
    return await page.show("auth/join.html", JoinPage(onward(next), email[:254]))


@router.post("/join", dependencies=PUBLIC)
async def ask_to_join(
    request: Request,
    page: Page,
    db: Db,
    came_from: CameFrom,
    name: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",
) -> Response:
    """POST /join: mail the link by which the account is made; the answer is the same for every address."""
    wanted = onward(next)
    errors = _join_errors(name, email)
    status = 422
    if not errors and not await _may_mail(db, request, email):
        errors, status = {"_": TooMany().sentence}, 429
    if errors:
        shown = JoinPage(wanted, email[:254], name[:200], errors)
        return await page.show("auth/join.html", shown, status=status)
    address = await joining.ask_to_join(db, email, name, wanted, utcnow(), came_from)
    return RedirectResponse(carried("/join/sent", came_from, to=address, next=wanted), 303)


def _join_errors(name: str, email: str) -> dict[str, str]:
    """Every sentence at once, so that nobody mends one field only to meet the next."""
    found: dict[str, str] = {}
    for check, typed in ((rules.clean_name, name), (rules.clean_email, email)):
        try:
            check(typed)
        except BadInput as refusal:
            found[refusal.field or "_"] = refusal.sentence
    return found


async def _may_mail(db: Db, request: Request, email: str) -> bool:
    return await throttle.allow(db, rules.letter_buckets(email, device_of(request).ip), utcnow())


@router.get("/join/sent", dependencies=PUBLIC)
async def join_sent(page: Page, to: str = "", next: str = "") -> Response:
    """GET /join/sent: look into your mail."""
    return await _sent(page, "auth/join_sent.html", "/join", to, next)


@router.get("/forgot", dependencies=PUBLIC)
async def forgot(page: Page, next: str = "", email: str = "") -> Response:
    """GET /forgot: the address to send a link to."""
    known = page.viewer.email if page.viewer else ""
    return await page.show("auth/forgot.html", ForgotPage(onward(next), email[:254] or known))


@router.post("/forgot", dependencies=PUBLIC)
async def ask_for_new_password(
    request: Request,
    page: Page,
    db: Db,
    email: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",
) -> Response:
    """POST /forgot: mail a link; the answer is the same for every address."""
    wanted, status = onward(next), 422
    errors: dict[str, str] = {}
    try:
        rules.clean_email(email)
    except BadInput as refusal:
        errors["email"] = refusal.sentence
    if not errors and not await _may_mail(db, request, email):
        errors, status = {"email": TooMany().sentence}, 429
    if errors:
        return await page.show("auth/forgot.html", ForgotPage(wanted, email[:254], errors), status=status)
    address = await recovery.ask_for_new_password(db, email, utcnow(), wanted)
    return RedirectResponse(with_query("/forgot/sent", to=address, next=wanted), 303)


@router.get("/forgot/sent", dependencies=PUBLIC)
async def forgot_sent(page: Page, to: str = "", next: str = "") -> Response:
    """GET /forgot/sent: look into your mail."""
    return await _sent(page, "auth/forgot_sent.html", "/forgot", to, next)


async def _sent(page: Pages, template: str, again: str, to: str, next: str) -> Response:
    try:
        address = rules.clean_email(to)
    except BadInput:
        address = ""
    again_url = carried(again, origin.of(page.request), email=address, next=onward(next))
    return await page.show(template, SentPage(address, again_url))
