"""The customer portal: sessions that open a hosted page, and the configuration behind them.

Source: https://docs.stripe.com/api/customer_portal/sessions
"""

import copy
from typing import Any

from sandbox.stripe.api import Call, Operation
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.events import emit, save_and_emit
from sandbox.stripe.lists import answer_list
from sandbox.stripe.params import Params
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]

_FLOWS = (
    "payment_method_update",
    "subscription_cancel",
    "subscription_update",
    "subscription_update_confirm",
)
_CONFIGURATION = "billing_portal.configuration"


def create(call: Call) -> Json:
    """POST /v1/billing_portal/sessions"""
    params = call.params
    customer = call.world.customer(params.need_str("customer"))
    world = call.world.of(customer)
    configuration_id = params.take_str("configuration")
    if configuration_id is not None:
        configuration = world.reference(_CONFIGURATION, configuration_id, "configuration")
    else:
        configuration = default_configuration(world)
    flow = _flow(world, customer.id, params.take_hash("flow_data"))
    params.ignore("on_behalf_of")
    secret = new_id("x", 48)[2:]
    path = f"/p/session/{secret}"
    if flow is not None:
        path += f"/flow/{flow['type']}"
    body: Json = {
        "id": new_id("bps"),
        "object": "billing_portal.session",
        "configuration": configuration.id,
        "created": world.now,
        "customer": customer.id,
        "customer_account": None,
        "flow": flow,
        "livemode": False,
        "locale": params.take_str("locale"),
        "on_behalf_of": None,
        "return_url": params.take_str("return_url", configuration.body["default_return_url"]),
        "url": f"{world.base_url}{path}",
    }
    row = Row("billing_portal.session", body, {"secret": secret}, clock=world.clock)
    world.store.put(row)
    world.store.set_setting(f"portal:{secret}", row.id)
    emit(world, "billing_portal.session.created", body)
    return body


def create_configuration(call: Call) -> Json:
    """POST /v1/billing_portal/configurations"""
    params = call.params
    row = _configuration(call.world, is_default=False)
    _apply(params, row.body)
    call.world.store.put(row)
    emit(call.world, "billing_portal.configuration.created", row.body)
    return row.body


def update_configuration(call: Call) -> Json:
    """POST /v1/billing_portal/configurations/{configuration}"""
    row = call.world.store.need(_CONFIGURATION, call.path["configuration"])
    before = copy.deepcopy(row.body)
    _apply(call.params, row.body)
    row.body["active"] = call.params.take_bool("active", row.body["active"])
    row.body["updated"] = call.world.now
    save_and_emit(call.world, "billing_portal.configuration.updated", before, row)
    return row.body


def retrieve_configuration(call: Call) -> Json:
    """GET /v1/billing_portal/configurations/{configuration}"""
    return call.world.store.need(_CONFIGURATION, call.path["configuration"]).body


def list_configurations(call: Call) -> Json:
    """GET /v1/billing_portal/configurations"""
    call.params.ignore("active", "is_default")
    return answer_list(call, _CONFIGURATION, "/v1/billing_portal/configurations", {}, created=False)


def default_configuration(world: World) -> Row:
    """The configuration that is used when none is named; made once."""
    found = world.store.select(_CONFIGURATION, {"is_default": True})
    return found[0] if found else world.store.put(_configuration(world, is_default=True))


def _apply(params: Params, body: Json) -> None:
    """Keep what is given; of the features, the page heeds how to cancel and what plans can be changed to."""
    for name in ("default_return_url", "name"):
        if name in params:
            body[name] = params.take_str(name)
    body["metadata"] = params.merge_metadata(body["metadata"])
    profile = params.take_hash("business_profile")
    if profile is not None:
        for name in ("headline", "privacy_policy_url", "terms_of_service_url"):
            if name in profile:
                body["business_profile"][name] = profile.take_str(name)
    params.ignore("login_page")
    features = params.take_hash("features")
    if features is not None:
        for name, known in body["features"].items():
            given = features.take_hash(name)
            if given is not None:
                _take_feature(given, known)


