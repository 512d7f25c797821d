"""A charge is disputed: the money goes, evidence is judged, the money comes back or does not.

Source: https://docs.stripe.com/disputes/how-disputes-work and https://docs.stripe.com/testing#disputes
"""

import copy
from typing import Any

from sandbox.stripe.balance import book
from sandbox.stripe.card_table import Card
from sandbox.stripe.events import emit, save_and_emit
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]

DAY_S = 86400
# How long evidence is awaited, and how long the bank takes to judge it when it says nothing that decides.
EVIDENCE_S = 9 * DAY_S
REVIEW_S = 60 * DAY_S
# Evidence that decides is judged after this.
VERDICT_S = 60
FEE = 1500

WINNING, LOSING, ESCALATING = "winning_evidence", "losing_evidence", "escalate_inquiry_evidence"
OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")
_NETWORK_REASONS = {"fraudulent": "10.4", "product_not_received": "13.1"}
EVIDENCE_FIELDS = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)


def raise_objections(world: World, charge: Row, card: Card) -> None:
    """What the holder of such a card does about a charge that went through."""
    if card.dispute is not None:
        open_dispute(world, charge, reason=card.dispute, inquiry=card.inquiry)
    if card.fraud_warning:
        body: Json = {
            "id": new_id("issfr"),
            "object": "radar.early_fraud_warning",
            "actionable": True,
            "charge": charge.id,
            "created": world.now,
            "fraud_type": "made_with_stolen_card",
            "livemode": False,
            "payment_intent": charge.body["payment_intent"],
        }
        world.store.put(Row("radar.early_fraud_warning", body, clock=charge.clock))
        emit(world, "radar.early_fraud_warning.created", body)


def open_dispute(world: World, charge: Row, *, reason: str, inquiry: bool = False) -> Row:
    """Dispute what is left of a charge; an inquiry takes no money yet."""
    amount = charge.body["amount"] - charge.body["amount_refunded"]
    row = Row("dispute", _dispute(world, charge.body, amount, reason, inquiry), clock=charge.clock)
    row.due_at = world.now + EVIDENCE_S
    charge.body["disputed"] = True
    world.store.put(charge)
    world.store.put(row)
    if not inquiry:
        row.body["balance_transactions"].append(_book(world, row.body, -amount, FEE))
        world.store.put(row)
    emit(world, "charge.dispute.created", row.body)
    if not inquiry:
        emit(world, "charge.dispute.funds_withdrawn", row.body)
    return row


def submit(world: World, row: Row, before: Json) -> None:
    """Send the evidence to the bank; what it says decides when and how the bank answers."""
    body = row.body
    text = str(body["evidence"]["uncategorized_text"] or "")
    body["evidence_details"]["submission_count"] += 1
    inquiry = body["status"].startswith("warning")
    if inquiry and text == ESCALATING:
        _escalate(world, row, before)
        return
    body["status"] = "warning_under_review" if inquiry else "under_review"
    row.private["verdict"] = {WINNING: "won", LOSING: "lost"}.get(text, "lost")
    row.due_at = world.now + (VERDICT_S if text in (WINNING, LOSING) else REVIEW_S)
    save_and_emit(world, "charge.dispute.updated", before, row)


def run_deadline(world: World, row: Row) -> None:
    """Time is up: for the evidence, or for the bank."""
    if row.body["status"] not in OPEN:
        row.due_at = None
        world.store.put(row)
        return
    row.body["evidence_details"]["past_due"] = row.body["status"].endswith("needs_response")
    decide(world, row, row.private.get("verdict", "lost"))


def decide(world: World, row: Row, verdict: str) -> None:
    """Close the dispute: `won` or `lost`; an inquiry that nobody escalated is closed without either."""
    body, before = row.body, copy.deepcopy(row.body)
    inquiry = body["status"].startswith("warning")
    body["status"] = "warning_closed" if inquiry else verdict
    body["is_charge_refundable"] = inquiry
    row.due_at = None
    if body["status"] == "won":
        body["balance_transactions"].append(_book(world, body, body["amount"], -FEE))
        world.store.put(row)
        emit(world, "charge.dispute.funds_reinstated", body)
    save_and_emit(world, "charge.dispute.closed", before, row)


def close_inquiry(world: World, charge_id: str) -> None:
    """Money given back in full answers an inquiry."""
    for row in world.store.select("dispute", {"charge": charge_id}):
        if row.body["status"] in ("warning_needs_response", "warning_under_review"):
            decide(world, row, "won")


def _escalate(world: World, row: Row, before: Json) -> None:
    body = row.body
    body.update(status="needs_response", is_charge_refundable=False)
    body["payment_method_details"]["card"]["case_type"] = "chargeback"
    body["balance_transactions"].append(_book(world, body, -body["amount"], FEE))
    row.due_at = body["evidence_details"]["due_by"] = world.now + EVIDENCE_S
    save_and_emit(world, "charge.dispute.updated", before, row)
    emit(world, "charge.dispute.funds_withdrawn", body)


def _book(world: World, dispute: Json, amount: int, fee: int) -> Json:
    back = amount > 0
    return book(
        world,
        amount=amount,
        fee=fee,
        currency=dispute["currency"],
        source=dispute["id"],
        words=f"Chargeback {'reversal' if back else 'withdrawal'} for {dispute['charge']}",
        category="dispute_reversal" if back else "dispute",
    )


def _dispute(world: World, charge: Json, amount: int, reason: str, inquiry: bool) -> Json:
    evidence: Json = {**dict.fromkeys(EVIDENCE_FIELDS), "enhanced_evidence": {}}
    evidence["customer_email_address"] = charge["billing_details"]["email"]
    evidence["customer_name"] = charge["billing_details"]["name"]
    body: Json = {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": world.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": evidence,
        "evidence_details": {
            "due_by": world.now + EVIDENCE_S,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }
    if charge["payment_method_details"]["type"] == "card":
        body["payment_method_details"] = {
            "card": {
                "brand": charge["payment_method_details"]["card"]["brand"],
                "case_type": "inquiry" if inquiry else "chargeback",
                "network_reason_code": _NETWORK_REASONS.get(reason),
            },
            "type": "card",
        }
    return body
