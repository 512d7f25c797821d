"""Customers at Stripe, and whose an object is."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.billing.mirror import id_of
from app.billing.stripe_api.client import StripeRefused, client, digest, in_our_words


@dataclass(frozen=True)
class Customer:
    id: str
    livemode: bool
    is_deleted: bool
    user_id: str | None
    email: str | None = None
    name: str | None = None


async def create_customer(user_id: UUID, email: str, name: str, *, replacing: str | None = None) -> Customer:
    """The member's customer at Stripe. Asked twice within a day, Stripe answers with the same one."""
    with in_our_words():
        made = await client().v1.customers.create_async(
            {"email": email, "name": name, "metadata": {"limber_user_id": str(user_id)}},
            {"idempotency_key": f"limber-customer-{user_id}-{digest(email, name, replacing or '')}"},
        )
    return Customer(made.id, made.livemode, False, str(user_id))


async def rename_customer(customer_id: str, email: str, name: str) -> None:
    """Give a customer another name and address; one that is gone is left alone."""
    try:
        with in_our_words():
            await client().v1.customers.update_async(customer_id, {"email": email, "name": name})
    except StripeRefused as refusal:
        if not refusal.is_missing:
            raise


async def unname_customer(customer_id: str) -> None:
    """Take name, address and our own mark off a customer; invoices that were written keep what was on them.

    One that is gone is left alone.
    """
    nobody: Any = {
        "name": "Former member",
        "email": "",
        "phone": "",
        "address": "",
        "shipping": "",
        "description": "",
        "metadata": {"limber_user_id": ""},
    }
    try:
        with in_our_words():
            await client().v1.customers.update_async(customer_id, nobody)
    except StripeRefused as refusal:
        if not refusal.is_missing:
            raise


async def find_customer(customer_id: str) -> Customer | None:
    """The customer, a deleted one marked as such; None when this account has none of that id."""
    try:
        with in_our_words():
            found = (await client().v1.customers.retrieve_async(customer_id)).to_dict()
    except StripeRefused as refusal:
        if refusal.is_missing:
            return None
        raise
    return Customer(
        id=str(found["id"]),
        livemode=bool(found.get("livemode", False)),
        is_deleted=bool(found.get("deleted", False)),
        user_id=(found.get("metadata") or {}).get("limber_user_id"),
    )


_MONEY = frozenset({"refund", "dispute", "radar.early_fraud_warning"})


def is_about_money(thing: dict[str, Any]) -> bool:
    """Whether this object of an event names a charge and not its customer."""
    return thing.get("object") in _MONEY


def money_of(thing: dict[str, Any]) -> tuple[str | None, str | None]:
    """The charge and the payment intent that a refund, a dispute or a warning is about."""
    if not is_about_money(thing):
        return None, None
    return id_of(thing.get("charge")), id_of(thing.get("payment_intent"))


def customer_of(thing: dict[str, Any]) -> str | None:
    """The customer that an object of an event belongs to, or is."""
    if thing.get("object") == "customer":
        return str(thing["id"])
    owner = thing.get("customer")
    return id_of(owner) if isinstance(owner, str | dict) else None