def _take_feature(given: Params, known: Json) -> None:
    """Set what is given of a feature; a switch, a word, a list of words, or the products of a change of plan."""
    for name, value in known.items():
        if name not in given:
            continue
        if name == "products":
            known[name] = [
                {
                    "adjustable_quantity": {"enabled": False, "maximum": None, "minimum": 1},
                    "prices": [str(price) for price in one.take_list("prices")],
                    "product": one.need_str("product"),
                }
                for one in given.take_hashes("products")
            ]
        elif isinstance(value, bool):
            known[name] = given.take_bool(name, value)
        elif isinstance(value, list):
            known[name] = given.take_list(name)
        elif isinstance(value, dict):
            given.take_anything(name)
        else:
            known[name] = given.take_str(name)


def _flow(world: World, customer_id: str, params: Params | None) -> Json | None:
    if params is None:
        return None
    kind = params.take_choice("type", _FLOWS)
    after = params.take_hash("after_completion")
    flow: Json = {
        "after_completion": _after(after),
        "subscription_cancel": None,
        "subscription_update": None,
        "subscription_update_confirm": None,
        "type": kind,
    }
    if kind in ("subscription_cancel", "subscription_update", "subscription_update_confirm"):
        nested = params.take_hash(kind)
        if nested is None:
            full = params.full_name(kind)
            raise StripeFault(f"Missing required param: {full}.", code="parameter_missing", param=full)
        row = world.reference(
            "subscription", nested.need_str("subscription"), nested.full_name("subscription")
        )
        if row.body["customer"] != customer_id:
            raise StripeFault(
                "The subscription is not the customer's.", param=nested.full_name("subscription")
            )
        flow[kind] = {"subscription": row.id}
        if kind == "subscription_cancel":
            flow[kind]["retention"] = None
            nested.ignore("retention")
        if kind == "subscription_update_confirm":
            flow[kind].update(discounts=None, items=_confirm_items(nested))
    return flow


def _confirm_items(nested: Params) -> list[Json]:
    nested.ignore("discounts")
    return [
        {"id": one.need_str("id"), "price": one.take_str("price"), "quantity": one.take_int("quantity", 1)}
        for one in nested.take_hashes("items")
    ]


def _after(params: Params | None) -> Json:
    after: Json = {"hosted_confirmation": None, "redirect": None, "type": "portal_homepage"}
    if params is None:
        return after
    after["type"] = params.take_choice("type", ("hosted_confirmation", "portal_homepage", "redirect"))
    redirect, hosted = params.take_hash("redirect"), params.take_hash("hosted_confirmation")
    if redirect is not None:
        after["redirect"] = {"return_url": redirect.need_str("return_url")}
    if hosted is not None:
        after["hosted_confirmation"] = {"custom_message": hosted.take_str("custom_message")}
    return after


def _configuration(world: World, *, is_default: bool) -> Row:
    body: Json = {
        "id": new_id("bpc"),
        "object": _CONFIGURATION,
        "active": True,
        "application": None,
        "business_profile": {"headline": None, "privacy_policy_url": None, "terms_of_service_url": None},
        "created": world.now,
        "default_return_url": None,
        "features": {
            "customer_update": {"allowed_updates": ["email", "name"], "enabled": False},
            "invoice_history": {"enabled": True},
            "payment_method_update": {"enabled": True, "payment_method_configuration": None},
            "subscription_cancel": {
                "cancellation_reason": {"enabled": False, "options": ["too_expensive", "unused", "other"]},
                "enabled": True,
                "mode": "at_period_end",
                "proration_behavior": "none",
            },
            "subscription_update": {
                "billing_cycle_anchor": None,
                "default_allowed_updates": ["price"],
                "enabled": False,
                "products": None,
                "proration_behavior": "create_prorations",
                "schedule_at_period_end": {"conditions": []},
                "trial_update_behavior": "end_trial",
            },
        },
        "is_default": is_default,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": {},
        "name": None,
        "updated": world.now,
    }
    return Row(_CONFIGURATION, body)


OPERATIONS: list[Operation] = [
    ("POST", "/v1/billing_portal/sessions", create),
    ("POST", "/v1/billing_portal/configurations", create_configuration),
    ("GET", "/v1/billing_portal/configurations", list_configurations),
    ("GET", "/v1/billing_portal/configurations/{configuration}", retrieve_configuration),
    ("POST", "/v1/billing_portal/configurations/{configuration}", update_configuration),
]
