"""Payment intents: made, tried, proven by the card's holder, captured."""

import copy
from datetime import UTC, datetime
from typing import Any

from sandbox.stripe.card_table import ALWAYS, EXPIRED, IF_NOT_SET_UP, Card, Decline
from sandbox.stripe.cards import NEEDS_ACTION, NOT_THERE, UNPROVEN, decline_error
from sandbox.stripe.charging import new_charge
from sandbox.stripe.debits import REFUSED, kept_debit
from sandbox.stripe.disputes import raise_objections
from sandbox.stripe.events import emit
from sandbox.stripe.methods import card_of
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]

# What an intent of ours never has, or has not yet.
_NOTHING = (
    "application",
    "application_fee_amount",
    "canceled_at",
    "cancellation_reason",
    "last_payment_error",
    "latest_charge",
    "next_action",
    "on_behalf_of",
    "processing",
    "review",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
)
_CARD_NOTHING = ("installments", "mandate_options", "network")


def create_intent(
    world: World,
    *,
    amount: int,
    currency: str,
    customer: str | None,
    description: str | None = None,
    metadata: Json | None = None,
    payment_method: str | None = None,
    automatic: bool = False,
    setup_future_usage: str | None = None,
    receipt_email: str | None = None,
    capture_method: str = "automatic_async",
    types: list[str] | None = None,
) -> Row:
    """A payment intent that waits for a payment method. Amounts are in the currency's minor unit."""
    intent_id = new_id("pi")
    body: Json = {
        "id": intent_id,
        "object": "payment_intent",
        **dict.fromkeys(_NOTHING),
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True} if automatic else None,
        "capture_method": capture_method,
        "client_secret": f"{intent_id}_secret_{new_id('x')[2:]}",
        "confirmation_method": "automatic",
        "created": world.now,
        "currency": currency,
        "customer": customer,
        "description": description,
        "livemode": False,
        "metadata": dict(metadata or {}),
        "payment_method": payment_method,
        "payment_method_options": {
            "card": {**dict.fromkeys(_CARD_NOTHING), "request_three_d_secure": "automatic"}
        },
        "payment_method_types": types or ["card"],
        "receipt_email": receipt_email,
        "setup_future_usage": setup_future_usage,
        "status": "requires_confirmation" if payment_method else "requires_payment_method",
    }
    row = world.store.put(Row("payment_intent", body, clock=world.clock))
    emit(world, "payment_intent.created", body)
    return row


def attempt(
    world: World, intent: Row, method: Row, *, off_session: bool, proven: bool = False, ask: bool = True
) -> Decline | None:
    """Try to charge the method for the intent; gives the decline, or None when it is paid.

    `proven` says that the holder has just authenticated. Where that is missing, the intent waits for it and
    `NEEDS_ACTION` is given, unless nobody is to be asked: then it is a decline like another.
    """
    card = card_of(method)
    if card is None:
        _start_debit(world, intent, method)
        return None
    if not proven and card.at_once is None and must_prove(card, method):
        if ask:
            return _wait_for_holder(world, intent, method)
        return _failed(world, intent, method, NOT_THERE)
    decline = card.at_once or (card.later if off_session else None) or (card.proven if proven else None)
    if decline is None and off_session and has_expired(method, world.now):
        decline = EXPIRED
    if decline is not None:
        return _failed(world, intent, method, decline)
    if proven and intent.body["setup_future_usage"] == "off_session":
        method.private["set_up"] = True
        world.store.put(method)
    body = intent.body
    charge = world.store.put(
        Row("charge", new_charge(world, body, method, None, authenticated=proven), clock=world.clock)
    )
    body.update(latest_charge=charge.id, payment_method=method.id, last_payment_error=None, next_action=None)
    manual = body["capture_method"] == "manual"
    body["status"] = "requires_capture" if manual else "succeeded"
    body["amount_capturable" if manual else "amount_received"] = body["amount"]
    world.store.put(intent)
    emit(world, "charge.succeeded", charge.body)
    emit(world, "payment_intent.amount_capturable_updated" if manual else "payment_intent.succeeded", body)
    if not manual:
        raise_objections(world, charge, card)
    return None


