"""Who may call, in which version, and what an error or a repeated call looks like on the wire."""

import asyncio

import httpx
import pytest
import stripe

from sandbox.loopback import NotLoopback, require_loopback, require_loopback_url
from tests.sandbox.stands import KEY, Stand, connecting

AUTH = {"Authorization": f"Bearer {KEY}"}


async def test_a_call_without_a_key_is_401(stand: Stand, browser: httpx.AsyncClient) -> None:
    answer = await browser.get(f"{stand.url}/v1/customers")
    assert answer.status_code == 401
    assert "did not provide an API key" in answer.json()["error"]["message"]
    assert stand.contract.check_error(answer.json()) is None


@pytest.mark.parametrize("key", ["sk_live_limber", "pk_test_limber", "nonsense"])
async def test_only_test_keys_open_the_door(stand: Stand, key: str) -> None:
    async with connecting(stand.url, key) as client:
        with pytest.raises(stripe.AuthenticationError, match="Invalid API Key") as refused:
            await client.v1.customers.list_async()
    assert key not in str(refused.value)


async def test_another_api_version_is_refused_and_the_answer_names_ours(
    stand: Stand, browser: httpx.AsyncClient
) -> None:
    old = await browser.get(f"{stand.url}/v1/customers", headers={**AUTH, "Stripe-Version": "2020-08-27"})
    assert old.status_code == 400
    assert "2020-08-27" in old.json()["error"]["message"]
    ours = await browser.get(
        f"{stand.url}/v1/customers", headers={**AUTH, "Stripe-Version": "2026-05-27.dahlia"}
    )
    assert (ours.status_code, ours.headers["stripe-version"]) == (200, "2026-05-27.dahlia")
    assert ours.headers["request-id"].startswith("req_")


