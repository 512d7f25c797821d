"""Checkout sessions: a purchase on a page of Stripe's.

Source: https://docs.stripe.com/api/checkout/sessions
"""

from typing import Any

from sandbox.stripe import checkout
from sandbox.stripe.api import Call, Operation
from sandbox.stripe.discounts import take_discounts
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.lists import answer_list, envelope
from sandbox.stripe.params import Params
from sandbox.stripe.session_amounts import reckon
from sandbox.stripe.session_bodies import buyer_details, session_body
from sandbox.stripe.session_lines import intent_data, new_line, subscription_data
from sandbox.stripe.setups import create_setup
from sandbox.stripe.store import Row
from sandbox.stripe.taxes import locate
from sandbox.stripe.world import World

Json = dict[str, Any]

_DAY_S = 86400
_IGNORED = (
    "billing_address_collection",
    "branding_settings",
    "consent_collection",
    "custom_fields",
    "custom_text",
    "invoice_creation",
    "locale",
    "name_collection",
    "payment_method_options",
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
    mode = params.take_choice("mode", ("payment", "setup", "subscription"), "payment") or ""
    customer_id, email = params.take_str("customer"), params.take_str("customer_email")
    if customer_id and email:
        raise StripeFault(
            "You may only specify one of these parameters: customer, customer_email.", param="customer"
        )
    customer = call.world.customer(customer_id) if customer_id else None
    world = call.world.of(customer) if customer is not None else call.world
    wanted, rates = params.take_str("currency"), {}
    lines = []
    for one in params.take_hashes("line_items"):
        line = new_line(world, one, mode, wanted)
        rates[line["id"]] = [str(rate) for rate in one.take_list("tax_rates")]
        lines.append(line)
    _check_lines(lines, mode)
    expires_at = params.take_int("expires_at") or world.now + _DAY_S
    if not world.now + 1800 <= expires_at <= world.now + _DAY_S:
        raise StripeFault(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.", param="expires_at"
        )
    body = session_body(world, params, mode, lines[0]["currency"] if lines else wanted)
    body.update(customer=customer_id, customer_email=email, expires_at=expires_at)
    if email or customer is not None:
        body["customer_details"] = buyer_details(email or (customer.body["email"] if customer else None))
    update_kinds = params.take_hash("customer_update")
    private: Json = {
        "line_items": lines,
        "tax_rates": rates,
        "subscription_data": subscription_data(world, params.take_hash("subscription_data"), mode),
        "payment_intent_data": intent_data(params.take_hash("payment_intent_data")),
        "keep_address": update_kinds is not None and update_kinds.take_str("address") == "auto",
    }
    if update_kinds is not None:
        update_kinds.ignore("name", "shipping")
    row = Row("checkout.session", body, private, clock=world.clock, due_at=expires_at)
    _apply_discounts(world, params, row)
    _apply_tax(params, row, customer)
    if mode == "setup":
        _apply_setup(world, params, row)
    else:
        reckon(world, row)
    params.ignore(*_IGNORED)
    return world.store.put(row).body


def _check_lines(lines: list[Json], mode: str) -> None:
    if mode == "setup":
        if lines:
            raise StripeFault("You can not pass `line_items` in `setup` mode.", param="line_items")
        return
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


def _apply_discounts(world: World, params: Params, row: Row) -> None:
    codes = params.take_bool("allow_promotion_codes")
    found = take_discounts(world, params, row.body["customer"])
    if codes is not None and found:
        raise StripeFault(
            "You may only specify one of these parameters: allow_promotion_codes, discounts.",
            param="discounts",
        )
    if len(found) > 1:
        raise StripeFault("At most one discount may be given.", param="discounts")
    row.body["allow_promotion_codes"] = codes
    row.private["discount"] = list(found[0]) if found else None


def _apply_tax(params: Params, row: Row, customer: Row | None) -> None:
    automatic = params.take_hash("automatic_tax")
    if automatic is None or not automatic.take_bool("enabled", False):
        return
    automatic.ignore("liability")
    if customer is not None and locate(customer.body["address"]) is None and not row.private["keep_address"]:
        raise StripeFault(
            "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid address "
            "to the Customer or set either `customer_update[address]` to 'auto'.",
            code="customer_tax_location_invalid",
            param="automatic_tax",
        )
    row.body["automatic_tax"].update(enabled=True, liability={"type": "self"}, provider="stripe")


def _apply_setup(world: World, params: Params, row: Row) -> None:
    data = params.take_hash("setup_intent_data")
    if data is not None:
        data.ignore("on_behalf_of")
    setup = create_setup(
        world,
        customer=row.body["customer"],
        description=data.take_str("description") if data is not None else None,
        metadata=data.merge_metadata() if data is not None else None,
        types=row.body["payment_method_types"],
    )
    row.body["setup_intent"] = setup.id


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


OPERATIONS: list[Operation] = [
    ("POST", "/v1/checkout/sessions", create),
    ("GET", "/v1/checkout/sessions", list_all),
    ("GET", "/v1/checkout/sessions/{session}", retrieve),
    ("POST", "/v1/checkout/sessions/{session}", update),
    ("GET", "/v1/checkout/sessions/{session}/line_items", list_lines),
    ("POST", "/v1/checkout/sessions/{session}/expire", expire),
]
