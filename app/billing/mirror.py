"""What we keep of a Stripe subscription: read from Stripe's answer into plain, frozen facts. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

# Where a pause that a member began notes what is paid: Stripe goes on counting periods that nobody pays.
PAID_THROUGH = "limber_paid_through"
# Nothing happens to a subscription in these states any more.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
TERMINAL = frozenset({"canceled", "incomplete_expired"})


@dataclass(frozen=True)
class SubscriptionFacts:
    """One subscription as Stripe tells it, instants in aware UTC.

    `past_due_since_at` is when the oldest unpaid invoice was opened; `cancelled_at` when its end was asked for.
    `resumes_at`: when collecting goes on by itself; `paid_through_at`: until when it was paid as a member paused it.
    `after_trial`: what happens at the end of a trial if nothing can be charged; `has_method`: something of its own can.
    `is_plain`: each bill is the price, with no discount, tax or quantity.
    """

    id: str
    status: str
    price_ids: tuple[str, ...]
    started_at: datetime
    current_period_end_at: datetime | None
    trial_end_at: datetime | None = None
    cancel_at: datetime | None = None
    cancel_at_period_end: bool = False
    ended_at: datetime | None = None
    past_due_since_at: datetime | None = None
    pause_behavior: str | None = None
    currency: str = ""
    cancelled_at: datetime | None = None
    resumes_at: datetime | None = None
    paid_through_at: datetime | None = None
    after_trial: str = "create_invoice"
    has_method: bool = True
    is_plain: bool = True

    @property
    def is_over(self) -> bool:
        return self.status in TERMINAL

    @property
    def wants_card(self) -> bool:
        """Whether its trial leads nowhere unless somebody gives a card."""
        return self.status == "trialing" and self.after_trial in ("cancel", "pause") and not self.has_method

    @property
    def stops_at(self) -> datetime | None:
        """When it ends by the member's wish, if it does; Stripe tells it in two forms, of which the earlier counts."""
        ends = [self.cancel_at, self.current_period_end_at if self.cancel_at_period_end else None]
        return min((one for one in ends if one is not None), default=None)


