"""A bank debit comes to its end: the intent, and the invoice or the Checkout session that waited for it, follow."""

from sandbox.stripe import lifecycle
from sandbox.stripe.events import emit
from sandbox.stripe.intents import settle_debit
from sandbox.stripe.invoicing import mark_failed, mark_paid
from sandbox.stripe.store import Row
from sandbox.stripe.world import World


def settle(world: World, intent: Row) -> None:
    """What time, or a button, makes of a payment that is processing."""
    if intent.body["status"] != "processing":
        intent.due_at = None
        world.store.put(intent)
        return
    decline = settle_debit(world, intent)
    invoice = world.store.find("invoice", intent.private.get("invoice", ""))
    if invoice is not None and invoice.body["status"] == "open":
        if decline is None:
            mark_paid(world, invoice)
        else:
            mark_failed(world, invoice)
        lifecycle.follow(world, invoice, decline)
    session = world.store.find("checkout.session", intent.private.get("session", ""))
    if session is not None:
        if decline is None:
            session.body["payment_status"] = "paid"
            world.store.put(session)
        word = "succeeded" if decline is None else "failed"
        emit(world, f"checkout.session.async_payment_{word}", session.body)
