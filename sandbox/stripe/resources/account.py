"""The account whose key is used, and the ids by which one can tell it from another.

Source: https://docs.stripe.com/api/accounts/retrieve
"""

from typing import Any

from sandbox.stripe.api import Call, Operation
from sandbox.stripe.world import account_id

Json = dict[str, Any]


def retrieve(call: Call) -> Json:
    """GET /v1/account"""
    return {
        "id": account_id(call.world.store),
        "object": "account",
        "business_profile": {
            "annual_revenue": None,
            "estimated_worker_count": None,
            "mcc": None,
            "minority_owned_business_designation": None,
            "name": "Limber sandbox",
            "product_description": None,
            "support_address": None,
            "support_email": None,
            "support_phone": None,
            "support_url": None,
            "url": None,
        },
        "business_type": None,
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "country": "US",
        "default_currency": "usd",
        "details_submitted": True,
        "email": "teacher@example.com",
        "metadata": {},
        "payouts_enabled": True,
        "type": "standard",
    }


OPERATIONS: list[Operation] = [("GET", "/v1/account", retrieve)]
