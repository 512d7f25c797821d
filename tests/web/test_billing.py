"""Plans and buying, as everybody meets them before Stripe comes in: who may, what is said, where it leads."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app import db
from app.billing.models import StripeCustomer, StripeSubscription
from app.billing.plan_models import Plan, PlanPrice
from app.clock import utcnow
from app.settings import get_settings
from tests import factories

MEMBER_ONLY = [
    ("GET", "/billing/return?session_id=cs_1"),
    ("GET", "/billing/cancelled?attempt=6f1f6dd4-5f0c-4f5e-9d9f-000000000000"),
    ("GET", "/billing/back"),
    ("POST", "/account/portal"),
]


@pytest.mark.parametrize(("method", "path"), MEMBER_ONLY)
async def test_a_visitor_is_asked_to_log_in(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == 401
    assert "Please log in to watch the paid videos." in answer.text


@pytest.mark.parametrize("path", ["/checkout", "/account/portal"])
async def test_another_sites_form_is_refused(client: httpx.AsyncClient, path: str) -> None:
    await a_member(client)
    answer = await client.post(
        path, headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403


async def a_member(client: httpx.AsyncClient) -> Any:
    async with db.transaction() as session:
        user = await factories.user(session)
    await factories.sign_in(client, user)
    return user


async def on_sale(name: str, amount_cents: int, interval: str = "month", **values: Any) -> Plan:
    async with db.transaction() as session:
        plan: Plan = await factories.save(
            session,
            Plan(slug=name.lower(), name=name, amount_cents=amount_cents, interval=interval, **values),
        )
        session.add(
            PlanPrice(
                stripe_price_id=f"price_{name}",
                plan_id=plan.id,
                amount_cents=amount_cents,
                currency=values.get("currency", "usd"),
            )
        )
    return plan


async def test_the_plans_page_shows_prices_trials_and_that_buying_is_off(client: httpx.AsyncClient) -> None:
    await on_sale("Monthly", 1850, trial_days=7)
    await on_sale("Yearly", 18000, "year")
    await on_sale("Yen", 1900, currency="jpy")
    page = (await client.get("/plans")).text
    for words in (
        "$18.50",
        "a month",
        "The first 7 days are free.",
        "$180",
        "a year",
        "¥1,900",
        "not switched on",
    ):
        assert words in page
    assert 'action="/checkout"' not in page
    assert page.count("plan-best") == 1


async def test_buying_while_it_is_off_says_so_in_words(client: httpx.AsyncClient) -> None:
    await a_member(client)
    await on_sale("Monthly", 1850)
    answer = await client.post("/checkout", data={"plan": "monthly"})
    assert answer.status_code == 503
    assert "Buying is not switched on here yet." in answer.text


async def test_the_other_name_of_the_page_leads_to_it(client: httpx.AsyncClient) -> None:
    answer = await client.get("/join-plan?next=/library")
    assert (answer.status_code, answer.headers["location"]) == (301, "/plans?next=/library")


@pytest.mark.parametrize("bad", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x"])
async def test_the_way_back_stays_on_this_site(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    await on_sale("Monthly", 1850)
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_limber")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_test")
    get_settings.cache_clear()
    page = (await client.get("/plans", params={"next": bad})).text
    assert 'name="next" value="/library"' in page
    assert "evil" not in page
    joined = await client.post("/checkout", data={"plan": "monthly", "next": bad})
    assert "evil" not in joined.headers["location"]


async def test_the_portal_of_somebody_who_never_bought_leads_to_the_plans(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_member(client)
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_limber")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_test")
    get_settings.cache_clear()
    answer = await client.post("/account/portal")
    assert (answer.status_code, answer.headers["location"]) == (303, "/plans?next=/account")


async def test_who_was_given_everything_is_told_that_there_is_nothing_to_pay(
    client: httpx.AsyncClient,
) -> None:
    user = await a_member(client)
    await on_sale("Monthly", 1850)
    async with db.transaction() as session:
        await factories.entitlement(session, user)
    assert "There is nothing to pay." in (await client.get("/plans")).text


STATES = [
    ("active", {}, None, "The next payment is on"),
    ("trialing", {"trial_end": 40}, None, "You are trying it out. The first payment is on"),
    ("active", {"cancel_at_period_end": True}, None, "You have cancelled. You can watch until"),
    ("active", {"cancel_at": 5}, None, "You have cancelled. You can watch until"),
    ("past_due", {}, -2, "A card that works keeps everything as it is."),
    ("unpaid", {}, None, "The membership is paused because it is not paid."),
    ("canceled", {}, None, "You have no membership."),
    ("incomplete", {}, None, "You have no membership."),
]


@pytest.mark.parametrize(("status", "values", "unpaid_day", "sentence"), STATES)
async def test_the_account_page_tells_each_state_in_words(
    client: httpx.AsyncClient, status: str, values: dict[str, Any], unpaid_day: int | None, sentence: str
) -> None:
    user = await a_member(client)
    await on_sale("Monthly", 1850)
    now = utcnow()

    def seconds(days: int) -> int:
        return int((now + timedelta(days=days)).timestamp())

    raw = {
        "id": "sub_1",
        "status": status,
        "created": seconds(-10),
        "start_date": seconds(-10),
        "items": {"data": [{"price": {"id": "price_Monthly"}, "current_period_end": seconds(20)}]},
        **{name: seconds(value) if type(value) is int else value for name, value in values.items()},
    }
    async with db.transaction() as session:
        await factories.save(session, StripeCustomer(id="cus_1", user_id=user.id))
        await factories.save(
            session,
            StripeSubscription(
                id="sub_1",
                customer_id="cus_1",
                status=status,
                raw=raw,
                past_due_since_at=now + timedelta(days=unpaid_day) if unpaid_day else None,
            ),
        )
    page = (await client.get("/account")).text
    assert sentence in " ".join(page.split())
    has_button = 'action="/account/portal"' in page
    assert has_button is (status not in ("canceled", "incomplete"))
    assert ("$18.50 a month" in page) is has_button
