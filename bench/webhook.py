"""`webhook`: Stripe's deliveries at 200 a second, against a bare route that commits one INSERT at the same pace.

Then what becomes of them: all are applied by a worker that asks the stand-in, soon, and a burst costs few questions.
"""

import asyncio
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import stripe
from sqlalchemy import text

from bench.front_door import free_port
from bench.play import BARE
from bench.streams import serving
from bench.workers import start_worker
from bench.workshop import workshop

GOAL = 5.0
SOON_GOAL_S, FETCHES_GOAL = 2.0, 2
A_SECOND, LASTS_S = 200, 30
CONNECTIONS = 32
CUSTOMERS = 200
BUYERS = 40
SECRET, KEY = "whsec_bench", "sk_test_limber"
APPLIED_WITHIN_S = 240


@contextmanager
def stand_in(folder: Path) -> Iterator[int]:
    """The stand-in for Stripe in a process of its own, and its port."""
    port = free_port()
    command = [sys.executable, "-m", "sandbox", "--data-dir", str(folder), "--stripe-port", str(port)]
    command += ["--outbox-port", str(free_port()), "--smtp-port", str(free_port())]
    process = subprocess.Popen(command, cwd=BARE.parent.parent, stdout=sys.stderr)
    try:
        for _ in range(200):
            try:
                httpx.get(f"http://127.0.0.1:{port}/sandbox/clock", trust_env=False)
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(20)


async def customers(url: str, count: int) -> list[tuple[str, str]]:
    """(customer, subscription) of so many payers at the stand-in; the first pair holds the price that they pay."""
    http = stripe.HTTPXClient(timeout=60)
    http._client_async = httpx.AsyncClient(trust_env=False, timeout=60)
    client = stripe.StripeClient(KEY, base_addresses={"api": url}, http_client=http)
    price = await client.v1.prices.create_async(
        {
            "currency": "usd",
            "unit_amount": 1900,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Bench"},
        }
    )
    found = [("", price.id)]
    for number in range(count):
        customer = await client.v1.customers.create_async({"email": f"m{number}@example.com"})
        method = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
        subscription = await client.v1.subscriptions.create_async(
            {"customer": customer.id, "items": [{"price": price.id}], "default_payment_method": method.id}
        )
        found.append((customer.id, subscription.id))
    await http._client_async.aclose()
    return found


async def write_down(database_url: str, price_id: str, payers: list[tuple[str, str]]) -> None:
    """The plan, the members and their customers, so that what Stripe says gives them a right."""
    from app import db
    from app.accounts.models import User
    from app.billing.models import StripeCustomer
    from app.billing.plan_models import Plan, PlanPrice
    from app.clock import utcnow

    db.open_database(database_url, pool_size=1)
    try:
        async with db.transaction() as session:
            await session.execute(
                text("CREATE TABLE bench_row (id uuid PRIMARY KEY, at timestamptz NOT NULL)")
            )
            plan = Plan(slug="bench", name="Bench", interval="month", amount_cents=1900)
            members = [
                User(email=f"m{n}@example.com", name="M", password_hash="!", email_confirmed_at=utcnow())
                for n in range(len(payers))
            ]
            session.add_all([plan, *members])
            await session.flush()
            session.add(
                PlanPrice(stripe_price_id=price_id, plan_id=plan.id, amount_cents=1900, currency="usd")
            )
            session.add_all(
                StripeCustomer(id=customer_id, user_id=member.id, livemode=False)
                for (customer_id, _subscription), member in zip(payers, members, strict=True)
            )
    finally:
        await db.close_database()


def delivery(customer_id: str, subscription_id: str) -> bytes:
    """One signed delivery, as a request that can be written as it is."""
    event = {
        "id": f"evt_{uuid4().hex}",
        "object": "event",
        "api_version": "2026-05-27.dahlia",
        "created": int(time.time()),
        "livemode": False,
        "type": "customer.subscription.updated",
        "data": {"object": {"id": subscription_id, "object": "subscription", "customer": customer_id}},
    }
    body = json.dumps(event).encode()
    at = int(time.time())
    mac = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    head = f"POST /webhooks/stripe HTTP/1.1\r\nHost: 127.0.0.1\r\nStripe-Signature: t={at},v1={mac}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def paced(port: int, requests: list[bytes], a_second: int) -> list[float]:
    """Milliseconds of each request, sorted; each is due at its moment, whether or not the ones before are answered.

    Raises:
        RuntimeError: an answer was no success.
    """
    due: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
    took: list[float] = []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (one := await due.get()) is not None:
            moment, request = one
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            await reader.readexactly(length)
            # From when it was due: a server that stands still makes those wait that come after, too.
            took.append(1000 * (time.perf_counter() - moment))
            if head[9:10] != b"2":
                raise RuntimeError(f"answered {head[9:12].decode()}")
        writer.close()

    workers = [asyncio.create_task(connection()) for _number in range(CONNECTIONS)]
    begin = time.perf_counter()
    for number, request in enumerate(requests):
        moment = begin + number / a_second
        await asyncio.sleep(max(0.0, moment - time.perf_counter()))
        due.put_nowait((moment, request))
    for _worker in workers:
        due.put_nowait(None)
    await asyncio.gather(*workers)
    return sorted(took)


