"""The account's balance, as far as disputes move it.

Source: https://docs.stripe.com/api/balance_transactions
"""

from typing import Any

from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]

_KIND = "balance_transaction"


def book(
    world: World, *, amount: int, fee: int, currency: str, source: str, words: str, category: str
) -> Json:
    """Write down an adjustment of the balance, in minor units; money that leaves is negative."""
    details = {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": words,
        "type": "stripe_fee",
    }
    body: Json = {
        "id": new_id("txn"),
        "object": _KIND,
        "amount": amount,
        "available_on": world.now,
        "balance_type": "payments",
        "created": world.now,
        "currency": currency,
        "description": words,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [details] if fee else [],
        "net": amount - fee,
        "reporting_category": category,
        "source": source,
        "status": "available",
        "type": "adjustment",
    }
    world.store.put(Row(_KIND, body, clock=world.clock))
    return body
