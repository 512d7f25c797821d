"""What the portal's buttons do: cancel, renew, change the plan or the card, pay what is owed."""

import copy
from typing import Any

from sandbox.stripe import cycle, lifecycle
from sandbox.stripe.card_table import NEVER
from sandbox.stripe.cards import NEEDS_ACTION, card_fault, find_card
from sandbox.stripe.catalogue import amount_in
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.methods import attach, create_method, make_default
from sandbox.stripe.params import Params
from sandbox.stripe.plan_changes import Change, change_items
from sandbox.stripe.previews import preview_change
from sandbox.stripe.store import Row
from sandbox.stripe.subscription_bodies import schedule_cancel
from sandbox.stripe.world import World

Json = dict[str, Any]


def act(world: World, session: Row, form: dict[str, str]) -> str | None:
    """Do what a button says; gives where it leads, if that is the bank's page.

    Raises:
        StripeFault: in words for the customer.
    """
    action, customer_id = form.get("action", ""), session.body["customer"]
    if action == "update_card":
        return _update_card(world, customer_id, form.get("card_number", ""))
    if action == "pay_invoice":
        return _pay(world, customer_id, form.get("invoice", ""))
    row = world.store.find("subscription", form.get("subscription", ""))
    if row is None or row.body["customer"] != customer_id or row.body["status"] not in cycle.LIVE:
        raise StripeFault("That subscription has already ended.")
    given = {name: form[name] for name in ("feedback", "comment") if form.get(name)}
    features = _features(world, session)
    if action == "cancel_now" or (
        action == "cancel_at_period_end" and features["subscription_cancel"]["mode"] == "immediately"
    ):
        lifecycle.cancel(world, row, "cancellation_requested", given)
    elif action in ("cancel_at_period_end", "renew"):
        before = copy.deepcopy(row.body)
        schedule_cancel(world, row, action == "cancel_at_period_end", given)
        lifecycle.save_changed(world, before, row)
    elif action == "change_plan":
        allowed = [one["price"] for one in plan_choices(world, session, "subscription_update")]
        if form.get("price") not in allowed:
            raise StripeFault("That is not something this page does.")
        return _change(world, session, row, [{"id": _first(row), "price": form["price"]}])
    elif action == "confirm_plan":
        return _change(world, session, row, _wanted(session))
    else:
        raise StripeFault("That is not something this page does.")
    return None


def plan_choices(world: World, session: Row, flow: str | None) -> list[Json]:
    """The prices that a customer may change to, as the configuration has them; all, if it names none."""
    if flow != "subscription_update":
        return []
    row = world.store.need("subscription", session.body["flow"][flow]["subscription"])
    current = row.body["items"]["data"][0]["price"]["id"]
    products = _features(world, session)["subscription_update"]["products"]
    named = [price for one in products or [] for price in one["prices"]]
    found = []
    for price in world.store.select("price", {"active": True, "type": "recurring"}, oldest_first=True):
        body = price.body
        fits = body["currency"] == row.body["currency"] or row.body["currency"] in body.get(
            "currency_options", {}
        )
        if price.id != current and fits and (not named or price.id in named):
            found.append(_shown(world, body, row.body["currency"]))
    return found


def confirmation(world: World, session: Row) -> Json:
    """The change that a flow asks to confirm, and what is paid for it now, in minor units."""
    row = world.store.need(
        "subscription", session.body["flow"]["subscription_update_confirm"]["subscription"]
    )
    wanted = _wanted(session)
    price = world.store.need("price", wanted[0]["price"] or row.body["items"]["data"][0]["price"]["id"]).body
    prorations = _features(world, session)["subscription_update"]["proration_behavior"]
    seen = preview_change(world, row, Change(_changes(wanted), prorations))
    return {**_shown(world, price, row.body["currency"]), "due": seen["amount_due"], "subscription": row.id}


def _change(world: World, session: Row, row: Row, wanted: list[Json]) -> str | None:
    before = copy.deepcopy(row.body)
    prorations = _features(world, session)["subscription_update"]["proration_behavior"]
    change = Change(_changes(wanted), prorations)
    change_items(world, row, before, change, payment_behavior="pending_if_incomplete")
    changed = world.store.need("subscription", row.id)
    if changed.body["pending_update"] is None:
        return None
    intent = world.store.need("invoice", changed.body["latest_invoice"]).private.get("intent", "")
    if world.store.need("payment_intent", intent).body["status"] == "requires_action":
        return f"/authenticate/{intent}"
    raise StripeFault("Your card was declined, so your plan stays as it was.")


def _changes(wanted: list[Json]) -> list[Params]:
    return [Params({name: str(value) for name, value in one.items() if value is not None}) for one in wanted]


def _wanted(session: Row) -> list[Json]:
    items: list[Json] = session.body["flow"]["subscription_update_confirm"]["items"]
    return items


def _first(row: Row) -> str:
    return str(row.body["items"]["data"][0]["id"])


def _features(world: World, session: Row) -> Json:
    features: Json = world.store.need("billing_portal.configuration", session.body["configuration"]).body[
        "features"
    ]
    return features


def _shown(world: World, price: Json, currency: str) -> Json:
    product = world.store.need("product", price["product"]).body
    return {
        "price": price["id"],
        "name": product["name"],
        "amount": amount_in(price, currency),
        "currency": currency,
        "interval": price["recurring"]["interval"],
    }


def _update_card(world: World, customer_id: str, number: str) -> str | None:
    """The new card pays everything from now on; what is overdue is tried with it at once."""
    card = find_card(number)
    if card.at_once is not None:
        raise card_fault(card.at_once)
    customer = world.customer(customer_id)
    method = create_method(world, card, details={"email": customer.body["email"]})
    # The holder is here, so the portal sets the card up for later as it is saved.
    method.private["set_up"] = card.authentication != NEVER
    world.store.put(method)
    attach(world, method, customer)
    make_default(world, customer, method.id)
    for row in world.store.select("subscription", {"customer": customer_id}, oldest_first=True):
        if row.body["status"] in cycle.LIVE and row.body["default_payment_method"] is not None:
            before = copy.deepcopy(row.body)
            row.body["default_payment_method"] = method.id
            lifecycle.save_changed(world, before, row)
    asked = None
    for invoice in _open_invoices(world, customer_id):
        if lifecycle.collect(world, invoice, off_session=False) is NEEDS_ACTION:
            asked = f"/authenticate/{invoice.private['intent']}"
    return asked


def _pay(world: World, customer_id: str, invoice_id: str) -> str | None:
    invoice = next((one for one in _open_invoices(world, customer_id) if one.id == invoice_id), None)
    if invoice is None:
        raise StripeFault("That invoice is not open any more.")
    decline = lifecycle.collect(world, invoice, off_session=False)
    if decline is NEEDS_ACTION:
        return f"/authenticate/{invoice.private['intent']}"
    if decline is not None:
        raise StripeFault(decline.message)
    return None


def _open_invoices(world: World, customer_id: str) -> list[Row]:
    return world.store.select("invoice", {"customer": customer_id, "status": "open"}, oldest_first=True)