def settle_debit(world: World, intent: Row) -> Decline | None:
    """The bank has answered: a debit that was under way is paid, or is not; gives the decline."""
    body = intent.body
    intent.due_at = None
    method = world.store.need("payment_method", body["payment_method"])
    charge = world.store.need("charge", body["latest_charge"])
    decline = kept_debit(method.private["account"]).decline if "verdict" not in intent.private else None
    if intent.private.get("verdict") == "fails":
        decline = REFUSED
    if decline is None:
        charge.body.update(status="succeeded", paid=True, captured=True, amount_captured=body["amount"])
        body.update(status="succeeded", amount_received=body["amount"], processing=None)
    else:
        charge.body.update(status="failed", failure_code=decline.code, failure_message=decline.message)
        body.update(status="requires_payment_method", payment_method=None)
        shown = copy.deepcopy(method.body)
        body["last_payment_error"] = {**decline_error(decline), "charge": charge.id, "payment_method": shown}
    world.store.put(charge)
    world.store.put(intent)
    emit(world, "charge.succeeded" if decline is None else "charge.failed", charge.body)
    emit(world, "payment_intent.succeeded" if decline is None else "payment_intent.payment_failed", body)
    return decline


def _start_debit(world: World, intent: Row, method: Row) -> None:
    body = intent.body
    charge = new_charge(world, body, method, None)
    charge.update(status="pending", paid=False, captured=False, amount_captured=0)
    world.store.put(Row("charge", charge, clock=world.clock))
    body.update(
        status="processing",
        payment_method=method.id,
        latest_charge=charge["id"],
        last_payment_error=None,
        payment_method_types=sorted({*body["payment_method_types"], method.body["type"]}),
    )
    intent.due_at = world.now + kept_debit(method.private["account"]).after_s
    world.store.put(intent)
    emit(world, "charge.pending", charge)
    emit(world, "payment_intent.processing", body)


def has_expired(method: Row, now: int) -> bool:
    """Whether the card's last month is over."""
    card = method.body["card"]
    today = datetime.fromtimestamp(now, UTC)
    return (card["exp_year"], card["exp_month"]) < (today.year, today.month)


def must_prove(card: Card, method: Row) -> bool:
    """Whether the card's holder has to authenticate this."""
    if card.authentication == IF_NOT_SET_UP:
        return not method.private.get("set_up", False)
    return card.authentication == ALWAYS


def fail_proof(world: World, intent: Row) -> Decline:
    """The holder did not authenticate: the intent wants another payment method."""
    method = world.store.need("payment_method", intent.body["payment_method"])
    return _failed(world, intent, method, UNPROVEN, charged=False)


def _wait_for_holder(world: World, intent: Row, method: Row) -> Decline:
    body = intent.body
    page = f"{world.base_url}/authenticate/{intent.id}"
    return_url = intent.private.get("return_url")
    action: Json = {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page},
    }
    if return_url is not None:
        action = {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": page}}
    body.update(
        status="requires_action", payment_method=method.id, next_action=action, last_payment_error=None
    )
    world.store.put(intent)
    emit(world, "payment_intent.requires_action", body)
    return NEEDS_ACTION


def _failed(world: World, intent: Row, method: Row, decline: Decline, charged: bool = True) -> Decline:
    body = intent.body
    body.update(status="requires_payment_method", payment_method=None, next_action=None)
    body["last_payment_error"] = {**decline_error(decline), "payment_method": copy.deepcopy(method.body)}
    charge = new_charge(world, body, method, decline)
    if charged:
        world.store.put(Row("charge", charge, clock=world.clock))
        body["latest_charge"] = body["last_payment_error"]["charge"] = charge["id"]
    world.store.put(intent)
    if charged:
        emit(world, "charge.failed", charge)
    emit(world, "payment_intent.payment_failed", body)
    return decline


def capture(world: World, intent: Row) -> None:
    """Take what was only reserved."""
    body = intent.body
    charge = world.store.need("charge", body["latest_charge"])
    charge.body.update(captured=True, amount_captured=charge.body["amount"])
    body.update(status="succeeded", amount_capturable=0, amount_received=body["amount"])
    world.store.put(charge)
    world.store.put(intent)
    emit(world, "charge.captured", charge.body)
    emit(world, "payment_intent.succeeded", body)
    method = world.store.need("payment_method", charge.body["payment_method"])
    card = card_of(method)
    if card is not None:
        raise_objections(world, charge, card)
