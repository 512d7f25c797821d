"""Prices: what a product costs, once or each period. Amounts are whole numbers of the currency's minor unit.

Source: https://docs.stripe.com/api/prices
"""

import copy
from typing import Any

from sandbox.stripe.api import Call, Operation
from sandbox.stripe.catalogue import price_from_data, take_currency_options
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.events import save_and_emit
from sandbox.stripe.lists import answer_list
from sandbox.stripe.search import search_answer
from sandbox.stripe.store import Row
from sandbox.stripe.world import World

Json = dict[str, Any]


def create(call: Call) -> Json:
    """POST /v1/prices"""
    call.params.ignore("billing_scheme")
    active = call.params.take_bool("active", True)
    key, transfer = call.params.take_str("lookup_key"), call.params.take_bool("transfer_lookup_key", False)
    row = price_from_data(call.world, call.params, active=bool(active))
    if key is not None:
        _claim_key(call.world, row, key, bool(transfer))
    return call.world.store.put(row).body


def retrieve(call: Call) -> Json:
    """GET /v1/prices/{price}"""
    return call.world.store.need("price", call.path["price"]).body


def update(call: Call) -> Json:
    """POST /v1/prices/{price}: an amount never changes, a new price is made instead."""
    row = call.world.store.need("price", call.path["price"])
    params, before = call.params, copy.deepcopy(row.body)
    row.body["active"] = params.take_bool("active", row.body["active"])
    row.body["nickname"] = params.take_str("nickname", row.body["nickname"])
    row.body["tax_behavior"] = params.take_str("tax_behavior", row.body["tax_behavior"])
    row.body["metadata"] = params.merge_metadata(row.body["metadata"])
    transfer = params.take_bool("transfer_lookup_key", False)
    take_currency_options(params, row.body)
    if "lookup_key" in params:
        key = params.take_str("lookup_key")
        if key is None:
            row.body["lookup_key"] = None
        else:
            _claim_key(call.world, row, key, bool(transfer))
    save_and_emit(call.world, "price.updated", before, row)
    return row.body


def list_all(call: Call) -> Json:
    """GET /v1/prices"""
    params = call.params
    where: Json = {}
    for name in ("product", "currency", "type"):
        if (value := params.take_str(name)) is not None:
            where[name] = value
    if (active := params.take_bool("active")) is not None:
        where["active"] = active
    recurring = params.take_hash("recurring")
    if recurring is not None and (interval := recurring.take_str("interval")) is not None:
        where["recurring.interval"] = interval
    keys = params.take_list("lookup_keys")
    marks = ", ".join("?" * len(keys))
    extra = f"json_extract(body, '$.lookup_key') IN ({marks})" if keys else ""
    return answer_list(call, "price", "/v1/prices", where, extra=extra, extra_values=tuple(keys))


def search(call: Call) -> Json:
    """GET /v1/prices/search"""
    return search_answer(call, "price", "/v1/prices/search")


def _claim_key(world: World, row: Row, key: str, transfer: bool) -> None:
    for other in world.store.select("price", {"lookup_key": key}):
        if other.id == row.id:
            continue
        if not transfer:
            raise StripeFault(
                f"A price (`{other.id}`) already uses that lookup key.",
                code="resource_already_exists",
                param="lookup_key",
            )
        before = copy.deepcopy(other.body)
        other.body["lookup_key"] = None
        save_and_emit(world, "price.updated", before, other)
    row.body["lookup_key"] = key


OPERATIONS: list[Operation] = [
    ("POST", "/v1/prices", create),
    ("GET", "/v1/prices", list_all),
    ("GET", "/v1/prices/search", search),
    ("GET", "/v1/prices/{price}", retrieve),
    ("POST", "/v1/prices/{price}", update),
]
