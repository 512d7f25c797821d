"""A declined renewal: the banner, three mails, a link that needs no signing in, and paying that restores at once."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiosmtplib
import httpx
import pytest
from sqlalchemy import delete, select

from app import db, jobs, worker
from app.accounts import links
from app.accounts.models import User
from app.billing import reminding
from app.billing.models import StripeSubscription
from app.billing.notice_models import BillingNotice
from app.clock import utcnow
from app.settings import get_settings
from tests import factories, letters
from tests.billing import till as tills
from tests.billing.till import Till
from tests.sandbox import shop

DAY = timedelta(days=1)


async def declined(till: Till) -> User:
    """A member whose second month was refused by the bank."""
    user, slug = await till.member(), await till.plan()
    await till.buy(slug, shop.FAILS_LATER)
    await till.settle()
    await till.pass_days(32)
    await till.settle()
    return user


async def since() -> datetime:
    async with db.transaction() as session:
        found: datetime | None = await session.scalar(select(StripeSubscription.past_due_since_at))
    assert found is not None
    return found


async def mailed(template: str) -> list[dict[str, Any]]:
    return [one for one in await letters.letters() if one["template"] == template]


async def link(template: str = "payment_failed") -> str:
    """The path of the link in the last such mail."""
    url = str((await mailed(template))[-1]["context"]["url"])
    assert url.startswith(f"{get_settings().base_url}/billing/card?token=")
    return url.removeprefix(get_settings().base_url)


async def stranger(till: Till) -> httpx.AsyncClient:
    """The same app, in a browser that nobody is signed in with."""
    till.client.cookies.clear()
    return till.client


async def press(client: httpx.AsyncClient, path: str, to: str = "/billing/card") -> httpx.Response:
    (token,) = parse_qs(urlsplit(path).query)["token"]
    return await client.post(to, data={"token": token})


async def test_every_page_of_a_member_tells_of_the_decline_with_a_button(till: Till) -> None:
    await declined(till)
    for path in ("/", "/articles", "/courses", "/library", "/account", "/plans", "/contact", "/no-such-page"):
        page = (await till.client.get(path)).text
        assert "The last payment did not go through." in page, path
        assert 'action="/account/card"' in page, path
    opened = await till.client.post("/account/card")
    assert opened.status_code == 303
    assert "/flow/payment_method_update" in opened.headers["location"]
    await till.client.post("/logout")
    assert "The last payment did not go through." not in (await till.client.get("/")).text


async def test_three_mails_are_written_at_their_times_and_each_once(till: Till) -> None:
    await declined(till)
    began = await since()
    assert [one["template"] for one in await letters.letters()][1:] == ["payment_failed"]
    for days, expected in (
        (6, []),
        (7, ["payment_reminder"]),
        (8, []),
        (12, ["payment_last_call"]),
        (13, []),
    ):
        written = await reminding.remind(began + days * DAY)
        assert [one.partition(":")[0] for one in written] == expected, days
        assert await reminding.remind(began + days * DAY) == []
    await till.deliver(till.stand.events())
    await till.work()
    assert await tills.mails() == [
        "subscription_started", "payment_failed", "payment_reminder", "payment_last_call",
    ]  # fmt: skip


async def test_a_site_that_was_down_writes_the_latest_mail_only(till: Till) -> None:
    user = await declined(till)
    customer, began = await tills.customer_id(user.id), await since()
    async with db.transaction() as session:
        await session.execute(delete(BillingNotice))
    for days, expected in ((13, ["payment_last_call"]), (13.5, []), (15, [])):
        written = await reminding.remind_one(customer, began + days * DAY, {})
        assert [one.partition(":")[0] for one in written] == expected, days


async def test_nobody_who_has_paid_is_reminded_even_before_the_webhook(till: Till) -> None:
    user = await declined(till)
    began = await since()
    await till.portal("update_card", card_number=shop.GOOD)
    assert await reminding.remind(began + 8 * DAY) == []
    assert await mailed("payment_reminder") == []
    assert await tills.is_entitled(user.id)


async def test_a_mail_that_waits_while_the_member_pays_is_not_sent(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    await declined(till)
    (waiting,) = await mailed("payment_failed")
    # No server would take it: a mail that is tried at all fails.
    monkeypatch.setenv("SMTP_URL", "smtp://127.0.0.1:9")
    get_settings.cache_clear()
    with pytest.raises(aiosmtplib.SMTPConnectError):
        await worker._deliver(**waiting)
    await till.portal("update_card", card_number=shop.GOOD)
    await till.client.get("/billing/back")
    await worker._deliver(**waiting)
    async with db.transaction() as session:
        row = await session.get_one(BillingNotice, waiting["cause"])
    assert row.withdrawn_at is not None


async def test_the_link_needs_no_signing_in_and_opens_only_the_cards_form(till: Till) -> None:
    user = await declined(till)
    path = await link()
    client = await stranger(till)
    page = await client.get(path)
    assert page.status_code == 200
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "Log in" in page.text, "the link signs nobody in"
    opened = await press(client, path)
    assert opened.status_code == 303
    form = opened.headers["location"]
    assert "/flow/payment_method_update" in form
    # Nothing else can be reached from there: neither the portal's other pages nor other actions.
    assert (await till.browser.get(form.split("/flow/")[0])).status_code == 404
    seen = (await till.browser.get(form)).text
    assert "cancel" not in seen.lower()
    assert (await till.browser.post(form, data={"action": "cancel_now"})).status_code == 402
    paid = await till.browser.post(form, data={"action": "update_card", "card_number": shop.GOOD})
    assert paid.status_code == 303
    back = await till.come_back(paid)
    assert "Thank you, all is well" in back.text
    assert await tills.is_entitled(user.id, utcnow() + 40 * DAY), "at once, without any webhook"
    assert (await client.get("/account")).status_code == 401
    assert (await tills.mails())[-1] == "payment_recovered"
    assert "Nothing is left to do" in (await client.get(path)).text
    assert (await press(client, path)).status_code == 410


async def test_a_mail_scanner_that_opens_the_link_does_nothing_at_stripe(till: Till) -> None:
    await declined(till)
    path = await link()
    client = await stranger(till)
    before = len(till.stand.events())
    for _again in range(3):
        assert (await client.get(path)).status_code == 200
        assert (await client.head(path)).status_code == 200
    assert len(till.stand.events()) == before, "no portal session was made"
    await press(client, path)
    assert [one["type"] for one in till.stand.events()[before:]] == ["billing_portal.session.created"]


async def test_a_card_that_stripe_does_not_try_by_itself_is_tried_with_one_click(till: Till) -> None:
    user = await declined(till)
    path = await link()
    client = await stranger(till)
    customer = await tills.customer_id(user.id)
    # A new default card, as the real portal may leave it: the subscription keeps its own, and nothing is tried.
    method = await till.api.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer})
    await till.api.v1.customers.update_async(
        customer, {"invoice_settings": {"default_payment_method": method.id}}
    )
    done = path.replace("/billing/card?", "/billing/card/done?")
    page = (await client.get(done)).text
    assert "Pay $19" in page
    assert not [one for one in till.stand.events() if one["type"] == "invoice.paid"][1:], "not by itself"
    paid = await press(client, path, "/billing/card/pay")
    assert paid.status_code == 303, paid.text
    assert "Thank you, all is well" in (await client.get(paid.headers["location"])).text
    assert (await tills.mails())[-1] == "payment_recovered"


async def test_a_card_that_is_refused_again_says_so(till: Till) -> None:
    await declined(till)
    path = await link()
    client = await stranger(till)
    answer = await press(client, path, "/billing/card/pay")
    assert answer.status_code == 409
    assert "Your bank did not pay." in answer.text


@pytest.mark.parametrize("harm", ["cut", "other purpose", "old", "gone"])
async def test_a_link_that_is_not_good_opens_nothing(till: Till, harm: str) -> None:
    user = await declined(till)
    path = await link()
    (token,) = parse_qs(urlsplit(path).query)["token"]
    customer = await tills.customer_id(user.id)
    claims = links.read(token, links.Purpose.CARD, utcnow())
    if harm == "cut":
        token = token[:-3]
    elif harm == "other purpose":
        token = links.sign(links.Purpose.RESET, claims, utcnow())
    elif harm == "old":
        token = links.sign(links.Purpose.CARD, claims, utcnow() - 31 * DAY)
    else:
        token = links.sign(
            links.Purpose.CARD, links.Claims(claims.subject, customer, {"cause": "nothing"}), utcnow()
        )
    client = await stranger(till)
    before = len(till.stand.events())
    for url in ("/billing/card", "/billing/card/done"):
        assert (await client.get(f"{url}?token={token}")).status_code in (410, 200 if harm == "gone" else 410)
    for url in ("/billing/card", "/billing/card/pay"):
        assert (await client.post(url, data={"token": token})).status_code == 410
    assert len(till.stand.events()) == before


async def test_the_link_is_no_way_into_the_account(till: Till) -> None:
    await declined(till)
    (token,) = parse_qs(urlsplit(await link()).query)["token"]
    client = await stranger(till)
    for path in ("/reset", "/confirm", "/change-email", "/gifts/claim"):
        assert (await client.get(path, params={"token": token})).status_code == 410, path


async def test_the_form_is_not_opened_without_end(till: Till) -> None:
    await declined(till)
    path = await link()
    client = await stranger(till)
    statuses = [(await press(client, path)).status_code for _ in range(21)]
    assert statuses == [303] * 20 + [429]


async def test_access_stops_after_the_grace_and_paying_restores_it_at_once(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIMBER_PAST_DUE_GRACE_DAYS", "14")
    get_settings.cache_clear()
    user = await declined(till)
    began = await since()
    # Stripe's clock stands a moment after the decline; ours is moved by asking about the days to come.
    assert await tills.is_entitled(user.id, began + 13.9 * DAY)
    assert not await tills.is_entitled(user.id, began + 14.1 * DAY)
    await till.portal("update_card", card_number=shop.GOOD)
    await till.settle()
    assert await tills.is_entitled(user.id, began + 14.1 * DAY), "by the webhook"
    assert "The last payment did not go through." not in (await till.client.get("/account")).text


async def test_a_membership_that_stripe_gave_up_rests_and_comes_back_by_the_link(till: Till) -> None:
    await till.browser.post(f"{till.stand.url}/sandbox/retries", data={"then": "unpaid"})
    user = await declined(till)
    for _week in range(3):
        await till.pass_days(6)
        await till.settle()
    assert not await tills.is_entitled(user.id)
    assert (await tills.mails())[-1] == "membership_rests"
    async with db.transaction() as session:
        await factories.course(session, slug="hips")
    for shown in ("/library", "/courses/hips"):
        page = (await till.client.get(shown)).text.partition("<main")[2]
        assert "Your membership rests until it is paid." in page, shown
        assert "Join for" not in page, "who has a membership is not asked to buy one"
    assert "rests at the moment" in (await till.client.get("/plans")).text
    path = await link("membership_rests")
    client = await stranger(till)
    form = (await press(client, path)).headers["location"]
    paid = await till.browser.post(form, data={"action": "update_card", "card_number": shop.GOOD})
    assert "Thank you, all is well" in (await till.come_back(paid)).text
    assert await tills.is_entitled(user.id)
    assert (await tills.mails())[-1] == "payment_recovered"
    assert "Nothing is left to do" in (await client.get(path)).text


async def test_a_membership_that_has_ended_is_not_paid_for_by_an_old_link(till: Till) -> None:
    await declined(till)
    path = await link()
    for _week in range(3):
        await till.pass_days(6)
        await till.settle()
    client = await stranger(till)
    assert "This membership has ended" in (await client.get(path)).text
    assert (await press(client, path)).status_code == 410
    paid = len([one for one in till.stand.events() if one["type"] == "invoice.paid"])
    await press(client, path, "/billing/card/pay")
    assert len([one for one in till.stand.events() if one["type"] == "invoice.paid"]) == paid


async def test_a_renewal_has_one_receipt_and_the_first_payments_stands_in_the_welcome(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.settle()
    (welcome,) = await mailed("subscription_started")
    page = await till.browser.get(welcome["context"]["receipt_url"])
    assert "$19.00" in page.text
    assert await reminding.remind(utcnow()) == []
    await till.pass_days(32)
    await till.settle()
    for expected in (1, 0):
        assert len(await reminding.remind(utcnow() + 32 * DAY)) == expected
    (receipt,) = await mailed("receipt")
    assert receipt["context"]["amount"] == "$19"
    assert receipt["to"] == user.email


async def test_what_was_bought_elsewhere_in_the_same_account_has_no_receipt_of_ours(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.settle()
    other = await shop.monthly(till.api, 900)
    customer = await till.api.v1.customers.retrieve_async(await tills.customer_id(user.id))
    await shop.subscribe(till.api, customer, other)
    await till.settle()
    assert await reminding.remind(utcnow()) == []
    assert await mailed("receipt") == []


async def test_another_member_is_told_nothing(till: Till) -> None:
    await declined(till)
    async with db.transaction() as session:
        other = await factories.user(session)
    await factories.sign_in(till.client, other)
    assert "The last payment did not go through." not in (await till.client.get("/library")).text
    assert (await till.client.post("/account/card")).status_code == 409
    assert (await till.client.post("/account/card/pay")).status_code == 409


@pytest.mark.parametrize("path", ["/account/card", "/account/card/pay"])
async def test_a_visitor_is_asked_to_log_in_first(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.post(path)).status_code == 401


async def test_the_same_cause_enqueues_one_mail_whoever_asks(till: Till) -> None:
    await declined(till)
    (waiting,) = await mailed("payment_failed")
    async with db.transaction() as session:
        await jobs.enqueue(session, "send_mail", waiting, workflow_id=f"mail:{waiting['cause']}")
    assert len(await mailed("payment_failed")) == 1
