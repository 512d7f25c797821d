"""The rehearsal: a member's life in a business that is thrown away; what goes wrong is said, and is the exit code."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from app import db
from app.billing import rehearsals
from app.billing.rehearsal_models import BillingRehearsal
from app.clock import utcnow
from app.demo.rehearsal_stage import free_ports, own_settings
from app.demo.rehearsal_words import Told, section_of
from app.settings import get_settings
from sandbox.stripe.app import create_app
from sandbox.stripe.store import Store
from tests import factories
from tests.sandbox.stands import Served

ROOT = Path(__file__).resolve().parent.parent.parent
STEPS = (
    "Subscribe",
    "Renew",
    "Decline",
    "Recover",
    "Cancel",
    "The month is over",
    "Buy a course once",
    "Refund",
    "Dispute",
    "The dispute is won",
    "Gift",
)


def rehearse(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command, as an operator runs it."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("STRIPE_", "DATABASE_"))}
    return subprocess.run(
        [sys.executable, "-m", "app", "billing", "rehearse", *words],
        cwd=ROOT,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """A Stripe that cannot reach the rehearsal, as Stripe's own test mode cannot; its address."""
    store = Store(tmp_path / "stripe.sqlite")
    served = Served(create_app(store))
    yield served.url
    served.stop()
    store.close()


@pytest.mark.long
@pytest.mark.timeout(500)
def test_a_members_life_goes_as_it_should_and_touches_nothing_else(tmp_path: Path) -> None:
    real = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/never", "LIMBER_DATA_DIR": str(tmp_path)}
    ran = rehearse(**real, STRIPE_SECRET_KEY="sk_live_never", STRIPE_WEBHOOK_SECRET="whsec_x")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "All of it went as it should." in ran.stdout
    titles = [line for line in ran.stdout.splitlines() if line and not line.startswith(" ")]
    assert all(title.startswith(step) for title, step in zip(titles, STEPS, strict=False)), titles
    assert len(titles) == len(STEPS) + 1
    assert "Mail: “Your membership has begun” to noelani@rehearsal.example" in ran.stdout
    assert "The member sees: Monthly membership, $19 a month" in ran.stdout
    assert "Ledger: given until" in ran.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
@pytest.mark.timeout(500)
def test_with_a_key_of_test_mode_it_is_the_same_at_stripe_and_what_goes_wrong_is_said(elsewhere: str) -> None:
    key = {"STRIPE_SECRET_KEY": "sk_test_rehearsal", "STRIPE_WEBHOOK_SECRET": "whsec_x"}
    trouble = {"path": "/v1/refunds", "status": 500, "times": 1000}
    httpx.post(f"{elsewhere}/sandbox/trouble", json=trouble, trust_env=False, verify=False).raise_for_status()
    ran = rehearse("--with-stripe", "--json", **key, STRIPE_API_BASE=elsewhere)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    assert next(one["title"].split(",")[0] for one in told if one["wrong"]) == "Refund"
    assert not any(one["wrong"] for one in told[:7])
    assert "Went wrong: Refund, from the studio: " in ran.stderr
    clocks = httpx.get(
        f"{elsewhere}/v1/test_helpers/test_clocks",
        headers={"Authorization": "Bearer sk_test_rehearsal"},
        trust_env=False,
        verify=False,
    ).json()
    assert clocks["data"] == [], "nothing is left behind at Stripe"


@pytest.mark.parametrize(
    ("key", "sentence"),
    [("sk_live_abcdefgh", "This is a live key"), ("", "There is no Stripe key here")],
)
def test_a_live_key_is_refused_with_a_sentence(key: str, sentence: str) -> None:
    ran = rehearse("--with-stripe", STRIPE_SECRET_KEY=key, STRIPE_WEBHOOK_SECRET="whsec_x")
    assert ran.returncode == 1
    assert sentence in ran.stderr
    assert ran.stdout == ""


def test_what_the_member_reads_is_the_section_and_the_banner_without_headings_and_buttons() -> None:
    page = (
        "<aside class='payment-banner no-print'><p>It failed.</p></aside><aside><p>No.</p></aside>"
        "<main><section aria-labelledby='other'><p>No.</p></section><section aria-labelledby='membership'>"
        "<h2 id='membership'>Membership</h2><p><b>Monthly</b>, $19</p><section><p>Inside</p></section>"
        "<a href='/'>Bills</a></section><p>After</p></main>"
    )
    assert section_of(page, "membership") == "It failed. Monthly, $19 Inside"


