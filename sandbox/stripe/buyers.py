"""Customers come into being: by the API, or at the end of a Checkout page.

Source: https://docs.stripe.com/api/customers
"""

import secrets
from typing import Any

from sandbox.stripe.events import emit
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]


def blank_customer(world: World) -> Json:
    """A customer of whom nothing is known yet."""
    return {
        "id": new_id("cus", 14),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": world.now,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "email": None,
        "invoice_prefix": secrets.token_hex(4).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": world.clock,
    }


def add_customer(world: World, body: Json) -> Row:
    """Keep the customer and tell of it."""
    row = world.store.put(Row("customer", body, clock=world.clock))
    emit(world, "customer.created", body)
    return row


def new_customer(
    world: World, *, email: str | None = None, name: str | None = None, metadata: Json | None = None
) -> Row:
    """Make a customer on the world's clock."""
    body = blank_customer(world)
    body.update(email=email, name=name, metadata=dict(metadata or {}))
    return add_customer(world, body)
