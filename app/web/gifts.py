"""Gifts: choosing one and for whom, what was given, and making one's own what was given to one."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Annotated
from urllib.parse import quote, urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from app import db as database
from app.accounts.permissions import Permission
from app.billing import checkout, claiming, gifts, offers
from app.billing.claiming import GiftView
from app.billing.gifts import GiftDraft
from app.billing.models import Gift
from app.billing.offers import PlanOffer
from app.clock import current_zone, utcnow
from app.db import Db
from app.errors import BadInput, LimberError, LinkExpired, NotFound
from app.i18n import _
from app.settings import get_settings
from app.web.auth_links import SECRET, show_dead_link
from app.web.guard import BriefViewer, SignedIn, needs, needs_briefly
from app.web.pages import Page, Pages

router = APIRouter(tags=["gifts"])
# When people are awake: a mail at midnight is read as one more of the night's.
MORNING = time(9)


@dataclass(frozen=True)
class GiftForm:
    """What was typed, as text, so that nothing is lost."""

    plan: str = ""
    to_name: str = ""
    to_email: str = ""
    from_name: str = ""
    message: str = ""
    deliver_on: str = ""
    currency: str = ""


@dataclass(frozen=True)
class GiftPage:
    """`offers`: what can be given."""

    offers: list[PlanOffer]
    form: GiftForm
    is_buying_on: bool
    is_signed_in: bool
    errors: dict[str, str] = field(default_factory=dict)
    currencies: tuple[str, ...] = ()


@dataclass(frozen=True)
class GivenPage:
    """What a member has given, with the plans' names."""

    gifts: list[tuple[Gift, str]]
    said: str = ""
    error: str = ""


@dataclass(frozen=True)
class ClaimPage:
    """A gift, and the link that makes it somebody's. `login_url`, `join_url`: for whoever is not signed in."""

    gift: GiftView
    token: str
    login_url: str
    join_url: str
    error: str = ""


async def gift_form(
    plan: Annotated[str, Form()] = "",
    to_name: Annotated[str, Form()] = "",
    to_email: Annotated[str, Form()] = "",
    from_name: Annotated[str, Form()] = "",
    message: Annotated[str, Form()] = "",
    deliver_on: Annotated[str, Form()] = "",
    currency: Annotated[str, Form()] = "",
) -> GiftForm:
    """The form as it was sent."""
    return GiftForm(
        plan, to_name[:200], to_email[:300], from_name[:200], message[:2000], deliver_on[:20], currency[:3]
    )


@router.get("/gifts", dependencies=[needs(Permission.PUBLIC)])
async def gift(page: Page, db: Db, plan: str = "", currency: str = "") -> Response:
    """GET /gifts: what can be given, and for whom."""
    name = await gifts.name_of(db, page.viewer.user_id) if page.viewer else ""
    return await _form(page, db, GiftForm(plan=plan, from_name=name, currency=currency[:3]))


async def _form(page: Pages, db: Db, form: GiftForm, refusal: LimberError | None = None) -> Response:
    errors = {}
    if refusal is not None:
        errors = {(refusal.field if isinstance(refusal, BadInput) else None) or "_": refusal.sentence}
    givable = [one for one in await offers.offered_plans(db, form.currency) if one.is_giftable]
    shown = GiftPage(
        offers=givable,
        currencies=tuple(dict.fromkeys(code for one in givable for code in one.currencies)),
        form=form,
        is_buying_on=get_settings().buying_enabled,
        is_signed_in=page.viewer is not None,
        errors=errors,
    )
    return await page.show("gifts/gift.html", shown, status=refusal.status if refusal else 200)


@router.post("/gifts", dependencies=[needs_briefly(Permission.PUBLIC)])
async def give(
    request: Request, viewer: BriefViewer, form: Annotated[GiftForm, Depends(gift_form)]
) -> Response:
    """POST /gifts: off to Stripe's page; somebody without an account makes one first."""
    if viewer is None:
        chosen = {"plan": form.plan, "currency": form.currency}
        back = f"/gifts?{urlencode({key: value for key, value in chosen.items() if value})}"
        return RedirectResponse(f"/join?next={quote(back, safe='')}", 303)
    try:
        draft = GiftDraft(
            form.to_email, form.to_name, form.from_name, form.message, _deliver_at(form.deliver_on)
        )
        page = await checkout.start_gift(viewer.user_id, form.plan, draft, form.currency)
        return RedirectResponse(page, 303)
    except LimberError as refusal:
        async with database.transaction() as session:
            return await _form(Pages(request, session, viewer), session, form, refusal)


def _deliver_at(text: str) -> datetime:
    """The morning of that day where the practice is; now, where no day is given.

    Raises:
        BadInput: for what is no day.
    """
    if not text.strip():
        return utcnow()
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(_("Write the day as year, month, day: 2027-01-31."), field="deliver_on") from None
    return datetime.combine(day, MORNING, current_zone()).astimezone(UTC)


@router.get("/account/gifts", dependencies=[needs(Permission.MEMBER)])
async def given(page: Page, db: Db, viewer: SignedIn, did: str = "") -> Response:
    """GET /account/gifts: what the member has given."""
    return await page.show("gifts/given.html", GivenPage(await gifts.given_by(db, viewer.user_id), did))


@router.post("/account/gifts/{gift_id}/again", dependencies=[needs(Permission.MEMBER)])
async def again(gift_id: UUID, page: Page, db: Db, viewer: SignedIn) -> Response:
    """POST /account/gifts/{id}/again: the mail once more."""
    try:
        await gifts.send_again(db, viewer.user_id, gift_id, utcnow())
    except NotFound:
        raise
    except LimberError as refusal:
        shown = GivenPage(await gifts.given_by(db, viewer.user_id), error=refusal.sentence)
        return await page.show("gifts/given.html", shown, status=refusal.status)
    return RedirectResponse("/account/gifts?did=again", 303)


@router.get("/gifts/claim", dependencies=[needs(Permission.SIGNED_LINK)])
async def claim_form(page: Page, db: Db, token: str = "") -> Response:
    """GET /gifts/claim: shows the gift; mail scanners open every link, so only the button makes it somebody's."""
    try:
        found = await claiming.look(db, token, page.viewer.user_id if page.viewer else None, utcnow())
    except (LinkExpired, NotFound) as gone:
        return await show_dead_link(page, gone, "/contact")
    return await page.show("gifts/claim.html", _claim_page(found, token), headers=SECRET)


@router.post("/gifts/claim", dependencies=[needs(Permission.MEMBER)])
async def claim(page: Page, db: Db, viewer: SignedIn, token: Annotated[str, Form()] = "") -> Response:
    """POST /gifts/claim: it is the member's from now on."""
    now = utcnow()
    try:
        await claiming.claim(db, token, viewer.user_id, now)
    except (LinkExpired, NotFound) as gone:
        return await show_dead_link(page, gone, "/contact")
    except LimberError as refusal:
        found = await claiming.look(db, token, viewer.user_id, now)
        shown = _claim_page(found, token, refusal.sentence)
        return await page.show("gifts/claim.html", shown, status=refusal.status, headers=SECRET)
    return RedirectResponse("/library", 303)


def _claim_page(found: GiftView, token: str, error: str = "") -> ClaimPage:
    back = quote(f"/gifts/claim?{urlencode({'token': token})}", safe="")
    return ClaimPage(found, token, f"/login?next={back}", f"/join?next={back}", error)
