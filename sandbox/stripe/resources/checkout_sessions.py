"""Checkout sessions: a purchase on a page of Stripe's.

Source: https://docs.stripe.com/api/checkout/sessions
"""

from typing import Any

from sandbox.stripe import checkout
from sandbox.stripe.api import Call, Operation
from sandbox.stripe.catalogue import price_from_data
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.lists import answer_list, envelope
from sandbox.stripe.params import Params
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]

_DAY_S = 86400
_IGNORED = (
    "allow_promotion_codes",
    "automatic_tax",
    "billing_address_collection",
    "branding_settings",
    "consent_collection",
    "currency",
    "custom_fields",
    "custom_text",
    "customer_update",
    "invoice_creation",
    "locale",
    "name_collection",
    "payment_method_options",
    "payment_method_types",
    "phone_number_collection",
    "saved_payment_method_options",
    "submit_type",
    "tax_id_collection",
    "adaptive_pricing",
    "ui_mode",
    "origin_context",
)


def create(call: Call) -> Json:
    """POST /v1/checkout/sessions"""
    params = call.params
    mode = params.take_choice("mode", ("payment", "subscription"), "payment")
    customer_id, email = params.take_str("customer"), params.take_str("customer_email")
    if customer_id and email:
        raise StripeFault(
            "You may only specify one of these parameters: customer, customer_email.", param="customer"
        )
    customer = call.world.customer(customer_id) if customer_id else None
    world = call.world.of(customer) if customer is not None else call.world
    lines = [_line(world, one, str(mode)) for one in params.take_hashes("line_items")]
    if not lines:
        raise StripeFault(
            "You must provide at least one line item.", code="parameter_missing", param="line_items"
        )
    if len({line["currency"] for line in lines}) > 1:
        raise StripeFault("All line items must have the same currency.", param="line_items")
    if mode == "subscription" and not any(line["price"]["type"] == "recurring" for line in lines):
        raise StripeFault(
            "You must provide at least one recurring price in `subscription` mode when using prices.",
            param="line_items",
        )
    data = _subscription_data(params.take_hash("subscription_data"), str(mode))
    expires_at = params.take_int("expires_at") or world.now + _DAY_S
    if not world.now + 1800 <= expires_at <= world.now + _DAY_S:
        raise StripeFault(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.", param="expires_at"
        )
    body = _session(
        world, params, str(mode), lines, trial=bool(data.get("trial_period_days") or data.get("trial_end"))
    )
    body.update(customer=customer_id, customer_email=email, expires_at=expires_at)
    if email:
        body["customer_details"] = _details(email)
    elif customer is not None:
        body["customer_details"] = _details(customer.body["email"])
    private = {
        "line_items": lines,
        "subscription_data": data,
        "payment_intent_data": _intent_data(params.take_hash("payment_intent_data")),
    }
    params.ignore(*_IGNORED)
    row = Row("checkout.session", body, private, clock=world.clock, due_at=expires_at)
    return world.store.put(row).body


def retrieve(call: Call) -> Json:
    """GET /v1/checkout/sessions/{session}"""
    return call.world.store.need("checkout.session", call.path["session"]).body


def update(call: Call) -> Json:
    """POST /v1/checkout/sessions/{session}"""
    row = call.world.store.need("checkout.session", call.path["session"])
    row.body["metadata"] = call.params.merge_metadata(row.body["metadata"])
    return call.world.store.put(row).body


def list_all(call: Call) -> Json:
    """GET /v1/checkout/sessions"""
    where: Json = {}
    for name in ("customer", "subscription", "payment_intent", "status"):
        if (value := call.params.take_str(name)) is not None:
            where[name] = value
    details = call.params.take_hash("customer_details")
    if details is not None:
        where["customer_details.email"] = details.need_str("email")
    return answer_list(call, "checkout.session", "/v1/checkout/sessions", where)