async def test_what_is_not_there_is_404_as_stripe_words_it(stand: Stand, api: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await api.v1.customers.retrieve_async("cus_nobody")
    error = refused.value
    assert (error.http_status, error.code, error.param) == (404, "resource_missing", "id")
    assert error.user_message == "No such customer: 'cus_nobody'"
    assert stand.contract.check_error(error.json_body) is None


async def test_what_a_parameter_names_and_is_not_there_is_400(api: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await api.v1.billing_portal.sessions.create_async({"customer": "cus_nobody"})
    assert (refused.value.http_status, refused.value.code) == (400, "resource_missing")


async def test_an_unknown_address_is_404_in_the_envelope(stand: Stand, browser: httpx.AsyncClient) -> None:
    answer = await browser.get(f"{stand.url}/v1/issuing/cards", headers=AUTH)
    assert answer.status_code == 404
    assert stand.contract.check_error(answer.json()) is None


async def test_a_declined_card_is_402_and_leaves_its_charge_behind(
    stand: Stand, api: stripe.StripeClient
) -> None:
    with pytest.raises(stripe.CardError) as declined:
        await api.v1.payment_intents.create_async(
            {
                "amount": 4900,
                "currency": "usd",
                "payment_method": "pm_card_chargeDeclinedInsufficientFunds",
                "confirm": True,
            }
        )
    error = declined.value
    assert (error.http_status, error.code) == (402, "card_declined")
    assert error.error is not None
    assert error.error.decline_code == "insufficient_funds"
    assert stand.contract.check_error(error.json_body) is None
    charges = await api.v1.charges.list_async()
    assert [(one.status, one.failure_code) for one in charges.data] == [("failed", "card_declined")]


@pytest.mark.parametrize(
    "body", ["email=a%40b.example&email[x]=1", "metadata[a=1", "[x]=1", "metadata[a][b]=1", "%ff%fe=1"]
)
async def test_a_malformed_form_is_400(stand: Stand, browser: httpx.AsyncClient, body: str) -> None:
    headers = {**AUTH, "Content-Type": "application/x-www-form-urlencoded"}
    answer = await browser.post(f"{stand.url}/v1/customers", content=body, headers=headers)
    assert answer.status_code == 400
    assert stand.types() == []


async def test_a_repeated_key_gives_the_first_answer_again_and_does_nothing(
    stand: Stand, browser: httpx.AsyncClient
) -> None:
    headers = {**AUTH, "Idempotency-Key": "join-7"}
    first = await browser.post(f"{stand.url}/v1/customers", data={"email": "a@b.example"}, headers=headers)
    again = await browser.post(f"{stand.url}/v1/customers", data={"email": "a@b.example"}, headers=headers)
    assert (first.status_code, again.json()) == (200, first.json())
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert stand.types() == ["customer.created"]
    stand.restart()
    later = await browser.post(f"{stand.url}/v1/customers", data={"email": "a@b.example"}, headers=headers)
    assert later.json() == first.json()


async def test_a_key_cannot_be_used_for_something_else(stand: Stand, api: stripe.StripeClient) -> None:
    await api.v1.customers.create_async({"email": "a@b.example"}, {"idempotency_key": "one"})
    with pytest.raises(stripe.IdempotencyError, match="same parameters"):
        await api.v1.customers.create_async({"email": "c@d.example"}, {"idempotency_key": "one"})


async def test_a_key_used_by_many_at_once_makes_one_object(stand: Stand, api: stripe.StripeClient) -> None:
    made = await asyncio.gather(
        *(
            api.v1.customers.create_async({"email": "a@b.example"}, {"idempotency_key": "one"})
            for _ in range(12)
        )
    )
    assert len({one.id for one in made}) == 1
    assert stand.types() == ["customer.created"]


async def test_a_decline_is_replayed_too(stand: Stand, api: stripe.StripeClient) -> None:
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            await api.v1.payment_intents.create_async(
                {
                    "amount": 100,
                    "currency": "usd",
                    "payment_method": "pm_card_chargeDeclined",
                    "confirm": True,
                },
                {"idempotency_key": "try"},
            )
    assert stand.types().count("charge.failed") == 1


async def test_a_refused_call_changes_nothing(stand: Stand, api: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        await api.v1.products.create_async(
            {"name": "Half", "default_price_data": {"currency": "dollars", "unit_amount": 5}}
        )
    assert stand.types() == []
    assert (await api.v1.products.list_async()).data == []


async def test_everything_is_there_after_a_restart(stand: Stand, api: stripe.StripeClient) -> None:
    customer = await api.v1.customers.create_async({"email": "a@b.example"})
    account = await api.v1.accounts.retrieve_current_async()
    stand.restart()
    async with connecting(stand.url) as client:
        assert (await client.v1.customers.retrieve_async(customer.id)).email == "a@b.example"
        assert (await client.v1.accounts.retrieve_current_async()).id == account.id
        assert [one.type for one in (await client.v1.events.list_async()).data] == ["customer.created"]


@pytest.mark.parametrize("host", ["evil.example", "192.0.2.7", "127.0.0.1.evil.example", "0.0.0.0"])
async def test_a_foreign_host_name_is_refused(stand: Stand, browser: httpx.AsyncClient, host: str) -> None:
    answer = await browser.get(f"{stand.url}/", headers={"Host": f"{host}:{stand.port}"})
    assert answer.status_code == 403


async def test_another_sites_form_is_refused(stand: Stand, browser: httpx.AsyncClient) -> None:
    answer = await browser.post(
        f"{stand.url}/sandbox/clock", data={"advance_s": "5"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403


def test_stand_ins_listen_and_send_on_loopback_only() -> None:
    for host in ("0.0.0.0", "::", "192.0.2.7", "limber.example", ""):
        with pytest.raises(NotLoopback):
            require_loopback(host)
    assert [require_loopback(host) for host in ("127.0.0.1", "::1", "localhost")] == [
        "127.0.0.1",
        "::1",
        "localhost",
    ]
    for url in (
        "https://example.com/hook",
        "ftp://127.0.0.1/",
        "http://127.0.0.1@evil.example/",
        "http:///x",
    ):
        with pytest.raises(NotLoopback):
            require_loopback_url(url)


async def test_a_webhook_to_another_machine_is_refused(api: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await api.v1.webhook_endpoints.create_async(
            {"url": "https://example.com/hook", "enabled_events": ["*"]}
        )
    assert refused.value.code == "url_invalid"
