"""Members' lives at the stand-in, drawn from seeds: they buy, pay late, change their minds."""

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

import httpx
import stripe

from app import db
from app.billing.models import CheckoutAttempt, StripeCustomer
from sandbox.stripe.store import Store
from tests import factories
from tests.billing.oracle import Books
from tests.sandbox.shop import DAY_S

Json = dict[str, Any]
CARDS = ("pm_card_visa", "pm_card_visa", "pm_card_visa", "pm_card_chargeCustomerFail")
ONCE = ("4242424242424242", "4242424242424242", "4000000000000259", "4000000000001976")


class Stand(Protocol):
    """A stand-in that runs in this process."""

    store: Store


def owner_of(event: Json) -> str | None:
    """The customer that an event names; None for one that names nobody, such as a refund's."""
    thing = event["data"]["object"]
    found = thing["id"] if thing["object"] == "customer" else thing.get("customer")
    return str(found) if found else None


@dataclass(frozen=True)
class Shelf:
    """What is sold: Stripe's prices, recurring and once, and the plan of each."""

    repeating: tuple[str, ...]
    once: tuple[str, ...]
    plans: dict[str, UUID]


@dataclass
class Life:
    """One member with a clock of their own. `ours`: Checkout sessions that we began → what they sell."""

    seed: int
    stand: Stand
    api: stripe.StripeClient
    browser: httpx.AsyncClient
    shelf: Shelf
    dice: random.Random = field(init=False)
    customer: str = ""
    user_id: UUID | None = None
    clock: str = ""
    ours: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    async def live(self, deeds: int) -> None:
        """A member who is known here and there, and so many deeds; what Stripe refuses is a deed too."""
        made = await self.api.v1.test_helpers.test_clocks.create_async({"frozen_time": int(time.time())})
        self.clock = made.id
        found = await self.api.v1.customers.create_async(
            {"email": f"life{self.seed}@example.com", "test_clock": self.clock}
        )
        self.customer = found.id
        async with db.transaction() as session:
            user = await factories.user(session, email=f"life{self.seed}@example.com")
            self.user_id = user.id
            session.add(StripeCustomer(id=self.customer, user_id=user.id))
        await self.card()
        await self.subscribe()
        await self.go_on(deeds)

    async def go_on(self, deeds: int) -> None:
        """So many deeds more."""
        choices: list[Callable[[], Awaitable[object]]] = [
            self.subscribe, self.subscribe, self.buy, self.days, self.days, self.days, self.card, self.cancel,
            self.cancel_later, self.stay, self.pause, self.resume, self.change, self.refund, self.evidence,
        ]  # fmt: skip
        for _deed in range(deeds):
            try:
                await self.dice.choice(choices)()
            except stripe.StripeError:
                continue

    async def card(self) -> None:
        """Another card, which may fail from the second payment on."""
        method = await self.api.v1.payment_methods.attach_async(
            self.dice.choice(CARDS), {"customer": self.customer}
        )
        await self.api.v1.customers.update_async(
            self.customer, {"invoice_settings": {"default_payment_method": method.id}}
        )

    async def subscribe(self) -> None:
        params: Any = {
            "customer": self.customer,
            "items": [{"price": self.dice.choice(self.shelf.repeating)}],
        }
        if self.dice.random() < 0.25:
            params["trial_period_days"] = self.dice.randrange(1, 20)
        await self.api.v1.subscriptions.create_async(params)

    async def buy(self) -> None:
        """Something once, by Checkout, as our own attempt."""
        price = self.dice.choice(self.shelf.once)
        params: Any = {
            "mode": "payment",
            "customer": self.customer,
            "line_items": [{"price": price, "quantity": 1}],
            "success_url": "http://127.0.0.1:9/thanks",
        }
        made = await self.api.v1.checkout.sessions.create_async(params)
        self.ours[made.id] = price
        async with db.transaction() as session:
            session.add(
                CheckoutAttempt(
                    user_id=self.user_id,
                    plan_id=self.shelf.plans[price],
                    stripe_session_id=made.id,
                    stripe_price_id=price,
                    state="expired",
                )
            )
        if self.dice.random() < 0.85:
            form = {"email": "m@example.com", "card_number": self.dice.choice(ONCE), "expiry": "12 / 34"}
            await self.browser.post(
                str(made.url), data={**form, "cvc": "123", "name": "Noe", "action": "pay"}
            )

    async def days(self) -> None:
        clock = await self.api.v1.test_helpers.test_clocks.retrieve_async(self.clock)
        ahead = self.dice.randrange(1, 45) * DAY_S + self.dice.randrange(DAY_S)
        await self.api.v1.test_helpers.test_clocks.advance_async(
            self.clock, {"frozen_time": clock.frozen_time + ahead}
        )

    async def _one(self) -> str | None:
        found = await self.api.v1.subscriptions.list_async({"customer": self.customer})
        return self.dice.choice(found.data).id if found.data else None

    async def _with(self, **params: Any) -> None:
        if (one := await self._one()) is not None:
            await self.api.v1.subscriptions.update_async(one, params)  # type: ignore[arg-type]

    async def cancel(self) -> None:
        if (one := await self._one()) is not None:
            await self.api.v1.subscriptions.cancel_async(one)

    async def cancel_later(self) -> None:
        await self._with(cancel_at_period_end=True)

    async def stay(self) -> None:
        await self._with(cancel_at_period_end=False)

    async def pause(self) -> None:
        await self._with(
            pause_collection={"behavior": self.dice.choice(("void", "keep_as_draft", "mark_uncollectible"))}
        )

    async def resume(self) -> None:
        await self._with(pause_collection="")

    async def change(self) -> None:
        if (one := await self._one()) is None:
            return
        found = (await self.api.v1.subscriptions.retrieve_async(one)).to_dict()
        item = {"id": found["items"]["data"][0]["id"], "price": self.dice.choice(self.shelf.repeating)}
        behavior: Any = self.dice.choice(("always_invoice", "create_prorations", "none"))
        params: Any = {"items": [item], "proration_behavior": behavior}
        await self.api.v1.subscriptions.update_async(one, params)

    async def refund(self) -> None:
        found = (await self.api.v1.charges.list_async({"customer": self.customer})).data
        taken = [one for one in found if one.status == "succeeded"]
        if not taken:
            return
        charge = self.dice.choice(taken)
        left = charge.amount - charge.amount_refunded
        amount = left if self.dice.random() < 0.6 else self.dice.randrange(1, max(2, left))
        await self.api.v1.refunds.create_async({"charge": charge.id, "amount": amount})

    async def evidence(self) -> None:
        found = (await self.api.v1.charges.list_async({"customer": self.customer})).data
        for charge in found:
            if charge.disputed:
                (dispute, *_more) = (await self.api.v1.disputes.list_async({"charge": charge.id})).data
                words = self.dice.choice(("winning_evidence", "losing_evidence"))
                await self.api.v1.disputes.update_async(
                    dispute.id, {"evidence": {"uncategorized_text": words}, "submit": True}
                )

    def books(self) -> Books:
        """Everything that the stand-in has about the customer, as it lies there."""
        with self.stand.store.transaction():

            def all_of(kind: str, **where: object) -> list[Json]:
                return [row.body for row in self.stand.store.select(kind, where, oldest_first=True)]

            charges = all_of("charge", customer=self.customer)
            ids = {one["id"] for one in charges}
            invoices = all_of("invoice", customer=self.customer)
            return Books(
                subscriptions=list(all_of("subscription", customer=self.customer)),
                invoices=list(invoices),
                invoice_payments=[
                    one for invoice in invoices for one in all_of("invoice_payment", invoice=invoice["id"])
                ],
                charges=list(charges),
                refunds=[one for charge in ids for one in all_of("refund", charge=charge)],
                disputes=[one for charge in ids for one in all_of("dispute", charge=charge)],
                sessions=[
                    one
                    for one in all_of("checkout.session", customer=self.customer)
                    if one["id"] in self.ours
                ],
            )
