"""What a customer owes and has paid, invoice by invoice; the card that pays next; the page for a new one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.billing.mirror import id_of, instant, period_paid
from app.billing.notices import CardFacts
from app.billing.stripe_api.client import StripeRefused, client, in_our_words
from app.billing.stripe_api.payments import invoice_paid_by


@dataclass(frozen=True)
class Owed:
    """An invoice of a subscription's that waits for its money. Amounts in the currency's minor unit."""

    id: str
    subscription_id: str
    amount_cents: int
    currency: str


async def card_page(customer_id: str, return_url: str) -> str:
    """Address of the portal's form for a new card, and nothing else; it leads back to `return_url` either way.

    With `after_completion` of the type redirect the portal's other pages cannot be reached from there.

    Source: https://docs.stripe.com/customer-management/portal-deep-links
    """
    flow: Any = {
        "type": "payment_method_update",
        "after_completion": {"type": "redirect", "redirect": {"return_url": return_url}},
    }
    with in_our_words():
        made = await client().v1.billing_portal.sessions.create_async(
            {"customer": customer_id, "return_url": return_url, "flow_data": flow}
        )
    return str(made.url)


async def owed(customer_id: str) -> list[Owed]:
    """The invoices of subscriptions that were tried and are not paid, the oldest first."""
    with in_our_words():
        page = await client().v1.invoices.list_async(
            {"customer": customer_id, "status": "open", "limit": 100}
        )
        found = [one.to_dict() async for one in page.auto_paging_iter()]
    return [
        Owed(str(one["id"]), subscription_id, int(one["amount_remaining"]), str(one["currency"]))
        for one in sorted(found, key=lambda each: int(each["created"]))
        if one["attempted"] and (subscription_id := period_paid(one)[0]) is not None
    ]


async def use_default_card(customer_id: str) -> None:
    """Let the card that the customer chose last pay the subscriptions that had one of their own.

    The portal makes a new card the customer's default; a subscription's own card, which Checkout sets, would go first.

    Source: https://docs.stripe.com/api/subscriptions/object#subscription_object-default_payment_method
    """
    with in_our_words():
        customer = (await client().v1.customers.retrieve_async(customer_id)).to_dict()
        chosen = id_of((customer.get("invoice_settings") or {}).get("default_payment_method"))
        page = await client().v1.subscriptions.list_async({"customer": customer_id, "limit": 100})
        for one in [each.to_dict() async for each in page.auto_paging_iter()]:
            own = id_of(one.get("default_payment_method"))
            if chosen is not None and own is not None and own != chosen:
                await client().v1.subscriptions.update_async(one["id"], {"default_payment_method": chosen})


async def pay(invoice_id: str) -> bool:
    """Try to pay an open invoice with the customer's card now; False when the bank refuses or wants more.

    Raises:
        StripeDown: when Stripe does not answer.
    """
    try:
        with in_our_words():
            paid = await client().v1.invoices.pay_async(invoice_id)
    except StripeRefused as refusal:
        # Somebody, or Stripe's own schedule, was faster.
        return refusal.reason == "invoice_already_paid"
    return paid.status == "paid"


@dataclass(frozen=True)
class Paying:
    """What pays a subscription. `method_id` None: nothing does; `card` None: it is no card."""

    method_id: str | None = None
    card: CardFacts | None = None


async def paying_card(subscription_id: str) -> CardFacts | None:
    """The card that pays a subscription; None where something else does, or nothing."""
    return (await what_pays(subscription_id)).card


async def can_be_charged(subscription_id: str) -> bool:
    """Whether there is a card, or anything else, that a subscription's bills are charged to."""
    return (await what_pays(subscription_id)).method_id is not None


async def what_pays(subscription_id: str) -> Paying:
    """Its own payment method, or else the customer's."""
    with in_our_words():
        found = (
            await client().v1.subscriptions.retrieve_async(
                subscription_id,
                {"expand": ["default_payment_method", "customer.invoice_settings.default_payment_method"]},
            )
        ).to_dict()
    customer = found.get("customer") or {}
    method = found.get("default_payment_method") or (customer.get("invoice_settings") or {}).get(
        "default_payment_method"
    )
    if not isinstance(method, dict):
        return Paying()
    method_id, card = str(method["id"]), method.get("card")
    if not card:
        return Paying(method_id)
    return Paying(
        method_id,
        CardFacts(
            method_id,
            str(card["brand"]),
            str(card["last4"]),
            int(card["exp_year"]),
            int(card["exp_month"]),
        ),
    )


