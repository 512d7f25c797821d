"""The customer portal's page: cancel, renew, another card, pay what is owed, and flows that lead back."""

from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox import shop
from tests.sandbox.stands import Stand

RETURN = "http://127.0.0.1:9/account"


async def portal(api: stripe.StripeClient, customer: stripe.Customer, **more: Any) -> str:
    params: Any = {"customer": customer.id, "return_url": RETURN, **more}
    return (await api.v1.billing_portal.sessions.create_async(params)).url


async def test_a_member_cancels_and_takes_it_back(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    customer = await shop.member(api)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api))
    url = await portal(api, customer)
    page = await browser.get(url)
    assert "Renews on" in page.text
    assert "4242" in page.text
    answer = await browser.post(url, data={"action": "cancel_at_period_end", "subscription": subscription.id})
    assert answer.status_code == 303
    ending = await api.v1.subscriptions.retrieve_async(subscription.id)
    period_end = ending["items"].data[0].current_period_end
    assert (ending.status, ending.cancel_at_period_end, ending.cancel_at) == ("active", True, period_end)
    assert ending.cancellation_details is not None
    assert ending.cancellation_details.reason == "cancellation_requested"
    assert "Ends on" in (await browser.get(url)).text
    await browser.post(url, data={"action": "renew", "subscription": subscription.id})
    again = await api.v1.subscriptions.retrieve_async(subscription.id)
    assert (again.cancel_at_period_end, again.cancel_at, again.canceled_at) == (False, None, None)
    assert stand.types().count("customer.subscription.updated") >= 2


async def test_a_member_cancels_now(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    customer = await shop.member(api)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api))
    url = await portal(api, customer)
    await browser.post(url, data={"action": "cancel_now", "subscription": subscription.id})
    ended = await api.v1.subscriptions.retrieve_async(subscription.id)
    assert ended.status == "canceled"
    assert ended.ended_at is not None
    assert "customer.subscription.deleted" in stand.types()
    answer = await browser.post(url, data={"action": "renew", "subscription": subscription.id})
    assert answer.status_code == 402
    assert "already ended" in answer.text


