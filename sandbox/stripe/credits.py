"""A customer's balance with the account: credit that pays invoices, and what negative invoices leave behind.

Source: https://docs.stripe.com/billing/customer/balance
"""

import copy
from typing import Any

from sandbox.stripe.events import save_and_emit
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]

_KIND = "customer_balance_transaction"


def move_balance(
    world: World,
    customer: Row,
    amount: int,
    *,
    currency: str,
    kind: str = "adjustment",
    invoice: str | None = None,
    credit_note: str | None = None,
    description: str | None = None,
    metadata: Json | None = None,
) -> Row:
    """Change the balance by this amount, in minor units; below nothing is credit."""
    before = copy.deepcopy(customer.body)
    customer.body["balance"] += amount
    customer.body["currency"] = customer.body["currency"] or currency
    body: Json = {
        "id": new_id("cbtxn"),
        "object": _KIND,
        "amount": amount,
        "checkout_session": None,
        "created": world.now,
        "credit_note": credit_note,
        "currency": currency,
        "customer": customer.id,
        "customer_account": None,
        "description": description,
        "ending_balance": customer.body["balance"],
        "invoice": invoice,
        "livemode": False,
        "metadata": dict(metadata or {}),
        "type": kind,
    }
    row = world.store.put(Row(_KIND, body, clock=customer.clock))
    save_and_emit(world, "customer.updated", before, customer)
    return row


def settle_balance(world: World, invoice: Row, customer: Row) -> None:
    """As an invoice is finalized, credit pays what it can of it, and a negative one becomes credit."""
    body, start = invoice.body, customer.body["balance"]
    due = body["total"] + start
    used = max(0, due)
    body.update(starting_balance=start, ending_balance=due - used, amount_due=used, amount_remaining=used)
    if due - used != start:
        move_balance(
            world,
            customer,
            due - used - start,
            currency=body["currency"],
            kind="invoice_too_small" if body["total"] < 0 else "applied_to_invoice",
            invoice=invoice.id,
        )
