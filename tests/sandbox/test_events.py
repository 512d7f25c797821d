"""Events are kept, listed, signed and delivered until somebody takes them, or not for ever."""

import json
import time

import httpx
import pytest
import stripe

from sandbox.stripe.resources.webhook_endpoints import register
from sandbox.stripe.world import World, default_now
from tests.sandbox import shop
from tests.sandbox.stands import Receiver, Stand, receiving, until


async def hook(api: stripe.StripeClient, receiver: Receiver, *types: str) -> stripe.WebhookEndpoint:
    names = list(types) or ["*"]
    return await api.v1.webhook_endpoints.create_async(
        {"url": receiver.url, "enabled_events": names, "api_version": "2026-05-27.dahlia"}  # type: ignore[typeddict-item]
    )


async def test_a_delivery_is_signed_so_that_the_library_believes_it(
    stand: Stand, api: stripe.StripeClient, receiver: Receiver
) -> None:
    endpoint = await hook(api, receiver)
    assert endpoint.secret is not None
    assert endpoint.secret.startswith("whsec_")
    customer = await api.v1.customers.create_async({"email": "a@b.example"}, {"idempotency_key": "join"})
    until(lambda: len(receiver.got) == 1)
    headers, body = receiver.got[0]
    event = api.construct_event(body, headers["stripe-signature"], endpoint.secret)
    assert (event.type, event.api_version, event.livemode) == ("customer.created", "2026-05-27.dahlia", False)
    assert event.data.object["id"] == customer.id
    assert event["request"]["idempotency_key"] == "join"
    for wrong_body, secret in ((body.replace(b"a@b", b"x@y"), endpoint.secret), (body, "whsec_other")):
        with pytest.raises(stripe.SignatureVerificationError):
            api.construct_event(wrong_body, headers["stripe-signature"], secret)
    again = await api.v1.webhook_endpoints.retrieve_async(endpoint.id)
    assert "secret" not in again.to_dict(), "only the answer that makes an endpoint shows its secret"
    until(lambda: stand.deliveries() == [("delivered", 1)])
    assert (await api.v1.events.retrieve_async(event.id)).pending_webhooks == 0


async def test_a_receiver_that_fails_first_gets_the_same_event_again(
    stand: Stand, api: stripe.StripeClient
) -> None:
    with receiving(500, 503) as receiver:
        await hook(api, receiver)
        await api.v1.customers.create_async()
        until(lambda: stand.deliveries() == [("delivered", 3)])
        assert len({body for _, body in receiver.got}) == 1
        assert len(receiver.got) == 3


async def test_a_receiver_that_never_takes_it_is_given_up(stand: Stand, api: stripe.StripeClient) -> None:
    with receiving(*[500] * 9) as receiver:
        await hook(api, receiver)
        await api.v1.customers.create_async()
        until(lambda: stand.deliveries() == [("failed", 4)])
        time.sleep(0.3)
        assert len(receiver.got) == 4, "three retries after the first try, then no more"
    lost = await api.v1.events.list_async({"delivery_success": False})
    assert [one.type for one in lost.data] == ["customer.created"]
    assert (await api.v1.events.list_async({"delivery_success": True})).data == []


async def test_a_redirect_is_not_followed_and_counts_as_a_failure(
    stand: Stand, api: stripe.StripeClient
) -> None:
    with receiving(302) as receiver:
        await hook(api, receiver)
        await api.v1.customers.create_async()
        until(lambda: stand.deliveries() == [("delivered", 2)])


async def test_what_nobody_took_is_delivered_after_a_restart(stand: Stand, api: stripe.StripeClient) -> None:
    stand.retries_s = (0.05, 0.1, 0.2, 0.3, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5)
    stand.restart()
    with receiving() as gone:
        url = gone.url
    with stand.store.transaction():
        now = default_now(stand.store)
        register(World(stand.store, now, now, ""), url, "whsec_before")
    await api.v1.customers.create_async()
    until(lambda: stand.deliveries()[0][1] >= 1)
    assert stand.deliveries()[0][0] == "pending"
    stand.stop()
    with receiving() as back:
        stand.start()
        with stand.store.transaction():
            now = default_now(stand.store)
            kept = register(World(stand.store, now, now, ""), url, "whsec_before")
            kept.body["url"] = back.url
            stand.store.put(kept)
        until(lambda: len(back.got) == 1)
        headers, body = back.got[0]
        assert (
            api.construct_event(body, headers["stripe-signature"], "whsec_before").type == "customer.created"
        )


async def test_an_endpoint_gets_only_what_it_asked_for(
    stand: Stand, api: stripe.StripeClient, receiver: Receiver
) -> None:
    await hook(api, receiver, "product.created", "price.created")
    await api.v1.customers.create_async()
    await shop.monthly(api)
    until(lambda: len(receiver.got) == 2)
    assert sorted(receiver.types()) == ["price.created", "product.created"]


async def test_a_disabled_or_deleted_endpoint_gets_nothing_more(
    stand: Stand, api: stripe.StripeClient, receiver: Receiver
) -> None:
    endpoint = await hook(api, receiver)
    off = await api.v1.webhook_endpoints.update_async(endpoint.id, {"disabled": True})
    assert off.status == "disabled"
    await api.v1.customers.create_async()
    assert stand.deliveries() == []
    await api.v1.webhook_endpoints.update_async(endpoint.id, {"disabled": False})
    await api.v1.webhook_endpoints.delete_async(endpoint.id)
    await api.v1.customers.create_async()
    assert stand.deliveries() == []
    with pytest.raises(stripe.InvalidRequestError):
        await api.v1.webhook_endpoints.retrieve_async(endpoint.id)


