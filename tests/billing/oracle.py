"""Who may watch, told a second time from Stripe's own objects, to judge the first telling by.

Nothing of `app` is imported here: what both sides shared, both would have wrong.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

HOUR = 3600
DAY = 24 * HOUR

Json = Mapping[str, Any]
# (what gives it: a subscription or a Checkout session, its price) → the second in which it ends; None: never.
Access = dict[tuple[str, str], int | None]


@dataclass
class Books:
    """Everything that Stripe has about one customer."""

    subscriptions: list[Json] = field(default_factory=list)
    invoices: list[Json] = field(default_factory=list)
    invoice_payments: list[Json] = field(default_factory=list)
    charges: list[Json] = field(default_factory=list)
    refunds: list[Json] = field(default_factory=list)
    disputes: list[Json] = field(default_factory=list)
    sessions: list[Json] = field(default_factory=list)


def access(books: Books, sold: frozenset[str], ours: Mapping[str, str], now: int) -> Access:
    """All that gives access at `now`. `sold`: prices of our plans; `ours`: sessions that we began → what they sell."""
    given: Access = {}
    for one in books.subscriptions:
        end = 0 if _is_spoiled(books, one) else _end(books, one)
        for item in one["items"]["data"]:
            if item["price"]["id"] in sold and end > now:
                given[one["id"], item["price"]["id"]] = end
    for session in books.sessions:
        price = ours.get(session["id"])
        if price in sold and session["mode"] == "payment" and _is_paid(books, session):
            given[session["id"], str(price)] = None
    return given


def _end(books: Books, one: Json) -> int:
    pause = one["pause_collection"]
    if pause is not None and pause["behavior"] == "void":
        return 0
    ends: list[int] = []
    if one["status"] == "active":
        ends.append(_period_end(one) + 72 * HOUR)
    elif one["status"] == "trialing":
        ends.append(one["trial_end"] + HOUR)
    elif one["status"] == "past_due":
        ends.append(_unpaid_since(books, one) + 14 * DAY)
    else:
        return 0
    if one["cancel_at"] is not None:
        ends.append(one["cancel_at"])
    if one["cancel_at_period_end"]:
        ends.append(_period_end(one))
    return min(ends)


def _period_end(one: Json) -> int:
    return max(int(item["current_period_end"]) for item in one["items"]["data"])


def _unpaid_since(books: Books, one: Json) -> int:
    owed: list[int] = [
        invoice["status_transitions"]["finalized_at"] or invoice["created"]
        for invoice in books.invoices
        if invoice["status"] == "open" and invoice["attempted"] and _subscription(invoice) == one["id"]
    ]
    return min(owed)


def _subscription(invoice: Json) -> str | None:
    parent = invoice["parent"]
    return str(parent["subscription_details"]["subscription"]) if parent else None


def _is_spoiled(books: Books, one: Json) -> bool:
    """An open dispute about any of its payments, or the money for the period that runs is not ours any more."""
    for invoice in books.invoices:
        if _subscription(invoice) != one["id"]:
            continue
        intents = {
            paid["payment"]["payment_intent"]
            for paid in books.invoice_payments
            if paid["invoice"] == invoice["id"]
        }
        taken = [charge for charge in books.charges if charge["payment_intent"] in intents]
        if any(_is_disputed(books, charge) for charge in taken):
            return True
        whole = [
            line["period"]["end"]
            for line in invoice["lines"]["data"]
            if line["parent"]
            and line["parent"]["subscription_item_details"]
            and not line["parent"]["subscription_item_details"]["proration"]
        ]
        if any(_is_gone(books, charge) for charge in taken) and whole and max(whole) >= _period_end(one):
            return True
    return False


def _is_paid(books: Books, session: Json) -> bool:
    if session["payment_status"] == "no_payment_required":
        return True
    taken = [charge for charge in books.charges if charge["payment_intent"] == session["payment_intent"]]
    lost = any(_is_disputed(books, charge) or _is_gone(books, charge) for charge in taken)
    return session["payment_status"] == "paid" and not lost


def _went_through(charge: Json) -> bool:
    return charge["status"] == "succeeded" and bool(charge["captured"])


def _disputes(books: Books, charge: Json) -> Iterable[str]:
    return (str(one["status"]) for one in books.disputes if one["charge"] == charge["id"])


def _is_disputed(books: Books, charge: Json) -> bool:
    return any(status in ("needs_response", "under_review") for status in _disputes(books, charge))


def _is_gone(books: Books, charge: Json) -> bool:
    if not _went_through(charge):
        return False
    back = sum(
        one["amount"]
        for one in books.refunds
        if one["charge"] == charge["id"] and one["status"] == "succeeded"
    )
    return "lost" in _disputes(books, charge) or back >= charge["amount_captured"] > 0
