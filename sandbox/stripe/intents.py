"""Money moves: payment intents, the charges that try to settle them, and refunds of those."""

import copy
from typing import Any

from sandbox.stripe.cards import BY_NUMBER, Decline, decline_error
from sandbox.stripe.events import emit, save_and_emit
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]


def create_intent(
    world: World,
    *,
    amount: int,
    currency: str,
    customer: str | None,
    description: str | None = None,
    metadata: Json | None = None,
    payment_method: str | None = None,
    automatic: bool = False,
    setup_future_usage: str | None = None,
    receipt_email: str | None = None,
    capture_method: str = "automatic_async",
) -> Row:
    """A payment intent that waits for a payment method. Amounts are in the currency's minor unit."""
    intent_id = new_id("pi")
    body: Json = {
        "id": intent_id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True} if automatic else None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": capture_method,
        "client_secret": f"{intent_id}_secret_{new_id('x')[2:]}",
        "confirmation_method": "automatic",
        "created": world.now,
        "currency": currency,
        "customer": customer,
        "description": description,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": dict(metadata or {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": payment_method,
        "payment_method_options": {
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
            }
        },
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": receipt_email,
        "review": None,
        "setup_future_usage": setup_future_usage,
        "shipping": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_confirmation" if payment_method else "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }
    row = world.store.put(Row("payment_intent", body, clock=world.clock))
    emit(world, "payment_intent.created", body)
    return row


def attempt(world: World, intent: Row, method: Row, *, off_session: bool) -> Decline | None:
    """Try to charge the method for the intent; gives the decline, or None when it is paid."""
    card = BY_NUMBER[method.private["number"]]
    decline = card.at_once or (card.later if off_session else None)
    charge = _charge(world, intent.body, method, decline)
    world.store.put(Row("charge", charge, clock=world.clock))
    body = intent.body
    body["latest_charge"] = charge["id"]
    if decline is not None:
        body["status"] = "requires_payment_method"
        body["payment_method"] = None
        shown = copy.deepcopy(method.body)
        body["last_payment_error"] = {
            **decline_error(decline),
            "charge": charge["id"],
            "payment_method": shown,
        }
        world.store.put(intent)
        emit(world, "charge.failed", charge)
        emit(world, "payment_intent.payment_failed", body)
        return decline
    body["payment_method"] = method.id
    body["last_payment_error"] = None
    manual = body["capture_method"] == "manual"
    body["status"] = "requires_capture" if manual else "succeeded"
    body["amount_capturable" if manual else "amount_received"] = body["amount"]
    world.store.put(intent)
    emit(world, "charge.succeeded", charge)
    emit(world, "payment_intent.amount_capturable_updated" if manual else "payment_intent.succeeded", body)
    return None


def capture(world: World, intent: Row) -> None:
    """Take what was only reserved."""
    body = intent.body
    charge = world.store.need("charge", body["latest_charge"])
    charge.body.update(captured=True, amount_captured=charge.body["amount"])
    body.update(status="succeeded", amount_capturable=0, amount_received=body["amount"])
    world.store.put(charge)
    world.store.put(intent)
    emit(world, "charge.captured", charge.body)
    emit(world, "payment_intent.succeeded", body)


def refund(world: World, charge: Row, *, amount: int, reason: str | None, metadata: Json) -> Row:
    """Give back part or all of a charge; the caller has checked the amount, in minor units."""
    body: Json = {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge.id,
        "created": world.now,
        "currency": charge.body["currency"],
        "destination_details": {
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        "metadata": metadata,
        "payment_intent": charge.body["payment_intent"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
    row = world.store.put(Row("refund", body, clock=charge.clock))
    before = copy.deepcopy(charge.body)
    charge.body["amount_refunded"] += amount
    charge.body["refunded"] = charge.body["amount_refunded"] == charge.body["amount"]
    emit(world, "refund.created", body)
    save_and_emit(world, "charge.refunded", before, charge)
    # Stripe sends both names for a while now, and integrations listen to either.
    emit(world, "refund.updated", body)
    emit(world, "charge.refund.updated", body)
    return row


def _charge(world: World, intent: Json, method: Row, decline: Decline | None) -> Json:
    captured = decline is None and intent["capture_method"] != "manual"
    details = {key: value for key, value in method.body["card"].items() if key in _CHARGE_CARD_FIELDS}
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if captured else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": copy.deepcopy(method.body["billing_details"]),
        "calculated_statement_descriptor": "LIMBER SANDBOX",
        "captured": captured,
        "created": world.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": decline.code if decline else None,
        "failure_message": decline.message if decline else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": _outcome(decline),
        "paid": decline is None,
        "payment_intent": intent["id"],
        "payment_method": method.id,
        "payment_method_details": {
            "card": {
                **details,
                "amount_authorized": None if decline else intent["amount"],
                "installments": None,
                "mandate": None,
                "network": details["brand"],
                "three_d_secure": None,
                "wallet": None,
            },
            "type": "card",
        },
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "failed" if decline else "succeeded",
        "transfer_data": None,
        "transfer_group": None,
    }


_CHARGE_CARD_FIELDS = frozenset(
    {
        "brand",
        "checks",
        "country",
        "exp_month",
        "exp_year",
        "fingerprint",
        "funding",
        "last4",
        "regulated_status",
    }
)


def _outcome(decline: Decline | None) -> Json:
    if decline is None:
        return {
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "risk_score": 8,
            "seller_message": "Payment complete.",
            "type": "authorized",
        }
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network",
        "reason": decline.decline_code or decline.code,
        "risk_level": "normal",
        "risk_score": 8,
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    }