@dataclass(frozen=True)
class Coming:
    """What a subscription's next bill asks for, after discounts, tax and credit, in the currency's minor unit."""

    amount_cents: int
    currency: str


async def coming(customer_id: str, subscription_id: str, item: tuple[str, str] | None = None) -> Coming:
    """The next bill of a subscription as it would be today. `item`: (id, Price) that it will have by then.

    Source: https://docs.stripe.com/api/invoices/create_preview
    Raises:
        StripeRefused: when none comes.
    """
    params: Any = {"customer": customer_id, "subscription": subscription_id}
    if item is not None:
        params["subscription_details"] = {
            "items": [{"id": item[0], "price": item[1]}],
            "proration_behavior": "none",
        }
    with in_our_words():
        told = (await client().v1.invoices.create_preview_async(params)).to_dict()
    return Coming(int(told["amount_due"]), str(told["currency"]))


@dataclass(frozen=True)
class Bill:
    """One invoice, for its customer to read. `state`: open, paid, void or uncollectible, as Stripe calls them.

    `price_ids`: what it was for; `what`: Stripe's words for that; `amount_cents` in the currency's minor unit, after
    what was taken off before it was paid. `credited_cents`: taken off after that; `intent_ids`: what paid it.
    """

    id: str
    number: str
    at: datetime
    what: str
    price_ids: tuple[str, ...]
    amount_cents: int
    currency: str
    state: str
    url: str
    credited_cents: int = 0
    intent_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class BillPage:
    """Some invoices, the newest first; whether there are newer and older ones."""

    bills: tuple[Bill, ...]
    has_newer: bool = False
    has_older: bool = False


async def bills(customer_id: str, size: int, *, after: str = "", before: str = "") -> BillPage:
    """A page of the customer's invoices: the newest, or those after (older than) or before (newer than) one.

    Raises:
        StripeRefused: for a customer, or a place to begin at, that Stripe does not know.
    """
    params: Any = {"customer": customer_id, "limit": size, "expand": ["data.payments"]}
    if after:
        params["starting_after"] = after
    elif before:
        params["ending_before"] = before
    with in_our_words():
        page = (await client().v1.invoices.list_async(params)).to_dict()
    found = tuple(_bill(one) for one in page["data"] if one["status"] != "draft")
    more = bool(page["has_more"])
    # `has_more` speaks of the direction that was asked for; the other one is where we came from.
    return BillPage(
        found, more if before and not after else bool(after), more if after or not before else True
    )


def _bill(raw: dict[str, Any]) -> Bill:
    lines = (raw.get("lines") or {}).get("data") or []
    # A change of plan takes back the rest of the old one and charges the new one: it is a bill for the new one.
    charged = [line for line in lines if int(line.get("amount") or 0) > 0] or lines
    at = instant((raw.get("status_transitions") or {}).get("finalized_at") or raw["created"])
    assert at is not None
    return Bill(
        id=str(raw["id"]),
        number=str(raw.get("number") or ""),
        at=at,
        what=str(charged[0].get("description") or "") if charged else "",
        price_ids=tuple(dict.fromkeys(filter(None, map(_price_of, charged)))),
        amount_cents=int(raw["total"]) - int(raw.get("pre_payment_credit_notes_amount") or 0),
        currency=str(raw["currency"]),
        state=str(raw["status"]),
        url=str(raw.get("hosted_invoice_url") or ""),
        credited_cents=int(raw.get("post_payment_credit_notes_amount") or 0),
        intent_ids=tuple(filter(None, map(_intent_of, (raw.get("payments") or {}).get("data") or ()))),
    )


def _intent_of(payment: dict[str, Any]) -> str | None:
    return id_of((payment.get("payment") or {}).get("payment_intent"))


def _price_of(line: dict[str, Any]) -> str | None:
    details = (line.get("pricing") or {}).get("price_details") or {}
    return id_of(details.get("price"))


async def bill_paid_by(payment_intent_id: str) -> Bill | None:
    """The invoice that a payment paid; None where it paid none."""
    found = await invoice_paid_by(payment_intent_id)
    return _bill(found) if found is not None else None
