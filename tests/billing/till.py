"""A shop in a test: our app, the stand-in for Stripe over HTTP, a member, and the deliveries between them."""

import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import stripe
from sqlalchemy import select, text

from app import db
from app.access.models import Entitlement, EntitlementEntry
from app.access.queries import active_for
from app.accounts.models import User
from app.billing import plans, stripe_api, sync
from app.billing.models import CheckoutAttempt, StripeCustomer, StripeEvent, StripeSync
from app.clock import utcnow
from tests import factories
from tests.sandbox.shop import DAY_S, GOOD
from tests.sandbox.stands import Stand

SECRET = "whsec_test_till"
KEY = "sk_test_limber"
LESSON = "/courses/lower-body/deep-rotators"

Json = dict[str, Any]


def signature(raw: bytes, secret: str = SECRET, at: float | None = None, scheme: str = "v1") -> str:
    """The header with which Stripe signs these bytes.

    Source: https://docs.stripe.com/webhooks#verify-manually
    """
    moment = int(time.time() if at is None else at)
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + raw, hashlib.sha256).hexdigest()
    return f"t={moment},{scheme}={digest}"


async def deliver(client: httpx.AsyncClient, event: Json) -> httpx.Response:
    """One signed delivery of an event."""
    raw = json.dumps(event).encode()
    return await client.post(
        "/webhooks/stripe",
        content=raw,
        headers={"Stripe-Signature": signature(raw), "Content-Type": "application/json"},
    )


@dataclass
class Till:
    """Our app's client (signed in as one member at a time), a person's browser at Stripe, and the stand-in."""

    client: httpx.AsyncClient
    browser: httpx.AsyncClient
    stand: Stand
    api: stripe.StripeClient
    delivered: int = 0

    async def member(self, **values: Any) -> User:
        """A new member, signed in on the client."""
        async with db.transaction() as session:
            user = await factories.user(session, **values)
        await factories.sign_in(self.client, user)
        return user

    async def plan(self, amount_cents: int = 1900, **values: Any) -> str:
        """A plan on sale, at Stripe too; answers its slug."""
        draft = plans.PlanDraft(**{"name": "Membership", "amount_cents": amount_cents, **values})
        async with db.transaction() as session:
            made = await plans.create(session, None, draft)
        await plans.push(made.id)
        return made.slug

    async def checkout(self, slug: str, next: str = LESSON) -> str:
        """Press the plan's button; answers the address of Stripe's page."""
        answer = await self.client.post("/checkout", data={"plan": slug, "next": next})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def pay(self, url: str, card: str = GOOD) -> httpx.Response:
        """Fill in Stripe's page."""
        form = {
            "email": "m@example.com",
            "card_number": card,
            "expiry": "12 / 34",
            "cvc": "123",
            "name": "Noe",
        }
        return await self.browser.post(url, data={**form, "action": "pay"})

    async def come_back(self, paid: httpx.Response) -> httpx.Response:
        """Follow Stripe's way back to our return page."""
        parts = urlsplit(paid.headers["location"])
        return await self.client.get(f"{parts.path}?{parts.query}")

    async def buy(self, slug: str, card: str = GOOD) -> None:
        """Pay for a plan, without coming back and without any delivery."""
        paid = await self.pay(await self.checkout(slug), card)
        assert paid.status_code == 303, paid.text

    def fresh_events(self) -> list[Json]:
        """The events since the last call, oldest first."""
        events = self.stand.events()
        fresh = events[self.delivered :]
        self.delivered = len(events)
        return fresh

    async def deliver(self, events: Iterable[Json]) -> None:
        """Deliver, and expect each to be taken."""
        for event in events:
            answer = await deliver(self.client, event)
            assert answer.status_code == 200, answer.text

    async def work(self) -> int:
        """Do the work of the deliveries, as the worker would; answers how many syncs wrote something."""
        wrote = 0
        async with db.transaction() as session:
            behind = (
                await session.scalars(select(StripeSync).where(StripeSync.wanted_seq > StripeSync.done_seq))
            ).all()
        for row in behind:
            wrote += await sync.sync(row.customer_id, queued=True)
        return wrote

    async def settle(self) -> None:
        """Everything that Stripe has to tell is delivered and worked off."""
        await self.deliver(self.fresh_events())
        await self.work()

    async def pass_days(self, days: float) -> None:
        """Move the stand-in's clock."""
        moved = await self.browser.post(
            f"{self.stand.url}/sandbox/clock", json={"advance_s": round(days * DAY_S)}, timeout=60
        )
        assert moved.is_success, moved.text

    async def portal(self, action: str, **more: str) -> httpx.Response:
        """Open the portal from the account page, and press one of its buttons."""
        opened = await self.client.post("/account/portal")
        assert opened.status_code == 303, opened.text
        url = opened.headers["location"]
        page = (await self.browser.get(url)).text
        found = re.search(r'name="subscription" value="(sub_[^"]+)"', page)
        fields = {"subscription": found.group(1)} if found else {}
        return await self.browser.post(url, data={"action": action, **fields, **more})


async def is_entitled(user_id: UUID, at: datetime | None = None, course_id: UUID | None = None) -> bool:
    """Whether a right to every course (or to this one) holds at that moment."""
    async with db.transaction() as session:
        rights = await active_for(session, user_id, at or utcnow())
    return any(one.course_id == course_id for one in rights)


async def rights(user_id: UUID) -> list[Entitlement]:
    async with db.transaction() as session:
        return list(await session.scalars(select(Entitlement).where(Entitlement.user_id == user_id)))


async def ledger(user_id: UUID) -> list[str]:
    """Every change in the ledger, oldest first."""
    async with db.transaction() as session:
        found = await session.scalars(
            select(EntitlementEntry.change)
            .where(EntitlementEntry.user_id == user_id)
            .order_by(EntitlementEntry.id)
        )
        return list(found)


async def customer_id(user_id: UUID) -> str:
    async with db.transaction() as session:
        found = await session.scalar(select(StripeCustomer.id).where(StripeCustomer.user_id == user_id))
    assert found is not None
    return str(found)


async def progress(customer: str) -> tuple[int, int]:
    """(wanted_seq, done_seq)"""
    async with db.transaction() as session:
        row = await session.get_one(StripeSync, customer)
        return row.wanted_seq, row.done_seq


async def event_rows() -> list[StripeEvent]:
    async with db.transaction() as session:
        return list(await session.scalars(select(StripeEvent).order_by(StripeEvent.event_id)))


async def open_attempts(user_id: UUID) -> list[CheckoutAttempt]:
    async with db.transaction() as session:
        return list(
            await session.scalars(
                select(CheckoutAttempt).where(
                    CheckoutAttempt.user_id == user_id, CheckoutAttempt.state == "open"
                )
            )
        )


async def mails() -> list[str]:
    """The templates of every mail that waits to be sent, one for each."""
    async with db.transaction() as session:
        rows = await session.execute(
            text(
                "SELECT workflow_uuid FROM dbos.workflow_status WHERE name = 'send_mail' ORDER BY created_at"
            )
        )
        return [str(row[0]).split(":")[1] for row in rows]


async def work_enqueued() -> int:
    """How many pieces of work stand in the queue, or stood there, for one customer or another."""
    async with db.transaction() as session:
        found = await session.scalar(
            text("SELECT count(*) FROM dbos.workflow_status WHERE name = 'billing_sync'")
        )
        return int(found or 0)


def database_url() -> str:
    return db.database().url


async def close_connections() -> None:
    """The library's connections belong to this test's loop."""
    await stripe_api.close()
