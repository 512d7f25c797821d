"""Credit notes: an invoice is worth less than it said, before or after it was paid.

Source: https://docs.stripe.com/invoicing/credit-notes
"""

from typing import Any

from sandbox.stripe.credits import move_balance
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.events import emit, save_and_emit
from sandbox.stripe.invoicing import mark_paid
from sandbox.stripe.lists import envelope
from sandbox.stripe.refunding import refund
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]


def issue(
    world: World,
    invoice: Row,
    lines: list[Json],
    *,
    amount: int,
    refund_amount: int = 0,
    credit_amount: int = 0,
    reason: str | None = None,
    memo: str | None = None,
    metadata: Json | None = None,
) -> Row:
    """Issue a note over an amount in minor units. Of a paid invoice it is refunded, or becomes credit.

    Raises:
        StripeFault: if there is not so much left, or the parts do not add up.
    """
    open_ = invoice.body["status"] == "open"
    body = _body(world, invoice.body, lines, amount, reason, memo, metadata or {})
    if open_:
        _lower(world, invoice, amount)
        body.update(pre_payment_amount=amount, type="pre_payment")
    else:
        if refund_amount + credit_amount != amount:
            raise StripeFault(
                "The sum of refund_amount and credit_amount must be the amount of the credit note.",
                param="refund_amount",
            )
        _give_back(world, invoice, body, refund_amount, credit_amount)
        body.update(post_payment_amount=amount, type="post_payment")
    row = world.store.put(Row("credit_note", body, clock=invoice.clock))
    emit(world, "credit_note.created", body)
    if open_ and invoice.body["amount_remaining"] == 0:
        mark_paid(world, invoice)
    return row


def void(world: World, row: Row) -> None:
    """Take back a note on an invoice that is still open."""
    invoice = world.store.need("invoice", row.body["invoice"])
    if row.body["type"] != "pre_payment" or invoice.body["status"] != "open" or row.body["status"] == "void":
        raise StripeFault("You can only void a credit note of an open invoice.")
    _lower(world, invoice, -row.body["amount"])
    row.body.update(status="void", voided_at=world.now)
    world.store.put(row)
    emit(world, "credit_note.voided", row.body)


def note_line(amount: int, description: str | None, quantity: int | None, source: str | None) -> Json:
    """A line of a note: of a line of the invoice, or of its own."""
    line: Json = {
        "id": new_id("cnli"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": description,
        "discount_amount": 0,
        "discount_amounts": [],
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": quantity,
        "tax_rates": [],
        "taxes": [],
        "type": "invoice_line_item" if source else "custom_line_item",
        "unit_amount": amount // quantity if quantity else None,
        "unit_amount_decimal": str(amount / quantity) if quantity else None,
    }
    return {**line, "invoice_line_item": source} if source else line


def _lower(world: World, invoice: Row, amount: int) -> None:
    """What an open invoice asks for shrinks by an amount."""
    before, body = dict(invoice.body), invoice.body
    if amount > body["amount_remaining"]:
        raise StripeFault("The credit note is larger than what remains of the invoice.", param="amount")
    body["pre_payment_credit_notes_amount"] += amount
    body["amount_due"] -= amount
    body["amount_remaining"] -= amount
    intent = world.store.find("payment_intent", invoice.private.get("intent", ""))
    if intent is not None:
        intent.body["amount"] = body["amount_due"]
        world.store.put(intent)
    save_and_emit(world, "invoice.updated", before, invoice)


def _give_back(world: World, invoice: Row, note: Json, refund_amount: int, credit_amount: int) -> None:
    before, body = dict(invoice.body), invoice.body
    if body["post_payment_credit_notes_amount"] + note["amount"] > body["total"]:
        raise StripeFault("The credit note is larger than what the invoice was for.", param="amount")
    if refund_amount:
        intent = world.store.need("payment_intent", invoice.private["intent"])
        charge = world.store.need("charge", intent.body["latest_charge"])
        made = refund(world, charge, amount=refund_amount, reason=None, metadata={})
        note["refunds"] = [
            {
                "amount_refunded": refund_amount,
                "payment_record_refund": None,
                "refund": made.id,
                "type": "refund",
            }
        ]
    if credit_amount:
        customer = world.store.need("customer", body["customer"])
        moved = move_balance(
            world,
            customer,
            -credit_amount,
            currency=body["currency"],
            kind="credit_note",
            invoice=invoice.id,
            credit_note=note["id"],
        )
        note["customer_balance_transaction"] = moved.id
    body["post_payment_credit_notes_amount"] += note["amount"]
    save_and_emit(world, "invoice.updated", before, invoice)


def _body(
    world: World,
    invoice: Json,
    lines: list[Json],
    amount: int,
    reason: str | None,
    memo: str | None,
    metadata: Json,
) -> Json:
    note_id = new_id("cn")
    earlier = len(world.store.select("credit_note", {"invoice": invoice["id"]}))
    return {
        "id": note_id,
        "object": "credit_note",
        "amount": amount,
        "amount_shipping": 0,
        "created": world.now,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "customer_account": None,
        "customer_balance_transaction": None,
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": world.now,
        "invoice": invoice["id"],
        "lines": envelope(lines, f"/v1/credit_notes/{note_id}/lines"),
        "livemode": False,
        "memo": memo,
        "metadata": metadata,
        "number": f"{invoice['number']}-CN-{earlier + 1:02d}",
        "out_of_band_amount": None,
        "pdf": f"{world.base_url}/i/{invoice['id']}",
        "post_payment_amount": 0,
        "pre_payment_amount": 0,
        "pretax_credit_amounts": [],
        "reason": reason,
        "refunds": [],
        "shipping_cost": None,
        "status": "issued",
        "subtotal": amount,
        "subtotal_excluding_tax": amount,
        "total": amount,
        "total_excluding_tax": amount,
        "total_taxes": [],
        "type": "pre_payment",
        "voided_at": None,
    }