async def test_a_flow_opens_only_its_own_page_and_leads_back(
    api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    customer = await shop.member(api)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api))
    url = await portal(
        api,
        customer,
        flow_data={
            "type": "payment_method_update",
            "after_completion": {"type": "redirect", "redirect": {"return_url": f"{RETURN}?card=new"}},
        },
    )
    page = await browser.get(url)
    assert "card_number" in page.text
    assert "cancel_at_period_end" not in page.text
    answer = await browser.post(url, data={"action": "update_card", "card_number": "5555555555554444"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{RETURN}?card=new")
    again = await api.v1.customers.retrieve_async(
        customer.id, {"expand": ["invoice_settings.default_payment_method"]}
    )
    assert again.invoice_settings is not None
    method = again.invoice_settings.default_payment_method
    assert isinstance(method, stripe.PaymentMethod)
    assert method.card is not None
    assert (method.card.brand, method.card.last4) == ("mastercard", "4444")
    assert (await api.v1.subscriptions.retrieve_async(subscription.id)).status == "active"


async def test_a_flow_does_nothing_but_what_it_is_for(
    api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    customer = await shop.member(api)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api))
    back = {"type": "redirect", "redirect": {"return_url": RETURN}}
    url = await portal(api, customer, flow_data={"type": "payment_method_update", "after_completion": back})
    form = {"action": "cancel_now", "subscription": subscription.id}
    home = url.split("/flow/")[0]
    assert (await browser.post(url, data=form)).status_code == 402
    assert (await browser.post(home, data=form)).status_code == 404
    assert (await browser.post(f"{home}/flow/subscription_cancel", data=form)).status_code == 404
    assert (await api.v1.subscriptions.retrieve_async(subscription.id)).status == "active"


async def test_a_cancel_flow_ends_its_one_subscription(
    api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    customer, price = await shop.member(api), await shop.monthly(api)
    mine, other = [await shop.subscribe(api, customer, price) for _ in range(2)]
    flow = {"type": "subscription_cancel", "subscription_cancel": {"subscription": mine.id}}
    url = await portal(api, customer, flow_data=flow)
    page = await browser.get(url)
    assert (mine.id in page.text, other.id in page.text, "cancel_now" in page.text) == (True, False, False)
    refused = await browser.post(url, data={"action": "cancel_at_period_end", "subscription": other.id})
    assert refused.status_code == 402
    done = await browser.post(url, data={"action": "cancel_at_period_end", "subscription": mine.id})
    assert done.status_code == 303
    assert (await api.v1.subscriptions.retrieve_async(mine.id)).cancel_at_period_end
    assert not (await api.v1.subscriptions.retrieve_async(other.id)).cancel_at_period_end


@pytest.mark.parametrize("card", [shop.DECLINED, "4242424242424241"])
async def test_a_declined_card_stays_on_the_page(
    api: stripe.StripeClient, browser: httpx.AsyncClient, card: str
) -> None:
    customer = await shop.member(api)
    url = await portal(api, customer)
    answer = await browser.post(url, data={"action": "update_card", "card_number": card})
    assert answer.status_code == 402
    assert 'role="alert"' in answer.text
    assert len((await api.v1.customers.payment_methods.list_async(customer.id)).data) == 1


async def test_a_new_card_pays_what_is_owed(api: stripe.StripeClient, browser: httpx.AsyncClient) -> None:
    clock = await shop.clock_now(api)
    customer = await shop.member(api, "pm_card_chargeCustomerFail", clock.id)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api), off_session=False)
    assert subscription.status == "active"
    await shop.advance(api, clock, 32 * shop.DAY_S)
    assert (await api.v1.subscriptions.retrieve_async(subscription.id)).status == "past_due"
    url = await portal(api, customer)
    assert "The last payment failed." in (await browser.get(url)).text
    await browser.post(url, data={"action": "update_card", "card_number": shop.GOOD})
    assert (await api.v1.subscriptions.retrieve_async(subscription.id)).status == "active"
    open_ones = await api.v1.invoices.list_async({"customer": customer.id, "status": "open"})
    assert open_ones.data == []


async def test_a_portal_shows_only_its_own_customer(
    api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    mine, other = await shop.member(api), await shop.member(api)
    price = await shop.monthly(api)
    theirs = await shop.subscribe(api, other, price)
    url = await portal(api, mine)
    assert theirs.id not in (await browser.get(url)).text
    answer = await browser.post(url, data={"action": "cancel_now", "subscription": theirs.id})
    assert answer.status_code == 402
    assert (await api.v1.subscriptions.retrieve_async(theirs.id)).status == "active"
    with pytest.raises(stripe.InvalidRequestError, match="not the customer's"):
        await portal(
            api,
            mine,
            flow_data={"type": "subscription_cancel", "subscription_cancel": {"subscription": theirs.id}},
        )


async def test_a_link_to_the_portal_expires(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    url = await portal(api, await shop.member(api))
    await browser.post(f"{stand.url}/sandbox/clock", json={"advance_s": 3700})
    assert (await browser.get(url)).status_code == 404
    assert (await browser.get(f"{stand.url}/p/session/guess")).status_code == 404


async def test_a_configuration_is_kept_and_used(api: stripe.StripeClient) -> None:
    customer = await shop.member(api)
    made = await api.v1.billing_portal.configurations.create_async(
        {
            "features": {"invoice_history": {"enabled": True}},
            "business_profile": {"headline": "Limber"},
            "default_return_url": RETURN,
        }
    )
    session = await api.v1.billing_portal.sessions.create_async(
        {"customer": customer.id, "configuration": made.id}
    )
    assert (session.configuration, session.return_url) == (made.id, RETURN)
    assert (
        await api.v1.billing_portal.configurations.retrieve_async(made.id)
    ).business_profile.headline == "Limber"
    plain = await api.v1.billing_portal.sessions.create_async({"customer": customer.id})
    assert plain.configuration != made.id
    assert len((await api.v1.billing_portal.configurations.list_async()).data) == 2


async def change(
    api: stripe.StripeClient, kind: str, card: str = "pm_card_visa"
) -> tuple[str, stripe.Subscription, stripe.Price, stripe.Customer]:
    """A flow that changes from 10 to 30 dollars: its page, what it is about, and to which price."""
    customer = await shop.member(api, card)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api, 1000), off_session=False)
    dear = await shop.monthly(api, 3000)
    configuration = await api.v1.billing_portal.configurations.create_async(
        {
            "features": {
                "subscription_update": {
                    "enabled": True,
                    "default_allowed_updates": ["price"],
                    "products": [{"product": str(dear.product), "prices": [dear.id]}],
                    "proration_behavior": "always_invoice",
                }
            }
        }
    )
    about: Any = {"subscription": subscription.id}
    if kind == "subscription_update_confirm":
        about["items"] = [{"id": subscription["items"].data[0].id, "price": dear.id}]
    flow: Any = {
        "type": kind,
        kind: about,
        "after_completion": {"type": "redirect", "redirect": {"return_url": RETURN}},
    }
    url = await portal(api, customer, configuration=configuration.id, flow_data=flow)
    return url, subscription, dear, customer


