"""Money given back: at once, later, or not after all.

Source: https://docs.stripe.com/refunds and https://docs.stripe.com/testing#refunds
"""

import copy
from typing import Any

from sandbox.stripe.debits import ACH
from sandbox.stripe.disputes import close_inquiry
from sandbox.stripe.events import emit, save_and_emit
from sandbox.stripe.methods import card_of
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]

# A refund that is pending, or that will fail, comes to its end after this.
SETTLE_S = 60


def refund(world: World, charge: Row, *, amount: int, reason: str | None, metadata: Json) -> Row:
    """Give back part or all of a charge; the caller has checked the amount, in minor units."""
    method = world.store.find("payment_method", charge.body["payment_method"])
    card = card_of(method) if method is not None else None
    ends = card.refund if card is not None else "succeeded"
    body = _body(world, charge.body, amount, reason, metadata)
    body["status"] = "pending" if ends == "pending" else "succeeded"
    row = Row("refund", body, {"ends": ends}, clock=charge.clock)
    row.due_at = None if ends == "succeeded" else world.now + SETTLE_S
    world.store.put(row)
    before = copy.deepcopy(charge.body)
    charge.body["amount_refunded"] += amount
    charge.body["refunded"] = charge.body["amount_refunded"] == charge.body["amount"]
    emit(world, "refund.created", body)
    save_and_emit(world, "charge.refunded", before, charge)
    _tell(world, row)
    if charge.body["refunded"]:
        close_inquiry(world, charge.id)
    return row


def settle(world: World, row: Row) -> None:
    """What time makes of a refund: the bank takes it, or sends it back."""
    row.due_at = None
    if row.private.get("ends") == "failed":
        _take_back(world, row, "failed", failure_reason="expired_or_canceled_card")
        return
    row.body["status"] = "succeeded"
    world.store.put(row)
    _tell(world, row)


def cancel(world: World, row: Row) -> None:
    """Keep the money after all; the caller has checked that the refund is pending."""
    row.due_at = None
    _take_back(world, row, "canceled")


def _take_back(world: World, row: Row, status: str, **more: str) -> None:
    """The charge is refunded by that much less."""
    row.body.update(status=status, **more)
    world.store.put(row)
    charge = world.store.need("charge", row.body["charge"])
    before = copy.deepcopy(charge.body)
    charge.body["amount_refunded"] -= row.body["amount"]
    charge.body["refunded"] = False
    save_and_emit(world, "charge.updated", before, charge)
    _tell(world, row)
    if status == "failed":
        emit(world, "refund.failed", row.body)


def _tell(world: World, row: Row) -> None:
    # Stripe sends both names for a while now, and integrations listen to either.
    emit(world, "refund.updated", row.body)
    emit(world, "charge.refund.updated", row.body)


def _body(world: World, charge: Json, amount: int, reason: str | None, metadata: Json) -> Json:
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": world.now,
        "currency": charge["currency"],
        "destination_details": _destination(charge["payment_method_details"]["type"]),
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def _destination(kind: str) -> Json:
    if kind != "card":
        name = "us_bank_transfer" if kind == ACH else "eu_bank_transfer"
        return {name: {"reference": None, "reference_status": "pending"}, "type": name}
    return {
        "card": {
            "reference_status": "pending",
            "reference_type": "acquirer_reference_number",
            "type": "refund",
        },
        "type": "card",
    }