def list_lines(call: Call) -> Json:
    """GET /v1/checkout/sessions/{session}/line_items"""
    call.params.ignore("limit", "starting_after", "ending_before")
    row = call.world.store.need("checkout.session", call.path["session"])
    return envelope(row.private["line_items"], f"/v1/checkout/sessions/{row.id}/line_items")


def expire(call: Call) -> Json:
    """POST /v1/checkout/sessions/{session}/expire"""
    row = call.world.store.need("checkout.session", call.path["session"])
    if row.body["status"] != "open":
        raise StripeFault(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This one is {row.body["status"]}.'
        )
    checkout.expire(call.world.of(row), row)
    return row.body


def _line(world: World, params: Params, mode: str) -> Json:
    data = params.take_hash("price_data")
    if data is not None:
        price = price_from_data(world, data, active=False).body
    else:
        price = world.reference("price", params.need_str("price"), params.full_name("price")).body
        if not price["active"]:
            raise StripeFault(
                "The price specified is inactive. This field only accepts active prices.",
                param=params.full_name("price"),
            )
    if mode == "payment" and price["type"] == "recurring":
        raise StripeFault(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or "
            "use only one-time prices.",
            param=params.full_name("price"),
        )
    quantity = params.take_int("quantity", 1) or 1
    params.ignore("adjustable_quantity", "dynamic_tax_rates", "tax_rates")
    amount = price["unit_amount"] * quantity
    product = world.store.need("product", price["product"])
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": product.body["name"],
        "metadata": {},
        "price": price,
        "quantity": quantity,
    }


def _subscription_data(params: Params | None, mode: str) -> Json:
    if params is None:
        return {}
    if mode != "subscription":
        raise StripeFault(
            "You can not pass `subscription_data` in `payment` mode.", param="subscription_data"
        )
    data: Json = {
        "metadata": params.merge_metadata(),
        "description": params.take_str("description"),
        "trial_period_days": params.take_int("trial_period_days"),
        "trial_end": params.take_int("trial_end"),
    }
    settings = params.take_hash("trial_settings")
    behavior = settings.take_hash("end_behavior") if settings is not None else None
    if behavior is not None:
        data["missing_payment_method"] = behavior.need_str("missing_payment_method")
    params.ignore("billing_mode", "invoice_settings", "proration_behavior", "default_tax_rates")
    return data


def _intent_data(params: Params | None) -> Json:
    if params is None:
        return {}
    data: Json = {"metadata": params.merge_metadata()}
    for name in ("description", "setup_future_usage", "receipt_email"):
        data[name] = params.take_str(name)
    params.ignore("statement_descriptor", "statement_descriptor_suffix", "capture_method", "shipping")
    return data


def _details(email: str | None) -> Json:
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


def _session(world: World, params: Params, mode: str, lines: list[Json], trial: bool) -> Json:
    session_id = f"cs_test_{new_id('x', 56)[2:]}"
    subtotal = sum(line["amount_total"] for line in lines)
    total = sum(
        line["amount_total"] for line in lines if not (trial and line["price"]["type"] == "recurring")
    )
    nothing = dict.fromkeys(
        (
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
    )
    return {
        "id": session_id,
        "object": "checkout.session",
        **nothing,
        "adaptive_pricing": {"enabled": False},
        "amount_subtotal": total if trial else subtotal,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "cancel_url": params.take_str("cancel_url"),
        "client_reference_id": params.take_str("client_reference_id"),
        "created": world.now,
        "currency": lines[0]["currency"],
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
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "redirect_on_completion": "always",
        "shipping_options": [],
        "status": "open",
        "success_url": params.need_str("success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{world.base_url}/c/pay/{session_id}",
    }


OPERATIONS: list[Operation] = [
    ("POST", "/v1/checkout/sessions", create),
    ("GET", "/v1/checkout/sessions", list_all),
    ("GET", "/v1/checkout/sessions/{session}", retrieve),
    ("POST", "/v1/checkout/sessions/{session}", update),
    ("GET", "/v1/checkout/sessions/{session}/line_items", list_lines),
    ("POST", "/v1/checkout/sessions/{session}/expire", expire),
]
