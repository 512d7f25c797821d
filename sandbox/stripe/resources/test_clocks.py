"""Test clocks: time that stands still until it is advanced.

Source: https://docs.stripe.com/api/test_clocks
"""

from typing import Any

from sandbox.stripe import lifecycle
from sandbox.stripe.api import Call, Operation
from sandbox.stripe.due import run_due
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.events import emit
from sandbox.stripe.lists import answer_list
from sandbox.stripe.store import Row, new_id

Json = dict[str, Any]

_KIND = "test_helpers.test_clock"
_TWO_YEARS_S = 2 * 366 * 86400
_LIFE_S = 30 * 86400


def create(call: Call) -> Json:
    """POST /v1/test_helpers/test_clocks"""
    frozen = call.params.take_int("frozen_time")
    if frozen is None:
        raise StripeFault(
            "Missing required param: frozen_time.", code="parameter_missing", param="frozen_time"
        )
    body: Json = {
        "id": new_id("clock"),
        "object": _KIND,
        "created": call.world.now,
        "deletes_after": call.world.now + _LIFE_S,
        "frozen_time": frozen,
        "livemode": False,
        "name": call.params.take_str("name"),
        "status": "ready",
        "status_details": {},
    }
    call.world.store.put(Row(_KIND, body))
    emit(call.world, "test_helpers.test_clock.created", body)
    return body


def retrieve(call: Call) -> Json:
    """GET /v1/test_helpers/test_clocks/{test_clock}"""
    return _living(call).body


def list_all(call: Call) -> Json:
    """GET /v1/test_helpers/test_clocks"""
    return answer_list(call, _KIND, "/v1/test_helpers/test_clocks", {}, created=False)


def advance(call: Call) -> Json:
    """POST /v1/test_helpers/test_clocks/{test_clock}/advance

    Everything that becomes due is done before this answers. The answer still says `advancing`, as Stripe's
    does, so that callers who wait for `ready` are exercised.
    """
    row, until = _living(call), call.params.take_int("frozen_time")
    now = row.body["frozen_time"]
    if until is None or until <= now:
        raise StripeFault("`frozen_time` must be after the clock's current time.", param="frozen_time")
    if until > now + _TWO_YEARS_S:
        raise StripeFault("A test clock can be advanced by at most two years at a time.", param="frozen_time")
    details = {"advancing": {"target_frozen_time": until}}
    answer = {**row.body, "status": "advancing", "status_details": details}
    emit(call.world, "test_helpers.test_clock.advancing", answer)
    run_due(call.world.on_clock(row.id), until)
    row.body["frozen_time"] = until
    call.world.store.put(row)
    emit(call.world, "test_helpers.test_clock.ready", row.body)
    return answer


def delete(call: Call) -> Json:
    """DELETE /v1/test_helpers/test_clocks/{test_clock}: its customers go with it."""
    row = _living(call)
    store, world = call.world.store, call.world.on_clock(row.id)
    for subscription in store.select("subscription", {"clock": row.id}):
        if subscription.body["status"] not in ("canceled", "incomplete_expired"):
            lifecycle.cancel(world, subscription, "cancellation_requested")
    for customer in store.select("customer", {"clock": row.id}):
        customer.deleted = True
        store.put(customer)
        emit(world, "customer.deleted", customer.body)
    row.deleted = True
    store.put(row)
    emit(call.world, "test_helpers.test_clock.deleted", row.body)
    return {"id": row.id, "object": _KIND, "deleted": True}


def _living(call: Call) -> Row:
    row = call.world.store.need(_KIND, call.path["test_clock"])
    if row.deleted:
        raise StripeFault(f"No such test clock: '{row.id}'", status=404, code="resource_missing", param="id")
    return row


OPERATIONS: list[Operation] = [
    ("POST", "/v1/test_helpers/test_clocks", create),
    ("GET", "/v1/test_helpers/test_clocks", list_all),
    ("GET", "/v1/test_helpers/test_clocks/{test_clock}", retrieve),
    ("DELETE", "/v1/test_helpers/test_clocks/{test_clock}", delete),
    ("POST", "/v1/test_helpers/test_clocks/{test_clock}/advance", advance),
]