async def test_a_member_changes_the_plan_among_those_that_are_offered(
    api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    url, subscription, dear, _ = await change(api, "subscription_update")
    other = await shop.monthly(api, 5000)
    page = await browser.get(url)
    assert dear.id in page.text
    assert other.id not in page.text
    pressed = {"action": "change_plan", "subscription": subscription.id}
    assert (await browser.post(url, data={**pressed, "price": other.id})).status_code == 402
    answer = await browser.post(url, data={**pressed, "price": dear.id})
    assert (answer.status_code, answer.headers["location"]) == (303, RETURN)
    changed = await api.v1.subscriptions.retrieve_async(subscription.id)
    assert changed["items"].data[0].price.id == dear.id


async def test_a_change_is_confirmed_with_what_it_costs(
    api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    url, subscription, dear, _ = await change(api, "subscription_update_confirm")
    page = await browser.get(url)
    assert 'data-due="2000"' in page.text
    pressed = {"action": "confirm_plan", "subscription": subscription.id}
    assert (await browser.post(url, data=pressed)).status_code == 303
    changed = await api.v1.subscriptions.retrieve_async(subscription.id, {"expand": ["latest_invoice"]})
    assert changed["items"].data[0].price.id == dear.id
    assert isinstance(changed.latest_invoice, stripe.Invoice)
    assert (changed.latest_invoice.total, changed.latest_invoice.status) == (2000, "paid")


async def test_a_change_that_the_card_declines_changes_nothing(
    api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    url, subscription, _, _ = await change(api, "subscription_update_confirm", "pm_card_chargeCustomerFail")
    pressed = {"action": "confirm_plan", "subscription": subscription.id}
    answer = await browser.post(url, data=pressed)
    assert answer.status_code == 402
    assert "stays as it was" in answer.text
    kept = await api.v1.subscriptions.retrieve_async(subscription.id)
    assert kept["items"].data[0].price.unit_amount == 1000
    assert kept.pending_update is not None


async def test_why_a_member_leaves_is_told(api: stripe.StripeClient, browser: httpx.AsyncClient) -> None:
    customer = await shop.member(api)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api))
    pressed = {"action": "cancel_at_period_end", "subscription": subscription.id, "feedback": "unused"}
    await browser.post(await portal(api, customer), data=pressed)
    ending = await api.v1.subscriptions.retrieve_async(subscription.id)
    assert ending.cancellation_details is not None
    assert ending.cancellation_details.feedback == "unused"
