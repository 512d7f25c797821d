"""What a Checkout session becomes: complete with all that paying makes, or expired."""

import copy
from typing import Any

from sandbox.stripe.buyers import new_customer
from sandbox.stripe.card_table import IF_NOT_SET_UP, NEVER, Card, Decline
from sandbox.stripe.cards import NEEDS_ACTION, UNPROVEN
from sandbox.stripe.discounts import attach_discount
from sandbox.stripe.events import emit, save_and_emit
from sandbox.stripe.expand import includable
from sandbox.stripe.intents import attempt, create_intent, fail_proof
from sandbox.stripe.lifecycle import start
from sandbox.stripe.lists import envelope
from sandbox.stripe.methods import attach, card_of, make_default
from sandbox.stripe.setups import confirm_setup, finish_setup
from sandbox.stripe.store import Row, Store
from sandbox.stripe.subscription_bodies import Terms
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


def ask_holder(world: World, session: Row, method: Row, email: str, name: str) -> None:
    """Wait until the card's holder has authenticated, or has failed to."""
    session.private["waiting"] = {"method": method.id, "email": email, "name": name}
    if session.body["mode"] == "payment":
        attempt(world, _intent(world, session, session.body["customer"]), method, off_session=False)
    elif session.body["mode"] == "setup":
        confirm_setup(world, world.store.need("setup_intent", session.body["setup_intent"]), method)
    world.store.put(session)


def give_up_proof(world: World, session: Row) -> Decline:
    """The holder did not authenticate; the session stays open for another card."""
    session.private.pop("waiting", None)
    world.store.put(session)
    intent_id = session.body["payment_intent"]
    return fail_proof(world, world.store.need("payment_intent", intent_id)) if intent_id else UNPROVEN


def complete(
    world: World, session: Row, method: Row | None, email: str, name: str, *, proven: bool = False
) -> Decline | None:
    """Pay the session with a payment method (None where none is asked for); gives the decline, after which it
    stays open. `proven` says that the card's holder has authenticated."""
    body = session.body
    session.private.pop("waiting", None)
    card = card_of(method) if method is not None else None
    if card is not None and method is not None:
        if card.authentication != NEVER and not proven and card.at_once is None:
            return NEEDS_ACTION
        refused = card.at_once or (card.proven if proven else None)
        if refused is not None:
            _record_decline(world, session, method, proven)
            return refused
    customer = _customer(world, session, email, name)
    details = session.private.get("details") or {}
    body["customer_details"] = {**_details(email, name), **details}
    if method is not None:
        _keep(world, session, customer, method, card, proven)
    if body["mode"] == "subscription" and customer is not None:
        _subscribe(world, session, customer, method, proven)
    elif body["mode"] == "payment" and body["amount_total"] > 0 and method is not None:
        _charge_once(world, session, customer, method, proven)
    elif body["mode"] == "setup" and method is not None:
        _set_up(world, session, method)
    if body["mode"] == "payment":
        _redeem(world, session, customer)
    session.due_at = None
    body.update(status="complete", url=None, payment_status=_payment_status(world, session))
    world.store.put(session)
    emit(world, "checkout.session.completed", body)
    return None


def _customer(world: World, session: Row, email: str, name: str) -> Row | None:
    body = session.body
    if body["customer"] is not None:
        customer = world.store.need("customer", body["customer"])
        address = (session.private.get("details") or {}).get("address")
        if address is not None and session.private.get("keep_address"):
            before = copy.deepcopy(customer.body)
            customer.body["address"] = address
            save_and_emit(world, "customer.updated", before, customer)
        return customer
    if body["mode"] != "subscription" and body["customer_creation"] != "always":
        return None
    customer = new_customer(world, email=email, name=name)
    customer.body["address"] = (session.private.get("details") or {}).get("address")
    world.store.put(customer)
    body["customer"] = customer.id
    return customer


