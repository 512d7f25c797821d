"""Products: what is sold.

Source: https://docs.stripe.com/api/products
"""

import copy
from typing import Any

from sandbox.stripe.api import Call, Operation
from sandbox.stripe.catalogue import apply_product, new_product, price_from_data
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.events import emit, save_and_emit
from sandbox.stripe.lists import answer_list
from sandbox.stripe.search import search_answer

Json = dict[str, Any]


def create(call: Call) -> Json:
    """POST /v1/products"""
    row = new_product(call.world, call.params)
    data = call.params.take_hash("default_price_data")
    if data is not None:
        price = price_from_data(call.world, data, product=row)
        row.body["default_price"] = price.id
        call.world.store.put(row)
    return row.body


def retrieve(call: Call) -> Json:
    """GET /v1/products/{id}"""
    row = call.world.store.need("product", call.path["id"])
    return {"id": row.id, "object": "product", "deleted": True} if row.deleted else row.body


def update(call: Call) -> Json:
    """POST /v1/products/{id}"""
    row = call.world.store.need("product", call.path["id"])
    before = copy.deepcopy(row.body)
    row.body["name"] = call.params.take_str("name", row.body["name"])
    apply_product(call.params, row.body)
    chosen = call.params.take_str("default_price", row.body["default_price"])
    if chosen is not None:
        call.world.reference("price", chosen, "default_price")
    row.body["default_price"] = chosen
    if row.body != before:
        row.body["updated"] = call.world.now
    save_and_emit(call.world, "product.updated", before, row)
    return row.body


def delete(call: Call) -> Json:
    """DELETE /v1/products/{id}: only while it has no prices."""
    row = call.world.store.need("product", call.path["id"])
    if call.world.store.select("price", {"product": row.id}):
        raise StripeFault("This product cannot be deleted because it has one or more user-created prices.")
    row.deleted = True
    call.world.store.put(row)
    emit(call.world, "product.deleted", row.body)
    return {"id": row.id, "object": "product", "deleted": True}


def list_all(call: Call) -> Json:
    """GET /v1/products"""
    active, ids = call.params.take_bool("active"), call.params.take_list("ids")
    call.params.ignore("shippable", "url", "type")
    where = {} if active is None else {"active": active}
    marks = ", ".join("?" * len(ids))
    extra = f"id IN ({marks})" if ids else ""
    return answer_list(call, "product", "/v1/products", where, extra=extra, extra_values=tuple(ids))


def search(call: Call) -> Json:
    """GET /v1/products/search"""
    return search_answer(call, "product", "/v1/products/search")


OPERATIONS: list[Operation] = [
    ("POST", "/v1/products", create),
    ("GET", "/v1/products", list_all),
    ("GET", "/v1/products/search", search),
    ("GET", "/v1/products/{id}", retrieve),
    ("POST", "/v1/products/{id}", update),
    ("DELETE", "/v1/products/{id}", delete),
]
