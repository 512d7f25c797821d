"""The address at which Stripe tells us what happened: only what it signed just now, stored before it is answered."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from app import db
from app.billing import inbox, stripe_api
from app.billing.models import StripeEvent, StripeSync
from app.settings import get_settings

SECRET, OLD_SECRET = "whsec_new", "whsec_old"
NOW = int(time.time())


@pytest.fixture(autouse=True)
def keys(database: db.Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test-mode key and, while it is being rolled, two webhook secrets."""
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_limber")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", f"{SECRET}, {OLD_SECRET}")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def event(**values: Any) -> dict[str, Any]:
    known = {
        "id": "evt_1",
        "object": "event",
        "api_version": stripe_api.API_VERSION,
        "created": NOW,
        "livemode": False,
        "type": "customer.subscription.updated",
        "data": {"object": {"id": "sub_1", "object": "subscription", "customer": "cus_1"}},
    }
    return {**known, **values}


BODY = json.dumps(event()).encode()


def digest(raw: bytes, secret: str, at: int) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + raw, hashlib.sha256).hexdigest()


def signed(raw: bytes, secret: str = SECRET, at: int | None = None) -> str:
    """Stripe's header for these bytes.

    Source: https://docs.stripe.com/webhooks#verify-manually
    """
    moment = int(time.time()) if at is None else at
    return f"t={moment},v1={digest(raw, secret, moment)}"


async def post(
    client: httpx.AsyncClient, raw: bytes, header: str | None = None, **headers: str
) -> httpx.Response:
    more = {"Stripe-Signature": signed(raw) if header is None else header, **headers}
    wire = [(name.encode(), value.encode("latin-1")) for name, value in more.items()]
    return await client.post("/webhooks/stripe", content=raw, headers=wire)


async def rows() -> list[StripeEvent]:
    async with db.transaction() as session:
        return list(await session.scalars(select(StripeEvent)))


async def work() -> list[str]:
    async with db.transaction() as session:
        found = await session.execute(text("SELECT workflow_uuid FROM dbos.workflow_status"))
        return sorted(str(row[0]) for row in found)


REFUSED: dict[str, Callable[[], tuple[bytes, str]]] = {
    "no signature at all": lambda: (BODY, ""),
    "a signature of another secret": lambda: (BODY, signed(BODY, "whsec_wrong")),
    "a signature with an empty secret": lambda: (BODY, signed(BODY, "")),
    "a signature of scheme v0 only": lambda: (BODY, f"t={NOW},v0={digest(BODY, SECRET, NOW)}"),
    "a header without a timestamp": lambda: (BODY, f"v1={digest(BODY, SECRET, NOW)}"),
    "a timestamp that is no number": lambda: (BODY, f"t=now,v1={digest(BODY, SECRET, NOW)}"),
    "a signature in other letters": lambda: (BODY, f"t={NOW},v1=\xff"),
    "a header that is noise": lambda: (BODY, "t=,v1=,,=="),
    "a signature 301 seconds old": lambda: (BODY, signed(BODY, at=int(time.time()) - 302)),
    "a signature from a day ahead": lambda: (BODY, signed(BODY, at=int(time.time()) + 86400)),
    "a timestamp that was moved": lambda: (BODY, f"t={NOW + 9},v1={digest(BODY, SECRET, NOW)}"),
    "a body that was written anew": lambda: (json.dumps(event(), indent=1).encode(), signed(BODY)),
    "a body with a space more": lambda: (BODY + b" ", signed(BODY)),
    "a body that is not UTF-8": lambda: (b'{"id": "\xff\xfe"}', signed(b'{"id": "\xff\xfe"}')),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_stripe_did_not_sign_just_now_is_refused_and_leaves_no_row(
    client: httpx.AsyncClient, case: str
) -> None:
    raw, header = REFUSED[case]()
    answer = await post(client, raw, header)
    assert answer.status_code == 400
    assert (await rows(), await work()) == ([], [])


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b"null",
        b'"evt"',
        b"7",
        b"{}",
        b'{"id": 7}',
        b'{"id": ""}',
        b"{",
        b"",
        b'{"id": "' + b"e" * 65 + b'"}',
    ],
)
async def test_signed_nonsense_is_refused_and_leaves_no_row(client: httpx.AsyncClient, raw: bytes) -> None:
    assert (await post(client, raw)).status_code in (400, 422)
    assert (await rows(), await work()) == ([], [])


async def test_five_megabytes_are_refused_before_they_are_read_to_the_end(client: httpx.AsyncClient) -> None:
    raw = json.dumps(event(padding="x" * 5 * 1024 * 1024)).encode()
    assert (await post(client, raw)).status_code == 413
    assert await rows() == []


@pytest.mark.parametrize("age_s", [-290, 0, 290])
async def test_five_minutes_of_difference_between_clocks_are_allowed(
    client: httpx.AsyncClient, age_s: int
) -> None:
    assert (await post(client, BODY, signed(BODY, at=int(time.time()) - age_s))).status_code == 200


