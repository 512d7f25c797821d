"""The form of a plan: what was typed, as text, and the draft that it means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Form, Request

from app.accounts import rules
from app.billing.amounts import CURRENCIES, read_amount, write_amount
from app.billing.plan_models import Plan
from app.billing.plan_rules import PlanDraft
from app.errors import BadInput
from app.i18n import _


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


def draft_of(form: PlanForm, kept: Plan | None = None, covered: tuple[UUID, ...] = ()) -> PlanDraft:
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


def form_of(plan: Plan, amounts: Mapping[str, int]) -> PlanForm:
    """The form of a plan as it is. `amounts`: currency → what it costs in it, in minor units."""
    return PlanForm(
        name=plan.name,
        amount=write_amount(plan.amount_cents, plan.currency),
        description=plan.description,
        trial_days=str(plan.trial_days),
        is_giftable=plan.is_giftable,
        also={code: write_amount(cents, code) for code, cents in amounts.items() if code != plan.currency},
        pause_months=str(plan.pause_months),
        trial_needs_card=plan.trial_needs_card,
        after_trial=plan.after_trial,
        stay_offer=plan.stay_offer,
        stay_percent=str(plan.stay_percent or ""),
        stay_months=str(plan.stay_months or ""),
    )