async def test_one_bad_address_does_not_stop_the_others(
    stand: Stand, api: stripe.StripeClient, receiver: Receiver
) -> None:
    bad = await api.v1.webhook_endpoints.create_async({"url": "http://127.0.0.1:1/", "enabled_events": ["*"]})
    with stand.store.transaction():
        row = stand.store.need("webhook_endpoint", bad.id)
        row.body["url"] = "http://127.0.0.1:99999999/"
        stand.store.put(row)
    await hook(api, receiver)
    await api.v1.customers.create_async()
    until(lambda: len(receiver.got) == 1)
    until(lambda: sorted(stand.deliveries()) == [("delivered", 1), ("failed", 4)])


async def test_another_api_version_for_an_endpoint_is_refused(api: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="API version"):
        await api.v1.webhook_endpoints.create_async(
            {"url": "http://127.0.0.1:9/", "enabled_events": ["*"], "api_version": "2024-06-20"}
        )


async def test_events_are_listed_by_type_and_time(api: stripe.StripeClient) -> None:
    before = int(time.time())
    await shop.subscribe(api, await shop.member(api), await shop.monthly(api))
    by_type = await api.v1.events.list_async({"type": "customer.subscription.*"})
    assert {one.type for one in by_type.data} == {
        "customer.subscription.created",
        "customer.subscription.updated",
    }
    several = await api.v1.events.list_async({"types": ["invoice.paid", "price.created"]})
    assert [one.type for one in several.data] == ["invoice.paid", "price.created"], "newest first"
    assert (await api.v1.events.list_async({"created": {"lt": before}})).data == []
    everything = [one.type async for one in (await api.v1.events.list_async({"limit": 5})).auto_paging_iter()]
    assert everything[-1] == "customer.created"
    assert everything[0] in ("customer.subscription.updated", "invoice.payment_succeeded")


async def test_the_desk_shows_clock_subscriptions_and_deliveries(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient, receiver: Receiver
) -> None:
    await hook(api, receiver, "invoice.paid")
    subscription = await shop.subscribe(api, await shop.member(api), await shop.monthly(api))
    until(lambda: stand.deliveries() == [("delivered", 1)])
    page = await browser.get(f"{stand.url}/")
    assert page.status_code == 200
    assert subscription.id in page.text
    assert "delivered (1×, 200)" in page.text
    assert (await browser.get(f"{stand.url}/pages.css")).status_code == 200


async def test_the_shared_clock_moves_by_json_and_by_button(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    subscription = await shop.subscribe(api, await shop.member(api), await shop.monthly(api))
    address = f"{stand.url}/sandbox/clock"
    before = (await browser.get(address)).json()
    assert before["shift_s"] == 0
    moved = (await browser.post(address, json={"advance_s": 32 * shop.DAY_S})).json()
    assert moved["shift_s"] == 32 * shop.DAY_S
    assert moved["now"] >= before["now"] + 32 * shop.DAY_S
    assert moved["done"] >= 2, "a renewal, and its invoice"
    invoices = await api.v1.invoices.list_async({"subscription": subscription.id})
    assert [one.status for one in invoices.data] == ["paid", "paid"]
    assert (await browser.post(address, data={"advance_s": "3600"})).status_code == 303
    stand.restart()
    assert (await browser.get(address)).json()["shift_s"] == 32 * shop.DAY_S + 3600


@pytest.mark.parametrize(
    "given", ['{"advance_s": -5}', '{"advance_s": "soon"}', "{}", "[]", "no json", '{"advance_s": 1e12}']
)
async def test_the_shared_clock_never_runs_back(stand: Stand, browser: httpx.AsyncClient, given: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await browser.post(f"{stand.url}/sandbox/clock", content=given, headers=headers)
    assert answer.status_code == 422
    assert "advance_s" in answer.json()["error"]


async def test_a_subscription_on_a_test_clock_ignores_the_shared_one(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    clock = await shop.clock_now(api)
    subscription = await shop.subscribe(api, await shop.member(api, clock=clock.id), await shop.monthly(api))
    await browser.post(f"{stand.url}/sandbox/clock", json={"advance_s": 90 * shop.DAY_S})
    assert len((await api.v1.invoices.list_async({"subscription": subscription.id})).data) == 1
    with pytest.raises(stripe.InvalidRequestError, match="after the clock"):
        await api.v1.test_helpers.test_clocks.advance_async(clock.id, {"frozen_time": clock.frozen_time - 1})
    await api.v1.test_helpers.test_clocks.delete_async(clock.id)
    assert (await api.v1.subscriptions.retrieve_async(subscription.id)).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError):
        await api.v1.test_helpers.test_clocks.retrieve_async(clock.id)


async def test_two_changes_in_one_second_are_two_events_in_order(
    stand: Stand, api: stripe.StripeClient, receiver: Receiver
) -> None:
    await hook(api, receiver, "customer.updated")
    customer = await api.v1.customers.create_async()
    for name in ("A", "B"):
        await api.v1.customers.update_async(customer.id, {"name": name})
    until(lambda: len(receiver.got) == 2)
    names = {json.loads(body)["data"]["object"]["name"] for _, body in receiver.got}
    assert names == {"A", "B"}
    assert [one["data"]["object"]["name"] for one in stand.events()[1:]] == ["A", "B"]
