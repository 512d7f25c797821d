"""Setup intents: a payment method made ready for payments that its holder will not be there for.

Source: https://docs.stripe.com/payments/setup-intents
"""

import copy
from typing import Any

from sandbox.stripe.card_table import NEVER, Decline
from sandbox.stripe.cards import NEEDS_ACTION, UNPROVEN, decline_error
from sandbox.stripe.events import emit
from sandbox.stripe.methods import attach, card_of
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]

_PROOF_FAILED = Decline("setup_intent_authentication_failure", None, UNPROVEN.message)


def create_setup(
    world: World,
    *,
    customer: str | None,
    description: str | None = None,
    metadata: Json | None = None,
    payment_method: str | None = None,
    usage: str = "off_session",
    types: list[str] | None = None,
) -> Row:
    """A setup intent that waits for a payment method, or for being confirmed with this one."""
    setup_id = new_id("seti")
    body: Json = {
        "id": setup_id,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": None if types else {"allow_redirects": "always", "enabled": True},
        "cancellation_reason": None,
        "client_secret": f"{setup_id}_secret_{new_id('x')[2:]}",
        "created": world.now,
        "customer": customer,
        "customer_account": None,
        "description": description,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": dict(metadata or {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": payment_method,
        "payment_method_configuration_details": None,
        "payment_method_options": None,
        "payment_method_types": types or ["card"],
        "single_use_mandate": None,
        "status": "requires_confirmation" if payment_method else "requires_payment_method",
        "usage": usage,
    }
    row = world.store.put(Row("setup_intent", body, clock=world.clock))
    emit(world, "setup_intent.created", body)
    return row


def confirm_setup(world: World, row: Row, method: Row) -> Decline | None:
    """Try the method; gives the decline, `NEEDS_ACTION` while its holder has to authenticate, or None."""
    card = card_of(method)
    row.body["payment_method"] = method.id
    if card is not None and card.at_once is not None:
        return _fail(world, row, method, card.at_once)
    if card is None or card.authentication == NEVER:
        return finish_setup(world, row)
    page = f"{world.base_url}/authenticate/{row.id}"
    back = row.private.get("return_url")
    action: Json = {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page},
    }
    if back is not None:
        action = {"type": "redirect_to_url", "redirect_to_url": {"return_url": back, "url": page}}
    row.body.update(status="requires_action", next_action=action, last_setup_error=None)
    world.store.put(row)
    emit(world, "setup_intent.requires_action", row.body)
    return NEEDS_ACTION


def finish_setup(world: World, row: Row) -> Decline | None:
    """The method is ready, and its customer's, if there is one; never declines."""
    method = world.store.need("payment_method", row.body["payment_method"])
    method.private["set_up"] = True
    world.store.put(method)
    if row.body["customer"] is not None and method.body["customer"] is None:
        attach(world, method, world.store.need("customer", row.body["customer"]))
    row.body.update(status="succeeded", next_action=None, last_setup_error=None)
    world.store.put(row)
    emit(world, "setup_intent.succeeded", row.body)
    return None


def fail_setup(world: World, row: Row) -> Decline:
    """The holder did not authenticate."""
    return _fail(world, row, world.store.need("payment_method", row.body["payment_method"]), _PROOF_FAILED)


def cancel_setup(world: World, row: Row, reason: str | None) -> None:
    """Give it up."""
    row.body.update(status="canceled", cancellation_reason=reason, next_action=None)
    world.store.put(row)
    emit(world, "setup_intent.canceled", row.body)


def _fail(world: World, row: Row, method: Row, decline: Decline) -> Decline:
    row.body.update(status="requires_payment_method", payment_method=None, next_action=None)
    row.body["last_setup_error"] = {**decline_error(decline), "payment_method": copy.deepcopy(method.body)}
    world.store.put(row)
    emit(world, "setup_intent.setup_failed", row.body)
    return decline
