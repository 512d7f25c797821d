"""The studio's plans: what can be bought, for how much; withdrawn ones stay with those who pay them."""

from dataclasses import dataclass, field
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from app.billing import offers, plans, price_moves
from app.billing.amounts import CURRENCIES
from app.billing.plan_models import Plan, PlanPrice
from app.billing.rules import Scope
from app.catalog import outlines
from app.clock import utcnow
from app.db import Db
from app.errors import BadInput
from app.settings import get_settings
from app.web.guard import SignedIn
from app.web.pages import Page, Pages
from app.web.studio.plan_form import PlanForm, Typed, draft_of, form_of

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


async def _courses(db: Db) -> list[tuple[str, str]]:
    return [
        (str(course.id), course.title) for course in await outlines.courses(db, utcnow(), with_drafts=True)
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
        await plans.create(db, viewer.user_id, draft_of(form))
    except BadInput as refusal:
        return await _form(page, db, None, form, refusal)
    return _back("create")


@router.get("/{plan_id}")
async def plan(plan_id: UUID, page: Page, db: Db) -> Response:
    """GET /studio/plans/{id}."""
    found = await plans.find(db, plan_id)
    return await _form(page, db, found, form_of(found, await plans.amounts_of(db, found)))


@router.post("/{plan_id}")
async def edit_plan(plan_id: UUID, page: Page, db: Db, viewer: SignedIn, form: Typed) -> Response:
    """POST /studio/plans/{id}."""
    found = await plans.find(db, plan_id)
    try:
        scope = (await offers.scopes(db))[plan_id]
        covered = tuple(course_id for course_id in scope if course_id is not None)
        await plans.edit(db, viewer.user_id, plan_id, draft_of(form, found, covered))
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