def instant(seconds: int | None) -> datetime | None:
    """Stripe's Unix seconds as an aware UTC instant."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def storable(value: Any) -> Any:
    """What Stripe told, without what PostgreSQL cannot keep: NUL, and halves of a pair of UTF-16.

    What a customer types in Stripe's portal comes here, and one such character would have every delivery refused.
    """
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {storable(name): storable(one) for name, one in value.items()}
    return [storable(one) for one in value] if isinstance(value, list) else value


def id_of(value: str | Mapping[str, Any] | None) -> str | None:
    """The id of a reference, which Stripe gives as a string or, expanded, as an object."""
    if value is None or isinstance(value, str):
        return value
    return str(value["id"])


def read_subscription(raw: Mapping[str, Any], past_due_since_at: datetime | None = None) -> SubscriptionFacts:
    """Facts of a subscription object of API version 2026-05-27.dahlia, where periods stand on the items.

    Source: https://docs.stripe.com/api/subscriptions/object
    Raises:
        KeyError: when the object lacks what every subscription has.
    """
    items: Iterable[Mapping[str, Any]] = raw["items"]["data"]
    ends = [item["current_period_end"] for item in items if item.get("current_period_end") is not None]
    pause = raw.get("pause_collection")
    return SubscriptionFacts(
        id=str(raw["id"]),
        status=str(raw["status"]),
        price_ids=tuple(dict.fromkeys(str(id_of(item["price"])) for item in items)),
        started_at=datetime.fromtimestamp(raw.get("start_date") or raw["created"], UTC),
        current_period_end_at=instant(max(ends, default=None)),
        trial_end_at=instant(raw.get("trial_end")),
        cancel_at=instant(raw.get("cancel_at")),
        cancel_at_period_end=bool(raw.get("cancel_at_period_end")),
        ended_at=instant(raw.get("ended_at")),
        past_due_since_at=past_due_since_at,
        pause_behavior=str(pause["behavior"]) if pause else None,
        currency=str(raw.get("currency") or ""),
        cancelled_at=instant(raw.get("canceled_at")),
        resumes_at=instant(pause.get("resumes_at")) if pause else None,
        paid_through_at=_noted((raw.get("metadata") or {}).get(PAID_THROUGH)),
        after_trial=_after_trial(raw),
        has_method=bool(raw.get("default_payment_method") or raw.get("default_source")),
        is_plain=_is_plain(raw),
    )


def _is_plain(raw: Mapping[str, Any]) -> bool:
    is_taxed = bool((raw.get("automatic_tax") or {}).get("enabled") or raw.get("default_tax_rates"))
    items = raw["items"]["data"]
    return not (
        is_taxed
        or raw.get("discounts")
        or any(one.get("quantity", 1) != 1 or one.get("discounts") or one.get("tax_rates") for one in items)
    )


def _after_trial(raw: Mapping[str, Any]) -> str:
    behavior = (raw.get("trial_settings") or {}).get("end_behavior") or {}
    return str(behavior.get("missing_payment_method") or "create_invoice")


def _noted(value: Any) -> datetime | None:
    """An instant that we wrote into metadata as Unix seconds; None for what is none."""
    return instant(int(value)) if isinstance(value, str) and value.isascii() and value.isdigit() else None


@dataclass(frozen=True)
class PurchaseFacts:
    """One thing that was paid once, by a Checkout session. `price_id` None: it is not as we sold it (`doubt`).

    `lasts_months` None: for good; `gift_id`: it is for somebody else. `is_pending`: a bank is still at it; the
    session alone looks the same when the bank has refused.
    """

    id: str
    price_id: str | None
    payment_status: str
    payment_intent_id: str | None
    amount_cents: int
    currency: str
    bought_at: datetime
    is_pending: bool = False
    lasts_months: int | None = None
    gift_id: UUID | None = None
    doubt: str | None = None


@dataclass(frozen=True)
class ChargeFacts:
    """Money that was taken. Amounts in the currency's minor unit; `refunded_cents`: only refunds that succeeded,
    `refunded_at`: when the last of them was asked for.

    `subscription_id` and `period_end_at`: the subscription whose period it paid, and until when; looked up for
    charges that were given back or disputed.
    """

    id: str
    payment_intent_id: str | None
    amount_cents: int
    refunded_cents: int
    currency: str
    paid_at: datetime
    dispute_status: str | None = None
    subscription_id: str | None = None
    period_end_at: datetime | None = None
    description: str = ""
    receipt_url: str | None = None
    # Until when the bank waits for an answer to its dispute.
    dispute_due_at: datetime | None = None
    refunded_at: datetime | None = None

    @property
    def is_refunded(self) -> bool:
        return self.refunded_cents >= self.amount_cents > 0


# Of several disputes about one charge the worst decides.
_WORST_FIRST = ("lost", "needs_response", "under_review", "warning_needs_response", "warning_under_review")


def read_charge(
    raw: Mapping[str, Any],
    disputes: Iterable[Mapping[str, Any]] = (),
    invoice: Mapping[str, Any] | None = None,
) -> ChargeFacts:
    """Facts of a charge (with its `refunds`), its disputes, and the invoice that it paid.

    Source: https://docs.stripe.com/api/charges/object
    Raises:
        KeyError: when the charge lacks what every charge has.
    """
    refunds: Iterable[Mapping[str, Any]] = (raw.get("refunds") or {}).get("data", ())
    arrived = [one for one in refunds if one["status"] == "succeeded"]
    disputes = tuple(disputes)
    subscription_id, period_end_at = period_paid(invoice)
    return ChargeFacts(
        id=str(raw["id"]),
        payment_intent_id=id_of(raw.get("payment_intent")),
        amount_cents=int(raw["amount_captured"]),
        refunded_cents=sum(int(one["amount"]) for one in arrived),
        currency=str(raw["currency"]),
        paid_at=datetime.fromtimestamp(raw["created"], UTC),
        dispute_status=_worst([str(one["status"]) for one in disputes]),
        subscription_id=subscription_id,
        period_end_at=period_end_at,
        description=str(raw.get("description") or ""),
        receipt_url=raw.get("receipt_url"),
        dispute_due_at=_answer_by(disputes),
        refunded_at=instant(max((int(one["created"]) for one in arrived), default=None)),
    )


def _answer_by(disputes: Iterable[Mapping[str, Any]]) -> datetime | None:
    """The earliest day of those that wait for an answer.

    Source: https://docs.stripe.com/api/disputes/object#dispute_object-evidence_details-due_by
    """
    waiting = [
        (one.get("evidence_details") or {}).get("due_by")
        for one in disputes
        if str(one["status"]).endswith("needs_response")
    ]
    return instant(min(filter(None, waiting), default=None))


def _worst(statuses: list[str]) -> str | None:
    return next((one for one in _WORST_FIRST if one in statuses), statuses[0] if statuses else None)


def period_paid(invoice: Mapping[str, Any] | None) -> tuple[str | None, datetime | None]:
    """The subscription, and the end of the period that an invoice paid; no period for one of differences only.

    Source: https://docs.stripe.com/api/invoices/object (parent, lines)
    """
    details = ((invoice or {}).get("parent") or {}).get("subscription_details")
    if invoice is None or not details:
        return None, None
    ends = []
    for line in invoice["lines"]["data"]:
        item = (line.get("parent") or {}).get("subscription_item_details")
        if item and not item.get("proration"):
            ends.append(line["period"]["end"])
    return id_of(details["subscription"]), instant(max(ends, default=None))
