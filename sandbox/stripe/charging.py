"""A charge: one attempt to settle an intent with a payment method, as it is written down.

Source: https://docs.stripe.com/api/charges/object
"""

import copy
from typing import Any

from sandbox.stripe.card_table import Decline
from sandbox.stripe.debits import charge_details
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]


def new_charge(
    world: World, intent: Json, method: Row, decline: Decline | None, *, authenticated: bool = False
) -> Json:
    """The charge of an attempt: succeeded, or failed with this decline."""
    captured = decline is None and intent["capture_method"] != "manual"
    charge_id = new_id("ch")
    return {
        "id": charge_id,
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
        "payment_method_details": _details(method.body, None if decline else intent["amount"], authenticated),
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": f"{world.base_url}/receipts/{charge_id}" if decline is None else None,
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


def _details(method: Json, authorized: int | None, authenticated: bool) -> Json:
    if method["type"] != "card":
        return charge_details(method)
    details = {key: value for key, value in method["card"].items() if key in _CHARGE_CARD_FIELDS}
    return {
        "card": {
            **details,
            "amount_authorized": authorized,
            "installments": None,
            "mandate": None,
            "network": details["brand"],
            "three_d_secure": _three_d_secure(authenticated),
            "wallet": None,
        },
        "type": "card",
    }


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


def _three_d_secure(authenticated: bool) -> Json | None:
    if not authenticated:
        return None
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": new_id("x")[2:],
        "version": "2.2.0",
    }
