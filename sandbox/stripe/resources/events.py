"""Events: what happened, for thirty days at Stripe and for ever here.

Source: https://docs.stripe.com/api/events
"""

from typing import Any

from sandbox.stripe.api import Call, Operation
from sandbox.stripe.lists import answer_list

Json = dict[str, Any]


def retrieve(call: Call) -> Json:
    """GET /v1/events/{id}"""
    return call.world.store.need("event", call.path["id"]).body


def list_all(call: Call) -> Json:
    """GET /v1/events, by `type`, `types` or `delivery_success`."""
    params = call.params
    one, many = params.take_str("type"), params.take_list("types")
    delivered = params.take_bool("delivery_success")
    conditions: list[str] = []
    values: list[object] = []
    if one is not None:
        conditions.append("json_extract(body, '$.type') GLOB ?")
        values.append(one)
    if many:
        conditions.append(f"json_extract(body, '$.type') IN ({', '.join('?' * len(many))})")
        values.extend(many)
    if delivered is not None:
        some = "EXISTS (SELECT 1 FROM deliveries WHERE event = objects.id AND state <> 'delivered')"
        conditions.append(f"NOT {some}" if delivered else some)
    return answer_list(
        call, "event", "/v1/events", {}, extra=" AND ".join(conditions), extra_values=tuple(values)
    )


OPERATIONS: list[Operation] = [
    ("GET", "/v1/events", list_all),
    ("GET", "/v1/events/{id}", retrieve),
]
