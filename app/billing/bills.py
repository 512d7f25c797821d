"""A member's bills, as Stripe has them at this moment; when it is slow, the payments that the mirror knows."""

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.billing import offers, queries, stripe_api
from app.billing.mirror import ChargeFacts
from app.errors import Unavailable
from app.settings import get_settings

PAGE = 12
LIMIT_S = 3.0

_INVOICE = re.compile(r"in_\w{1,60}")

log = logging.getLogger("limber.billing")


@dataclass(frozen=True)
class BillLine:
    """One bill or payment. `state`: open, paid, returned, partly, void or uncollectible.

    Amounts are in the currency's minor unit: `returned_cents` went back to the card, `credited_cents` is kept for the
    next bill. `url`: Stripe's page of it, `receipt_url`: that of the payment behind a bill, or empty.
    """

    at: datetime
    what: str
    number: str
    amount_cents: int
    currency: str
    state: str
    url: str
    returned_cents: int = 0
    credited_cents: int = 0
    receipt_url: str = ""


@dataclass(frozen=True)
class Bills:
    """`lines`: bills of memberships, the newest first; None: Stripe did not say in time.

    `newer`, `older`: where the next page begins, or empty. `payments`: what was bought once, and without an answer of
    Stripe's every payment that the mirror knows.
    """

    lines: list[BillLine] | None
    payments: list[BillLine]
    newer: str = ""
    older: str = ""


async def bills_of(user_id: UUID, *, after: str = "", before: str = "") -> Bills:
    """A page of the member's bills. `after`, `before`: the invoice at which the page before this one ended or began."""
    async with db.transaction() as session:
        customer = await queries.customer_of(session, user_id)
        if customer is None:
            return Bills([], [])
        names = await offers.plan_names(session)
        charges = await queries.charges_of(session, customer.id)
        once = await _payments(session, customer.id, names, charges, every=False)
        every = await _payments(session, customer.id, names, charges, every=True)
    if not get_settings().buying_enabled:
        return Bills(None, every)
    try:
        async with asyncio.timeout(LIMIT_S):
            page = await stripe_api.bills(customer.id, PAGE, after=_invoice(after), before=_invoice(before))
    except (TimeoutError, Unavailable) as fault:
        log.warning("bills of %s: %s", customer.id, type(fault).__name__)
        return Bills(None, every)
    lines = [_line(one, names, charges) for one in page.bills]
    return Bills(
        lines,
        once if not page.has_newer else [],
        newer=page.bills[0].id if page.bills and page.has_newer else "",
        older=page.bills[-1].id if page.bills and page.has_older else "",
    )


def _invoice(typed: str) -> str:
    return typed if _INVOICE.fullmatch(typed) else ""


def _line(bill: stripe_api.Bill, names: dict[str, str], charges: Sequence[ChargeFacts]) -> BillLine:
    """A bill, with what became of its payment. A credit note that was refunded is in Stripe's refunds as well."""
    known = [names[one] for one in bill.price_ids if one in names]
    paid_by = [one for one in charges if one.payment_intent_id in bill.intent_ids]
    returned = sum(one.refunded_cents for one in paid_by)
    return BillLine(
        bill.at,
        ", ".join(dict.fromkeys(known)) or bill.what,
        bill.number,
        bill.amount_cents,
        bill.currency,
        _paid_state(bill.amount_cents, returned) if bill.state == "paid" else bill.state,
        bill.url,
        returned,
        max(0, bill.credited_cents - returned),
        next((one.receipt_url for one in paid_by if one.receipt_url), ""),
    )


def _paid_state(amount_cents: int, returned_cents: int) -> str:
    if not returned_cents:
        return "paid"
    return "returned" if returned_cents >= amount_cents else "partly"


async def _payments(
    session: AsyncSession,
    customer_id: str,
    names: dict[str, str],
    charges: Sequence[ChargeFacts],
    *,
    every: bool,
) -> list[BillLine]:
    """From the mirror: what was bought once, or every payment."""
    bought = {
        one.payment_intent_id: names.get(one.price_id or "", "")
        for one in await queries.purchases_of(session, customer_id)
        if one.payment_intent_id is not None
    }
    return [
        BillLine(
            charge.paid_at,
            bought.get(charge.payment_intent_id or "") or charge.description,
            "",
            charge.amount_cents,
            charge.currency,
            _paid_state(charge.amount_cents, charge.refunded_cents),
            charge.receipt_url or "",
            charge.refunded_cents,
        )
        for charge in charges
        if every or charge.payment_intent_id in bought
    ]