def p99(took: list[float]) -> float:
    return took[int(0.99 * (len(took) - 1))]


def wait_applied(database_url: str) -> float:
    """Seconds until every event is applied.

    Raises:
        RuntimeError: it took too long.
    """
    began = time.monotonic()
    with psycopg.connect(database_url, autocommit=True) as connection:
        while time.monotonic() - began < APPLIED_WITHIN_S:
            left = connection.execute("SELECT count(*) FROM stripe_event WHERE state <> 'applied'").fetchone()
            if left is not None and left[0] == 0:
                return time.monotonic() - began
            time.sleep(0.25)
    raise RuntimeError(f"{left[0] if left else '?'} events were never applied")


async def soon(port: int, database_url: str, buyers: list[tuple[str, str]]) -> list[float]:
    """Seconds from a delivery to the member's right, one buyer after the other, sorted."""
    took = []
    with psycopg.connect(database_url, autocommit=True) as connection:
        for customer_id, subscription_id in buyers:
            sent = time.time()
            await paced(port, [delivery(customer_id, subscription_id)], A_SECOND)
            while True:
                row = connection.execute(
                    "SELECT extract(epoch FROM e.at) FROM entitlement_entry e JOIN stripe_customer c USING (user_id)"
                    " WHERE c.id = %s LIMIT 1",
                    (customer_id,),
                ).fetchone()
                if row is not None:
                    took.append(float(row[0]) - sent)
                    break
                await asyncio.sleep(0.02)
    return sorted(took)


def fetches(database_url: str, customer_id: str) -> int:
    """How many fetches of a customer were begun."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT fence FROM stripe_sync WHERE customer_id = %s", (customer_id,)
        ).fetchone()
    return int(row[0]) if row else 0


def run() -> dict[str, Any]:
    """About three minutes."""
    with workshop() as (database_url, folder), stand_in(folder / "stand") as stripe_port:
        os.environ.update(
            STRIPE_SECRET_KEY=KEY,
            STRIPE_WEBHOOK_SECRET=SECRET,
            STRIPE_API_BASE=f"http://127.0.0.1:{stripe_port}",
        )
        (_nobody, price_id), *payers = asyncio.run(
            customers(f"http://127.0.0.1:{stripe_port}", CUSTOMERS + BUYERS + 1)
        )
        asyncio.run(write_down(database_url, price_id, payers))
        many, buyers, (burst,) = payers[:CUSTOMERS], payers[CUSTOMERS:-1], payers[-1:]
        insert = b"POST /insert HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n"
        count = A_SECOND * LASTS_S
        with serving([sys.executable, str(BARE)]) as bare, serving() as web:
            asyncio.run(paced(bare.port, [insert] * A_SECOND, A_SECOND))
            asyncio.run(paced(web.port, [delivery(*many[n]) for n in range(A_SECOND)], A_SECOND))
            theirs = asyncio.run(paced(bare.port, [insert] * count, A_SECOND))
            ours = asyncio.run(
                paced(web.port, [delivery(*many[n % len(many)]) for n in range(count)], A_SECOND)
            )
            worker = start_worker(database_url)
            try:
                applied_s = wait_applied(database_url)
                took = asyncio.run(soon(web.port, database_url, buyers))
                asyncio.run(paced(web.port, [delivery(*burst) for _n in range(10)], A_SECOND))
                wait_applied(database_url)
                cost = fetches(database_url, burst[0])
            finally:
                worker.terminate()
                worker.wait(60)
    ratio = p99(ours) / p99(theirs)
    p95_s = took[int(0.95 * (len(took) - 1))]
    return {
        "ratio": round(ratio, 3),
        "goal": GOAL,
        "met": ratio < GOAL and p95_s < SOON_GOAL_S and cost <= FETCHES_GOAL,
        "p99_ms": round(p99(ours), 1),
        "bare_p99_ms": round(p99(theirs), 1),
        "events": count,
        "applied_s": round(applied_s, 1),
        "soon_p95_s": round(p95_s, 2),
        "soon_goal_s": SOON_GOAL_S,
        "burst_fetches": cost,
        "fetches_goal": FETCHES_GOAL,
    }