async def test_both_secrets_count_while_they_are_rolled(client: httpx.AsyncClient) -> None:
    for secret in (SECRET, OLD_SECRET):
        assert (await post(client, BODY, signed(BODY, secret))).status_code == 200
    both = f"{signed(BODY, 'whsec_unknown')},v1={digest(BODY, SECRET, int(time.time()))}"
    assert (await post(client, BODY, both)).status_code == 200
    (row,) = await rows()
    assert row.deliveries == 3


async def test_without_a_secret_nothing_is_believed(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "")
    get_settings.cache_clear()
    for header in (signed(BODY), signed(BODY, ""), ""):
        assert (await post(client, BODY, header)).status_code == 400
    assert await rows() == []


@pytest.mark.parametrize(
    "headers", [{}, {"Content-Type": "text/plain"}, {"Content-Type": "application/json"}]
)
async def test_the_content_type_does_not_matter(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert (await post(client, BODY, **headers)).status_code == 200
    assert len(await rows()) == 1


async def test_a_delivery_is_stored_with_its_work_in_one_transaction(client: httpx.AsyncClient) -> None:
    answer = await post(client, BODY)
    assert (answer.status_code, answer.json()) == (200, {"state": "received"})
    (row,) = await rows()
    assert (row.event_id, row.type, row.customer_id, row.object_id, row.state) == (
        "evt_1",
        "customer.subscription.updated",
        "cus_1",
        "sub_1",
        "received",
    )
    assert row.payload == event()
    assert await work() == ["sync:cus_1:1"]


async def test_each_delivery_asks_again_so_that_a_replay_heals(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        await post(client, BODY)
    (row,) = await rows()
    assert row.deliveries == 3
    assert await work() == ["sync:cus_1:1"], "it has not begun, so it serves all three"
    async with db.transaction() as session:
        sync = await session.get_one(StripeSync, "cus_1")
        assert sync.wanted_seq == 3
        sync.queued_seq, sync.done_seq = 0, 3
    await post(client, BODY)
    assert await work() == ["sync:cus_1:1", "sync:cus_1:4"], "what comes after it asks again"


SET_ASIDE: dict[str, dict[str, Any]] = {
    "another version of the API": {"api_version": "2020-08-27"},
    "no version of the API": {"api_version": None},
    "live mode": {"livemode": True},
    "a connected account": {"account": "acct_other"},
    "a thin event": {"object": "v2.core.event"},
}


@pytest.mark.parametrize("case", SET_ASIDE)
async def test_what_is_not_for_us_is_kept_aside_answered_and_not_acted_on(
    client: httpx.AsyncClient, case: str
) -> None:
    raw = json.dumps(event(**SET_ASIDE[case])).encode()
    answer = await post(client, raw)
    assert (answer.status_code, answer.json()) == (200, {"state": "quarantined"})
    (row,) = await rows()
    assert (row.state, await work()) == ("quarantined", [])
    assert row.error


async def test_with_a_live_key_test_events_are_set_aside(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "rk_live_limber")
    get_settings.cache_clear()
    assert (await post(client, BODY)).json() == {"state": "quarantined"}
    live = json.dumps(event(id="evt_2", livemode=True)).encode()
    assert (await post(client, live)).json() == {"state": "received"}


@pytest.mark.parametrize(
    ("thing", "customer"),
    [
        ({"id": "cus_2", "object": "customer"}, "cus_2"),
        ({"id": "in_1", "object": "invoice", "customer": {"id": "cus_2", "object": "customer"}}, "cus_2"),
        ({"id": "price_1", "object": "price"}, None),
        ({"id": "cs_1", "object": "checkout.session", "customer": None}, None),
        ("not an object", None),
        (None, None),
    ],
)
async def test_an_event_is_filed_under_its_customer(
    client: httpx.AsyncClient, thing: object, customer: str | None
) -> None:
    raw = json.dumps(event(data={"object": thing})).encode()
    assert (await post(client, raw)).status_code == 200
    (row,) = await rows()
    assert (row.customer_id, row.state) == (customer, "received" if customer else "ignored")


async def test_an_event_of_an_unknown_type_is_taken(client: httpx.AsyncClient) -> None:
    raw = json.dumps(event(type="customer.teleported" * 9)).encode()
    assert (await post(client, raw)).status_code == 200


async def test_the_largest_event_that_is_allowed_is_taken(client: httpx.AsyncClient) -> None:
    raw = json.dumps(event(padding="x" * (inbox.MAX_EVENT_BYTES - 1000))).encode()
    assert (await post(client, raw)).status_code == 200


async def test_a_database_that_is_away_is_no_success(client: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        await session.execute(text("ALTER TABLE stripe_event RENAME TO stripe_event_away"))
    try:
        assert (await post(client, BODY)).status_code >= 500
    finally:
        async with db.transaction() as session:
            await session.execute(text("ALTER TABLE stripe_event_away RENAME TO stripe_event"))
    assert (await rows(), await work()) == ([], [])


async def test_a_browser_cannot_read_the_address(client: httpx.AsyncClient) -> None:
    assert (await client.get("/webhooks/stripe")).status_code == 405