def test_a_step_is_told_in_lines_and_what_is_wrong_stands_out() -> None:
    told = Told("Renew", "The next payment", may_watch=False, mails=(), ledger=(), wrong=("it is closed",))
    assert told.lines() == [
        "Renew",
        "  The member sees: The next payment",
        "  The lesson: closed",
        "  Mail: none",
        "  Ledger: nothing new",
        "  WRONG: it is closed",
    ]


def test_the_settings_of_the_business_come_back_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_live_theirs")
    monkeypatch.setenv("DATABASE_URL", "postgresql://theirs@127.0.0.1/theirs")
    before = dict(os.environ)
    with own_settings({"LIMBER_ENV": "demo", "LIMBER_BASE_URL": "http://127.0.0.1:1"}):
        assert get_settings().stripe_secret_key == ""
        assert get_settings().database_url is None
    assert dict(os.environ) == before
    get_settings.cache_clear()


def test_four_ports_in_a_row_are_free() -> None:
    free_ports().check()


async def asked_for(client: httpx.AsyncClient) -> BillingRehearsal:
    async with db.transaction() as session:
        teacher = await factories.staff(session)
    await factories.sign_in(client, teacher)
    sent = await client.post("/studio/money/rehearsal")
    assert (sent.status_code, sent.headers["location"]) == (303, "/studio/money/rehearsal")
    async with db.transaction() as session:
        found = await rehearsals.latest(session)
    assert found is not None
    return found


async def test_staff_ask_for_one_and_see_each_step(client: httpx.AsyncClient) -> None:
    row = await asked_for(client)
    page = (await client.get("/studio/money/rehearsal")).text
    assert "It is being played." in page
    assert 'http-equiv="refresh"' in page
    again = await client.post("/studio/money/rehearsal")
    assert again.status_code == 409
    assert "being played already" in again.text
    steps: list[dict[str, Any]] = [
        Told(
            "Subscribe", "Monthly", may_watch=True, mails=("“Welcome” to n@x",), ledger=("given",)
        ).as_json(),
        Told("Renew", "Nothing", may_watch=False, mails=(), ledger=(), wrong=("it is closed",)).as_json(),
    ]
    await rehearsals._write(row.id, steps=steps, state="wrong", ended_at=utcnow())
    page = (await client.get("/studio/money/rehearsal")).text
    assert "Something did not go as it should" in page
    assert "it is closed" in page
    assert "“Welcome” to n@x" in page
    assert 'http-equiv="refresh"' not in page


async def test_at_stripe_only_with_a_key_of_test_mode(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_live_theirs")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_x")
    get_settings.cache_clear()
    async with db.transaction() as session:
        teacher = await factories.staff(session)
    await factories.sign_in(client, teacher)
    assert "test mode</button>" not in (await client.get("/studio/money/rehearsal")).text
    sent = await client.post("/studio/money/rehearsal", data={"at_stripe": "true"})
    assert sent.status_code == 409
    assert "This is a live key" in sent.text
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_theirs")
    get_settings.cache_clear()
    assert "test mode</button>" in (await client.get("/studio/money/rehearsal")).text


async def test_members_have_no_rehearsal(client: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        member = await factories.user(session)
    await factories.sign_in(client, member)
    assert (await client.get("/studio/money/rehearsal")).status_code in (403, 404)
    assert (await client.post("/studio/money/rehearsal")).status_code in (403, 404)


@pytest.mark.long
@pytest.mark.timeout(500)
async def test_the_workers_part_keeps_what_the_command_says(client: httpx.AsyncClient) -> None:
    row = await asked_for(client)
    playing = asyncio.create_task(rehearsals.play(row.id))

    async def now() -> BillingRehearsal:
        async with db.transaction() as session:
            return await session.get_one(BillingRehearsal, UUID(str(row.id)))

    while not playing.done() and not (await now()).steps:
        await asyncio.sleep(0.5)
    assert (await now()).steps[0]["title"] == "Subscribe", "shown while the rest is played"
    await playing
    told = await now()
    assert (told.state, told.problem, len(told.steps)) == ("right", "", len(STEPS))
