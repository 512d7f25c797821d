"""What a plan may be, before anything is written: the form's values and what can be sold. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from app.billing.amounts import CURRENCIES
from app.errors import BadInput
from app.i18n import _

MAX_TRIAL_DAYS = 90
MAX_NAME = 120
MAX_MONTHS = 120
MAX_DESCRIPTION = 500
MAX_PAUSE_MONTHS = 6
# Stripe takes up to eight digits of the minor unit.
MAX_AMOUNT_CENTS = 99_999_999
MAX_STAY_PERCENT = 90
MAX_STAY_MONTHS = 12


@dataclass(frozen=True)
class PlanDraft:
    """What the form says. `amount_cents` is in the currency's minor unit; no `course_ids`: every course.

    `also`: what it costs in other currencies, each in its own minor unit. The rest: see `Plan`.
    """

    name: str
    amount_cents: int
    interval: str = "month"
    currency: str = "usd"
    description: str = ""
    trial_days: int = 0
    course_ids: tuple[UUID, ...] = ()
    lasts_months: int | None = None
    is_giftable: bool = False
    pause_months: int = 0
    slug: str = ""
    also: Mapping[str, int] = field(default_factory=dict)
    trial_needs_card: bool = True
    after_trial: str = "cancel"
    stay_offer: str = "pause"
    stay_percent: int = 0
    stay_months: int = 0


def check(draft: PlanDraft) -> None:
    """What can be sold.

    Raises:
        BadInput: with the field, for what cannot.
    """
    if not 0 < len(draft.name.strip()) <= MAX_NAME:
        raise BadInput(_("Give the plan a short name that members recognise on their bill."), field="name")
    if len(draft.description) > MAX_DESCRIPTION:
        raise BadInput(_("Please keep the description below 500 characters."), field="description")
    if not 0 < draft.amount_cents <= MAX_AMOUNT_CENTS:
        raise BadInput(_("Say what the plan costs, for example 18 or 18.50."), field="amount")
    if draft.interval not in ("month", "year", "once"):
        raise BadInput(_("Choose how often it is paid."), field="interval")
    if draft.currency not in CURRENCIES:
        raise BadInput(_("Choose one of these currencies."), field="currency")
    for currency, cents in draft.also.items():
        if currency not in CURRENCIES or currency == draft.currency or not 0 < cents <= MAX_AMOUNT_CENTS:
            raise BadInput(
                _("Say what the plan costs in %(currency)s, or leave it empty.")
                % {"currency": currency.upper()},
                field=f"amount_{currency}",
            )
    _check_times(draft)
    _check_trial(draft)
    _check_stay(draft)


def _check_times(draft: PlanDraft) -> None:
    if draft.lasts_months is not None and not 0 < draft.lasts_months <= MAX_MONTHS:
        raise BadInput(
            _("Say for how many months, 1 to 120, or leave it empty for good."), field="lasts_months"
        )
    if draft.interval != "once" and draft.lasts_months is not None:
        raise BadInput(_("Only what is paid once lasts some months. Leave this empty."), field="lasts_months")
    if draft.interval != "once" and draft.is_giftable:
        raise BadInput(_("Only what is paid once can be given as a gift."), field="is_giftable")
    if not 0 <= draft.pause_months <= MAX_PAUSE_MONTHS:
        raise BadInput(_("A pause lasts 1 to 6 months, or 0 for none."), field="pause_months")
    if draft.interval != "month" and draft.pause_months:
        raise BadInput(
            _("Only what is paid by the month can be paused. Set the months to 0."), field="pause_months"
        )


def _check_trial(draft: PlanDraft) -> None:
    if not 0 <= draft.trial_days <= MAX_TRIAL_DAYS:
        raise BadInput(_("A trial lasts 0 to 90 days."), field="trial_days")
    if draft.interval == "once" and draft.trial_days:
        raise BadInput(_("What is paid once has no trial. Set the free days to 0."), field="trial_days")
    if draft.after_trial not in ("cancel", "pause"):
        raise BadInput(_("Choose one of these."), field="after_trial")


def _check_stay(draft: PlanDraft) -> None:
    if draft.stay_offer not in ("none", "pause", "discount"):
        raise BadInput(_("Choose one of these."), field="stay_offer")
    if draft.stay_offer != "discount":
        return
    if draft.interval == "once":
        raise BadInput(_("What is paid once cannot be cancelled. Offer nothing here."), field="stay_offer")
    if not 0 < draft.stay_percent <= MAX_STAY_PERCENT:
        raise BadInput(_("Take 1 to 90 percent off."), field="stay_percent")
    if not 0 < draft.stay_months <= MAX_STAY_MONTHS:
        raise BadInput(_("Say for how many months, 1 to 12."), field="stay_months")
