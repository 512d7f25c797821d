"""Payment methods: make one from a card or a bank account, attach it, choose the one that pays."""

import hashlib
from typing import Any

from sandbox.stripe.card_table import BY_NUMBER, Card
from sandbox.stripe.cards import card_fault
from sandbox.stripe.debits import Debit, debit_body
from sandbox.stripe.events import emit, save_and_emit
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]

EXPIRES_AFTER_YEARS = 8


def create_method(
    world: World, card: Card, *, details: Json | None = None, exp: tuple[int, int] | None = None
) -> Row:
    """A card as a payment method that belongs to nobody yet. `exp` is (month, year)."""
    month, year = exp or (12, 1970 + world.now // 31_556_952 + EXPIRES_AFTER_YEARS)
    shown: Json = {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": card.brand,
        "exp_month": month,
        "exp_year": year,
        # The same number always has the same fingerprint, so that a returning card can be known.
        "fingerprint": hashlib.sha256(card.number.encode()).hexdigest()[:16],
        "funding": card.funding,
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    return _put_method(world, "card", shown, details, {"number": card.number})


def create_debit(world: World, debit: Debit, *, details: Json | None = None) -> Row:
    """A bank account as a payment method that belongs to nobody yet."""
    return _put_method(world, debit.kind, debit_body(debit), details, {"account": debit.account})


def card_of(method: Row) -> Card | None:
    """The card behind a payment method; None for a bank account."""
    return BY_NUMBER.get(method.private.get("number", ""))


def _put_method(world: World, kind: str, shown: Json, details: Json | None, private: Json) -> Row:
    body: Json = {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": None,
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
            **(details or {}),
        },
        kind: shown,
        "created": world.now,
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": kind,
    }
    return world.store.put(Row("payment_method", body, private, clock=world.clock))


def attach(world: World, method: Row, customer: Row) -> None:
    """Give the method to the customer.

    Raises:
        StripeFault: 402, for a card that declines at once.
    """
    card = card_of(method)
    if card is not None and card.at_once is not None:
        raise card_fault(card.at_once)
    method.body["customer"] = customer.id
    method.clock = customer.clock
    world.store.put(method)
    emit(world, "payment_method.attached", method.body)


def make_default(world: World, customer: Row, method_id: str) -> None:
    """Let this method pay the customer's invoices from now on."""
    before = {**customer.body, "invoice_settings": dict(customer.body["invoice_settings"])}
    customer.body["invoice_settings"]["default_payment_method"] = method_id
    save_and_emit(world, "customer.updated", before, customer)


def paying_method(world: World, customer: Row, subscription: Json | None) -> Row | None:
    """The method that pays: the subscription's, else the customer's."""
    chosen = (subscription or {}).get("default_payment_method")
    chosen = chosen or customer.body["invoice_settings"]["default_payment_method"]
    method = world.store.find("payment_method", chosen) if chosen else None
    return method if method is not None and method.body["customer"] == customer.id else None
