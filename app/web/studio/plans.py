"""The studio's plans: what can be bought, for how much; withdrawn ones stay with those who pay them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from app.accounts import rules
from app.billing import offers, plans, price_moves
from app.billing.amounts import CURRENCIES, read_amount, write_amount
from app.billing.plan_models import Plan, PlanPrice
from app.billing.plan_rules import PlanDraft
from app.billing.rules import Scope
from app.catalog import queries as catalog
from app.clock import utcnow
from app.db import Db
from app.errors import BadInput
from app.i18n import _
from app.settings import get_settings
from app.web.guard import SignedIn
from app.web.pages import Page, Pages

router = APIRouter(prefix="/plans")


@dataclass(frozen=True)
class PlanLine:
    """`price`: what new members pay, None until it is at Stripe; `payers`: subscriptions that run."""

    plan: Plan
    price: PlanPrice | None
    payers: int
    scope: Scope

    @property
    def is_on_its_way(self) -> bool:
        """Saved here, not yet (or not yet with its newest price) at Stripe."""
        return self.plan.is_offered and (
            self.price is None or self.price.amount_cents != self.plan.amount_cents
        )


@dataclass(frozen=True)
class PlansPage:
    lines: list[PlanLine]
    courses: dict[UUID, str]
    is_buying_on: bool
    said: str = ""


@dataclass(frozen=True)
class PlanForm:
    """What was typed, as text, so that nothing is lost."""

    name: str = ""
    amount: str = ""
    interval: str = "month"
    currency: str = "usd"
    description: str = ""
    trial_days: str = "0"
    course_ids: tuple[str, ...] = ()
    lasts_months: str = ""
    is_giftable: bool = False
    also: Mapping[str, str] = field(default_factory=dict)
    pause_months: str = "0"
    trial_needs_card: bool = True
    after_trial: str = "cancel"
    stay_offer: str = "pause"
    stay_percent: str = ""
    stay_months: str = ""


@dataclass(frozen=True)
class PlanPage:
    """`plan` None: a new one. `courses`: what a plan can be for. `payers`: who keeps the old price, of whom
    `old_payers` have an older one than today's.
    """

    plan: Plan | None
    form: PlanForm
    courses: list[tuple[str, str]]
    currencies: tuple[str, ...]
    payers: int = 0
    old_payers: int = 0
    errors: dict[str, str] = field(default_factory=dict)


async def plan_form(
    request: Request,
    name: Annotated[str, Form()] = "",
    amount: Annotated[str, Form()] = "",
    interval: Annotated[str, Form()] = "month",
    currency: Annotated[str, Form()] = "usd",
    description: Annotated[str, Form()] = "",
    trial_days: Annotated[str, Form()] = "0",
    course_ids: Annotated[list[str] | None, Form()] = None,
    lasts_months: Annotated[str, Form()] = "",
    is_giftable: Annotated[str, Form()] = "",
    pause_months: Annotated[str, Form()] = "0",
    trial_without_card: Annotated[str, Form()] = "",
    after_trial: Annotated[str, Form()] = "cancel",
    stay_offer: Annotated[str, Form()] = "pause",
    stay_percent: Annotated[str, Form()] = "",
    stay_months: Annotated[str, Form()] = "",
) -> PlanForm:
    """The form as it was sent, without stray spaces; `amount_eur` and the like: what it costs in other currencies."""
    sent = await request.form()
    also = {code: str(sent.get(f"amount_{code}") or "").strip()[:16] for code in CURRENCIES}
    values = (name, amount, interval, currency, description, trial_days)
    name, amount, interval, currency, description, trial_days = (
        " ".join(rules.tidy(value).split())[:600] for value in values
    )
    chosen = tuple(one[:36] for one in (course_ids or [])[:200])
    return PlanForm(
        name,
        amount,
        interval,
        currency,
        description,
        trial_days,
        chosen,
        lasts_months.strip()[:10],
        bool(is_giftable),
        {code: text for code, text in also.items() if text},
        pause_months.strip()[:10],
        not trial_without_card,
        after_trial[:10],
        stay_offer[:10],
        stay_percent.strip()[:10],
        stay_months.strip()[:10],
    )


Typed = Annotated[PlanForm, Depends(plan_form)]


def _draft(form: PlanForm, kept: Plan | None = None, covered: tuple[UUID, ...] = ()) -> PlanDraft:
    """The form's values; numbers that are none become -1, which no plan may have.

    `kept` and `covered`: a plan that stays as it is in what it covers and how it is paid.
    """
    currency = kept.currency if kept else form.currency
    amount_cents = read_amount(form.amount, currency)
    days = form.trial_days or "0"
    return PlanDraft(
        name=form.name,
        amount_cents=_or_none_such(amount_cents),
        interval=kept.interval if kept else form.interval,
        currency=currency,
        description=form.description,
        trial_days=int(days) if days.isascii() and days.isdigit() and len(days) < 5 else -1,
        course_ids=covered if kept else _uuids(form.course_ids),
        lasts_months=kept.lasts_months if kept else _months(form.lasts_months),
        is_giftable=form.is_giftable,
        also={
            code: _or_none_such(read_amount(text, code))
            for code, text in form.also.items()
            if code != currency
        },
        pause_months=_months(form.pause_months) or 0,
        trial_needs_card=form.trial_needs_card,
        after_trial=form.after_trial,
        stay_offer=form.stay_offer,
        # Numbers of an offer that is not made are not looked at.
        stay_percent=(_months(form.stay_percent) or 0) if form.stay_offer == "discount" else 0,
        stay_months=(_months(form.stay_months) or 0) if form.stay_offer == "discount" else 0,
    )


def _or_none_such(amount_cents: int | None) -> int:
    return -1 if amount_cents is None else amount_cents


def _months(text: str) -> int | None:
    """None for good; -1, which no plan may have, for what is no number."""
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else -1


def _uuids(texts: tuple[str, ...]) -> tuple[UUID, ...]:
    """None at all for every course.

    Raises:
        BadInput: for what the list did not offer.
    """
    try:
        return tuple(UUID(text) for text in texts)
    except ValueError as fault:
        raise BadInput(_("This course is not there any more."), field="course_id") from fault


async def _courses(db: Db) -> list[tuple[str, str]]:
    return [
        (str(course.id), course.title) for course in await catalog.courses(db, utcnow(), with_drafts=True)
    ]


@router.get("")
async def plan_list(page: Page, db: Db, did: str = "") -> Response:
    """GET /studio/plans."""
    payers, scope = await offers.payers(db), await offers.scopes(db)
    shown = PlansPage(
        lines=[
            PlanLine(plan, price, payers.get(plan.id, 0), scope[plan.id])
            for plan, price in await offers.all_plans(db)
        ],
        courses={UUID(one): title for one, title in await _courses(db)},
        is_buying_on=get_settings().buying_enabled,
        said=did,
    )
    return await page.show("studio/plans/list.html", shown)


async def _form(
    page: Pages, db: Db, plan: Plan | None, form: PlanForm, refusal: BadInput | None = None
) -> Response:
    shown = PlanPage(
        plan=plan,
        form=form,
        courses=await _courses(db),
        currencies=CURRENCIES,
        payers=(await offers.payers(db)).get(plan.id, 0) if plan else 0,
        old_payers=sum(one.payers for one in await price_moves.old_prices(db, plan.id)) if plan else 0,
        errors={refusal.field or "_": refusal.sentence} if refusal else {},
    )
    return await page.show("studio/plans/plan.html", shown, status=refusal.status if refusal else 200)


def _back(did: str) -> Response:
    return RedirectResponse(f"/studio/plans?did={did}", 303)


@router.get("/new")
async def new_plan(page: Page, db: Db) -> Response:
    """GET /studio/plans/new."""
    return await _form(page, db, None, PlanForm())


@router.post("")
async def create_plan(page: Page, db: Db, viewer: SignedIn, form: Typed) -> Response:
    """POST /studio/plans."""
    try:
        await plans.create(db, viewer.user_id, _draft(form))
    except BadInput as refusal:
        return await _form(page, db, None, form, refusal)
    return _back("create")


@router.get("/{plan_id}")
async def plan(plan_id: UUID, page: Page, db: Db) -> Response:
    """GET /studio/plans/{id}."""
    found = await plans.find(db, plan_id)
    form = PlanForm(
        name=found.name,
        amount=write_amount(found.amount_cents, found.currency),
        description=found.description,
        trial_days=str(found.trial_days),
        is_giftable=found.is_giftable,
        also={
            code: write_amount(cents, code)
            for code, cents in (await plans.amounts_of(db, found)).items()
            if code != found.currency
        },
        pause_months=str(found.pause_months),
        trial_needs_card=found.trial_needs_card,
        after_trial=found.after_trial,
        stay_offer=found.stay_offer,
        stay_percent=str(found.stay_percent or ""),
        stay_months=str(found.stay_months or ""),
    )
    return await _form(page, db, found, form)


@router.post("/{plan_id}")
async def edit_plan(plan_id: UUID, page: Page, db: Db, viewer: SignedIn, form: Typed) -> Response:
    """POST /studio/plans/{id}."""
    found = await plans.find(db, plan_id)
    try:
        scope = (await offers.scopes(db))[plan_id]
        covered = tuple(course_id for course_id in scope if course_id is not None)
        await plans.edit(db, viewer.user_id, plan_id, _draft(form, found, covered))
    except BadInput as refusal:
        return await _form(page, db, found, form, refusal)
    return _back("edit")


@router.post("/{plan_id}/withdraw")
async def withdraw_plan(plan_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/plans/{id}/withdraw: nobody new can buy it; who has it keeps it."""
    await plans.offer(db, viewer.user_id, plan_id, False)
    return _back("withdraw")


@router.post("/{plan_id}/offer")
async def offer_plan(plan_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/plans/{id}/offer: on sale again."""
    await plans.offer(db, viewer.user_id, plan_id, True)
    return _back("offer")
