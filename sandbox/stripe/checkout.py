"""What a Checkout session becomes: complete with all that paying makes, or expired."""

import copy
from typing import Any

from sandbox.stripe.buyers import new_customer
from sandbox.stripe.card_table import IF_NOT_SET_UP, NEVER, Card, Decline
from sandbox.stripe.cards import NEEDS_ACTION, UNPROVEN
from sandbox.stripe.events import emit, save_and_emit
from sandbox.stripe.expand import includable
from sandbox.stripe.intents import attempt, create_intent, fail_proof
from sandbox.stripe.lifecycle import Terms, start
from sandbox.stripe.lists import envelope
from sandbox.stripe.methods import attach, create_method, make_default
from sandbox.stripe.store import Row, Store
from sandbox.stripe.world import World

Json = dict[str, Any]

_DAY_S = 86400


@includable("checkout.session", "line_items")
def line_items_of(store: Store, session: Json) -> Json:
    """A session's line items, which it shows only when asked."""
    row = store.need("checkout.session", session["id"])
    return envelope(row.private["line_items"], f"/v1/checkout/sessions/{session['id']}/line_items")


def expire(world: World, row: Row) -> None:
    """Close an open session for good."""
    before = copy.deepcopy(row.body)
    row.due_at = None
    if row.body["status"] == "open":
        row.body.update(status="expired", url=None)
        save_and_emit(world, "checkout.session.expired", before, row)
    else:
        world.store.put(row)


def ask_holder(world: World, session: Row, card: Card, email: str, name: str) -> None:
    """Wait until the card's holder has authenticated, or has failed to."""
    session.private["waiting"] = {"number": card.number, "email": email, "name": name}
    if session.body["mode"] == "payment":
        intent = _intent(world, session, session.body["customer"])
        attempt(world, intent, create_method(world, card), off_session=False)
    world.store.put(session)


def give_up_proof(world: World, session: Row) -> Decline:
    """The holder did not authenticate; the session stays open for another card."""
    session.private.pop("waiting", None)
    world.store.put(session)
    intent_id = session.body["payment_intent"]
    return fail_proof(world, world.store.need("payment_intent", intent_id)) if intent_id else UNPROVEN


def complete(
    world: World, session: Row, card: Card | None, email: str, name: str, *, proven: bool = False
) -> Decline | None:
    """Pay the session with a card (None where none is asked for); gives the decline, after which it stays open.
    `proven` says that the card's holder has authenticated."""
    body = session.body
    known = body["customer"]
    session.private.pop("waiting", None)
    if card is not None:
        if card.authentication != NEVER and not proven and card.at_once is None:
            return NEEDS_ACTION
        refused = card.at_once or (card.proven if proven else None)
        if refused is not None:
            _record_decline(world, session, card, proven)
            return refused
    customer = world.store.need("customer", known) if known else None
    if customer is None and (body["mode"] == "subscription" or body["customer_creation"] == "always"):
        customer = new_customer(world, email=email, name=name)
        body["customer"] = customer.id
    method = None
    if card is not None:
        method = create_method(world, card, details={"email": email, "name": name})
        if (
            proven
            and card.authentication == IF_NOT_SET_UP
            and (body["mode"] != "payment" or _keeps_card(session))
        ):
            method.private["set_up"] = True
            world.store.put(method)
        if customer is not None and (body["mode"] == "subscription" or _keeps_card(session)):
            attach(world, method, customer, card)
    if body["mode"] == "subscription" and customer is not None:
        _subscribe(world, session, customer, method, proven)
    elif method is not None:
        attempt(world, _intent(world, session, body["customer"]), method, off_session=False, proven=proven)
    free = body["amount_total"] == 0
    body.update(
        status="complete",
        url=None,
        payment_status="no_payment_required" if free else "paid",
        customer_details={
            "address": None,
            "business_name": None,
            "email": email,
            "individual_name": None,
            "name": name,
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
    )
    session.due_at = None
    world.store.put(session)
    emit(world, "checkout.session.completed", body)
    return None


def _subscribe(world: World, session: Row, customer: Row, method: Row | None, proven: bool) -> None:
    data = session.private["subscription_data"]
    if method is not None and customer.body["invoice_settings"]["default_payment_method"] is None:
        make_default(world, customer, method.id)
    trial_end = data.get("trial_end")
    if data.get("trial_period_days"):
        trial_end = world.now + data["trial_period_days"] * _DAY_S
    items: list[tuple[Json, int, Json]] = []
    for line in session.private["line_items"]:
        price = world.store.need("price", line["price"]["id"])
        items.append((price.body, line["quantity"], {}))
    terms = Terms(
        items=items,
        trial_end=trial_end,
        default_payment_method=method.id if method else None,
        metadata=data.get("metadata", {}),
        description=data.get("description"),
        missing_payment_method=data.get("missing_payment_method", "create_invoice"),
        off_session=False,
        proven=proven,
    )
    row, _ = start(world, customer, terms)
    session.body.update(subscription=row.id, invoice=row.body["latest_invoice"])


def _intent(world: World, session: Row, customer_id: str | None) -> Row:
    body, data = session.body, session.private["payment_intent_data"]
    if body["payment_intent"] is not None:
        known = world.store.need("payment_intent", body["payment_intent"])
        known.body["customer"] = customer_id
        return known
    intent = create_intent(
        world,
        amount=body["amount_total"],
        currency=body["currency"],
        customer=customer_id,
        description=data.get("description"),
        metadata=data.get("metadata"),
        setup_future_usage=data.get("setup_future_usage"),
        receipt_email=data.get("receipt_email"),
    )
    body["payment_intent"] = intent.id
    return intent


def _record_decline(world: World, session: Row, card: Card, proven: bool) -> None:
    """A declined card leaves a failed charge; in payment mode the session keeps the intent for the next try."""
    body = session.body
    method = create_method(world, card)
    if body["mode"] == "payment":
        intent = _intent(world, session, body["customer"])
        world.store.put(session)
    else:
        intent = create_intent(
            world,
            amount=body["amount_total"],
            currency=body["currency"],
            customer=body["customer"],
            description="Subscription creation",
        )
    attempt(world, intent, method, off_session=False, proven=proven)


def _keeps_card(session: Row) -> bool:
    return session.private["payment_intent_data"].get("setup_future_usage") is not None
