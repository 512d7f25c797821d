"""The shape of a Checkout session before anybody has opened its page.

Source: https://docs.stripe.com/api/checkout/sessions/object
"""

from typing import Any

from sandbox.stripe.debits import ACH, SEPA
from sandbox.stripe.params import Params
from sandbox.stripe.store import new_id
from sandbox.stripe.world import World

Json = dict[str, Any]

_NOTHING = (
    "after_expiration",
    "allow_promotion_codes",
    "billing_address_collection",
    "client_secret",
    "collected_information",
    "consent",
    "consent_collection",
    "currency_conversion",
    "customer",
    "customer_account",
    "customer_details",
    "customer_email",
    "invoice",
    "invoice_creation",
    "payment_intent",
    "payment_link",
    "payment_method_configuration_details",
    "permissions",
    "recovered_from",
    "saved_payment_method_options",
    "setup_intent",
    "shipping_address_collection",
    "shipping_cost",
    "submit_type",
    "subscription",
    "origin_context",
    "wallet_options",
)
# Without a word about it, a page offers what the account has switched on for the currency.
_METHODS = {"usd": ["card", ACH], "eur": ["card", SEPA]}


def buyer_details(email: str | None) -> Json:
    """What is known of the buyer before the page is filled in."""
    return {
        "address": None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": None,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": None,
    }


def session_body(world: World, params: Params, mode: str, currency: str | None) -> Json:
    """A session without amounts; reads what of the call's parameters is only kept."""
    session_id = f"cs_test_{new_id('x', 56)[2:]}"
    types = [str(one) for one in params.take_list("payment_method_types")]
    if not types:
        types = list(_METHODS.get(currency or "", ["card"])) if mode != "setup" else ["card"]
    return {
        "id": session_id,
        "object": "checkout.session",
        **dict.fromkeys(_NOTHING),
        "adaptive_pricing": {"enabled": False},
        "amount_subtotal": 0 if mode != "setup" else None,
        "amount_total": 0 if mode != "setup" else None,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "cancel_url": params.take_str("cancel_url"),
        "client_reference_id": params.take_str("client_reference_id"),
        "created": world.now,
        "currency": currency,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer_creation": params.take_choice("customer_creation", ("always", "if_required"))
        or ("always" if mode == "subscription" else "if_required"),
        "discounts": [],
        "expires_at": 0,
        "livemode": False,
        "locale": None,
        "metadata": params.merge_metadata(),
        "mode": mode,
        "payment_method_collection": params.take_choice(
            "payment_method_collection", ("always", "if_required"), "always"
        ),
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": types,
        "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
        "phone_number_collection": {"enabled": False},
        "redirect_on_completion": "always",
        "shipping_options": [],
        "status": "open",
        "success_url": params.need_str("success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{world.base_url}/c/pay/{session_id}",
    }
