"""Charges: each attempt to take money.

Source: https://docs.stripe.com/api/charges
"""

from typing import Any

from sandbox.stripe.api import Call, Operation
from sandbox.stripe.expand import includable
from sandbox.stripe.lists import answer_list, envelope
from sandbox.stripe.store import Store

Json = dict[str, Any]


def retrieve(call: Call) -> Json:
    """GET /v1/charges/{charge}"""
    return call.world.store.need("charge", call.path["charge"]).body


def list_all(call: Call) -> Json:
    """GET /v1/charges"""
    where: Json = {}
    for name in ("customer", "payment_intent"):
        if (value := call.params.take_str(name)) is not None:
            where[name] = value
    return answer_list(call, "charge", "/v1/charges", where)


@includable("charge", "refunds")
def refunds_of(store: Store, charge: Json) -> Json:
    """A charge's refunds, which it has not shown by itself since 2022-11-15."""
    rows = store.select("refund", {"charge": charge["id"]})
    return envelope([row.body for row in rows], f"/v1/charges/{charge['id']}/refunds")


OPERATIONS: list[Operation] = [
    ("GET", "/v1/charges", list_all),
    ("GET", "/v1/charges/{charge}", retrieve),
]