def _keep(
    world: World, session: Row, customer: Row | None, method: Row, card: Card | None, proven: bool
) -> None:
    """Make the method the customer's, where the session is about more than this one payment."""
    later = session.body["mode"] != "payment" or _keeps_card(session)
    if proven and later and card is not None and card.authentication == IF_NOT_SET_UP:
        method.private["set_up"] = True
        world.store.put(method)
    if customer is not None and later and session.body["mode"] != "setup":
        attach(world, method, customer)


def _subscribe(world: World, session: Row, customer: Row, method: Row | None, proven: bool) -> None:
    data = session.private["subscription_data"]
    if method is not None and customer.body["invoice_settings"]["default_payment_method"] is None:
        make_default(world, customer, method.id)
    trial_end = data.get("trial_end")
    if data.get("trial_period_days"):
        trial_end = world.now + data["trial_period_days"] * _DAY_S
    items: list[tuple[Json, int, Json]] = []
    once: list[tuple[Json, int]] = []
    for line in session.private["line_items"]:
        price = world.store.need("price", line["price"]["id"]).body
        if price["recurring"]:
            items.append((price, line["quantity"], {}))
        else:
            once.append((price, line["quantity"]))
    discount = session.private.get("discount")
    terms = Terms(
        items=items,
        once=once,
        trial_end=trial_end,
        default_payment_method=method.id if method else None,
        metadata=data.get("metadata", {}),
        description=data.get("description"),
        missing_payment_method=data.get("missing_payment_method", "create_invoice"),
        off_session=False,
        proven=proven,
        discounts=[(discount[0], discount[1])] if discount else [],
        automatic_tax=session.body["automatic_tax"]["enabled"],
        default_tax_rates=data.get("default_tax_rates", []),
        currency=session.body["currency"],
    )
    row, _ = start(world, customer, terms)
    session.body.update(subscription=row.id, invoice=row.body["latest_invoice"])
    invoice = world.store.need("invoice", row.body["latest_invoice"])
    _link(world, session, invoice.private.get("intent"))


def _charge_once(world: World, session: Row, customer: Row | None, method: Row, proven: bool) -> None:
    intent = _intent(world, session, customer.id if customer else None)
    attempt(world, intent, method, off_session=False, proven=proven)
    _link(world, session, intent.id)


def _link(world: World, session: Row, intent_id: str | None) -> None:
    """Let a payment that takes days lead back to its session."""
    intent = world.store.find("payment_intent", intent_id or "")
    if intent is not None:
        intent.private["session"] = session.id
        world.store.put(intent)


def _set_up(world: World, session: Row, method: Row) -> None:
    setup = world.store.need("setup_intent", session.body["setup_intent"])
    setup.body.update(customer=session.body["customer"], payment_method=method.id)
    finish_setup(world, setup)


def _redeem(world: World, session: Row, customer: Row | None) -> None:
    discount = session.private.get("discount")
    if discount is None:
        return
    owner = customer.id if customer else None
    attach_discount(world, (discount[0], discount[1]), customer=owner, session=session.id)


def _payment_status(world: World, session: Row) -> str:
    if not session.body["amount_total"]:
        return "no_payment_required"
    intent_id = session.body["payment_intent"]
    if session.body["invoice"] is not None:
        intent_id = world.store.need("invoice", session.body["invoice"]).private.get("intent")
    intent = world.store.find("payment_intent", intent_id or "")
    return "unpaid" if intent is not None and intent.body["status"] == "processing" else "paid"


def _intent(world: World, session: Row, customer_id: str | None) -> Row:
    body, data = session.body, session.private["payment_intent_data"]
    if body["payment_intent"] is not None:
        known = world.store.need("payment_intent", body["payment_intent"])
        known.body.update(customer=customer_id, amount=body["amount_total"])
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
        types=body["payment_method_types"],
    )
    body["payment_intent"] = intent.id
    return intent


def _record_decline(world: World, session: Row, method: Row, proven: bool) -> None:
    """A declined card leaves a failed charge; in payment mode the session keeps the intent for the next try."""
    body = session.body
    if body["mode"] == "setup":
        confirm_setup(world, world.store.need("setup_intent", body["setup_intent"]), method)
        return
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


def _details(email: str, name: str) -> Json:
    return {
        "address": None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }
