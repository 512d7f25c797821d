"""Replace ids by objects where a call asked for it with `expand[]`.

Source: https://docs.stripe.com/api/expanding_objects
"""

from collections.abc import Callable
from typing import Any

from sandbox.stripe.errors import StripeFault
from sandbox.stripe.store import Store

Json = dict[str, Any]

KIND_OF_PREFIX = {
    "cus": "customer",
    "prod": "product",
    "price": "price",
    "sub": "subscription",
    "sub_sched": "subscription_schedule",
    "cn": "credit_note",
    "cbtxn": "customer_balance_transaction",
    "in": "invoice",
    "ii": "invoiceitem",
    "inpay": "invoice_payment",
    "pi": "payment_intent",
    "seti": "setup_intent",
    "ch": "charge",
    "re": "refund",
    "du": "dispute",
    "di": "discount",
    "promo": "promotion_code",
    "txr": "tax_rate",
    "txn": "balance_transaction",
    "pm": "payment_method",
    "cs_test": "checkout.session",
    "clock": "test_helpers.test_clock",
    "bpc": "billing_portal.configuration",
}
_DEPTH = 4

# Fields that Stripe leaves out unless they are asked for: (object, field) → what fills it.
_Fill = Callable[[Store, Json], Any]
_INCLUDABLE: dict[tuple[str, str], _Fill] = {}


def includable(kind: str, name: str) -> Callable[[_Fill], _Fill]:
    """Register what fills a field that is absent by default, such as a session's `line_items`."""

    def register(fill: _Fill) -> _Fill:
        _INCLUDABLE[kind, name] = fill
        return fill

    return register


def expand(store: Store, answer: Json, paths: list[Any]) -> Json:
    """The answer with each dotted path expanded in place.

    Raises:
        StripeFault: for a path that names nothing expandable, or is deeper than four.
    """
    for path in paths:
        parts = str(path).split(".")
        if len(parts) > _DEPTH + (1 if parts[0] == "data" else 0):
            raise StripeFault(
                f"You cannot expand more than {_DEPTH} levels of a property: {path}", param="expand"
            )
        _walk(store, answer, parts, str(path))
    return answer


def _walk(store: Store, node: Any, parts: list[str], path: str) -> None:
    if isinstance(node, list):
        for entry in node:
            _walk(store, entry, parts, path)
        return
    if node is None or not parts:
        return
    name, rest = parts[0], parts[1:]
    if isinstance(node, dict):
        value = _expanded(store, node, name, path)
        node[name] = value
        _walk(store, value, rest, path)
        return
    raise _refusal(path)


def _expanded(store: Store, node: Json, name: str, path: str) -> Any:
    fill = _INCLUDABLE.get((str(node.get("object")), name))
    if fill is not None:
        return fill(store, node) if name not in node else node[name]
    if name not in node:
        if node.get("deleted"):
            return None
        raise _refusal(path)
    value = node[name]
    if name == "id":
        raise _refusal(path)
    if isinstance(value, list):
        return [_object(store, entry, path) for entry in value]
    return _object(store, value, path)


def _object(store: Store, value: Any, path: str) -> Any:
    if value is None or isinstance(value, dict):
        return value
    kind = KIND_OF_PREFIX.get(value.rsplit("_", 1)[0]) if isinstance(value, str) else None
    # A coupon's id is whatever its maker likes.
    row = store.find(kind or "coupon", value) if isinstance(value, str) else None
    if row is None:
        raise _refusal(path)
    if row.deleted:
        return {"id": row.id, "object": row.kind, "deleted": True}
    return row.body


def _refusal(path: str) -> StripeFault:
    return StripeFault(f"This property cannot be expanded ({path}).", param="expand")
