"""Customers, products and prices through the real library."""

import pytest
import stripe

from tests.sandbox.shop import member, monthly, once
from tests.sandbox.stands import Stand


async def test_a_customer_is_made_changed_found_and_deleted(stand: Stand, api: stripe.StripeClient) -> None:
    made = await api.v1.customers.create_async(
        {"email": "member@example.com", "name": "Noelani", "metadata": {"user": "7", "old": "x"}}
    )
    await api.v1.customers.update_async(made.id, {"metadata": {"old": "", "new": "y"}, "name": "Leilani"})
    again = await api.v1.customers.retrieve_async(made.id)
    assert (again.name, again.email, again.metadata and again.metadata.to_dict()) == (
        "Leilani",
        "member@example.com",
        {"user": "7", "new": "y"},
    )
    found = await api.v1.customers.search_async(
        {"query": "metadata['user']:'7' AND email:'member@example.com'"}
    )
    assert [one.id for one in found.data] == [made.id]
    assert (await api.v1.customers.delete_async(made.id)).deleted
    gone = await api.v1.customers.retrieve_async(made.id)
    assert gone.to_dict() == {"id": made.id, "object": "customer", "deleted": True}
    assert (await api.v1.customers.list_async()).data == []
    assert stand.types() == ["customer.created", "customer.updated", "customer.deleted"]
    changed = stand.events()[1]["data"]["previous_attributes"]
    assert changed == {"metadata": {"old": "x", "new": None}, "name": "Noelani"}


async def test_a_wrong_email_is_refused(api: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await api.v1.customers.create_async({"email": "nobody"})
    assert (refused.value.code, refused.value.param) == ("email_invalid", "email")


async def test_a_product_lives_and_only_one_without_prices_can_be_deleted(
    stand: Stand, api: stripe.StripeClient
) -> None:
    product = await api.v1.products.create_async(
        {
            "name": "Membership",
            "description": "All courses",
            "metadata": {"plan": "all"},
            "default_price_data": {
                "currency": "usd",
                "unit_amount": 1900,
                "recurring": {"interval": "month"},
            },
        }
    )
    assert isinstance(product.default_price, str)
    await api.v1.products.update_async(product.id, {"name": "Full membership", "active": False})
    listed = await api.v1.products.list_async({"active": False})
    assert [one.name for one in listed.data] == ["Full membership"]
    assert (await api.v1.products.list_async({"active": True})).data == []
    with pytest.raises(stripe.InvalidRequestError, match="user-created prices"):
        await api.v1.products.delete_async(product.id)
    bare = await api.v1.products.create_async({"name": "Nothing yet"})
    assert (await api.v1.products.delete_async(bare.id)).deleted
    assert "product.deleted" in stand.types()


async def test_a_price_keeps_its_amount_and_moves_its_lookup_key(api: stripe.StripeClient) -> None:
    product = await api.v1.products.create_async({"name": "Membership"})
    first = await api.v1.prices.create_async(
        {
            "product": product.id,
            "currency": "USD",
            "unit_amount": 1900,
            "lookup_key": "monthly",
            "recurring": {"interval": "month"},
            "nickname": "Monthly",
        }
    )
    assert (first.type, first.unit_amount, first.currency) == ("recurring", 1900, "usd")
    with pytest.raises(stripe.InvalidRequestError, match="lookup key"):
        await api.v1.prices.create_async(
            {"product": product.id, "currency": "usd", "unit_amount": 2100, "lookup_key": "monthly"}
        )
    second = await api.v1.prices.create_async(
        {
            "product": product.id,
            "currency": "usd",
            "unit_amount": 2100,
            "lookup_key": "monthly",
            "transfer_lookup_key": True,
        }
    )
    found = await api.v1.prices.list_async({"lookup_keys": ["monthly"], "expand": ["data.product"]})
    assert [one.id for one in found.data] == [second.id]
    assert isinstance(found.data[0].product, stripe.Product)
    assert found.data[0].product.name == "Membership"
    await api.v1.prices.update_async(first.id, {"active": False})
    assert not (await api.v1.prices.retrieve_async(first.id)).active


async def test_a_yen_price_is_whole_yen(api: stripe.StripeClient) -> None:
    price = await api.v1.prices.create_async(
        {"currency": "jpy", "unit_amount": 2500, "product_data": {"name": "会員"}}
    )
    assert (price.unit_amount, price.type, price.recurring) == (2500, "one_time", None)


async def test_pages_are_newest_first_and_lead_on(api: stripe.StripeClient) -> None:
    made = [(await api.v1.customers.create_async({"name": str(number)})).id for number in range(7)]
    first = await api.v1.customers.list_async({"limit": 3})
    assert ([one.id for one in first.data], first.has_more) == (made[:3:-1], True)
    walked = [one.id async for one in first.auto_paging_iter()]
    assert walked == made[::-1]
    last = await api.v1.customers.list_async({"limit": 3, "starting_after": made[1]})
    assert ([one.id for one in last.data], last.has_more) == ([made[0]], False)
    back = await api.v1.customers.list_async({"limit": 2, "ending_before": made[2]})
    assert ([one.id for one in back.data], back.has_more) == ([made[4], made[3]], True)


@pytest.mark.parametrize("limit", [0, 101])
async def test_a_page_of_an_impossible_length_is_refused(api: stripe.StripeClient, limit: int) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="between 1 and 100"):
        await api.v1.customers.list_async({"limit": limit})


async def test_a_cursor_that_names_nothing_is_refused(api: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await api.v1.customers.list_async({"starting_after": "cus_nobody"})
    assert (refused.value.http_status, refused.value.param) == (400, "starting_after")


async def test_what_a_call_asks_for_is_expanded_four_levels_deep(api: stripe.StripeClient) -> None:
    customer = await member(api)
    price = await monthly(api)
    subscription = await api.v1.subscriptions.create_async(
        {
            "customer": customer.id,
            "items": [{"price": price.id}],
            "expand": ["customer.invoice_settings.default_payment_method", "latest_invoice.payments"],
        }
    )
    assert isinstance(subscription.customer, stripe.Customer)
    assert isinstance(subscription.latest_invoice, stripe.Invoice)
    assert subscription.latest_invoice.payments is not None
    method = subscription.customer.invoice_settings.default_payment_method  # type: ignore[union-attr]
    assert isinstance(method, stripe.PaymentMethod)
    again = await api.v1.subscriptions.retrieve_async(subscription.id)
    assert isinstance(again.customer, str), "an answer's expansion must not be kept"
    with pytest.raises(stripe.InvalidRequestError, match="more than 4 levels"):
        await api.v1.subscriptions.retrieve_async(subscription.id, {"expand": ["a.b.c.d.e"]})


@pytest.mark.parametrize("path", ["email", "id", "no_such_field", "metadata.user"])
async def test_a_property_that_is_no_reference_cannot_be_expanded(
    api: stripe.StripeClient, path: str
) -> None:
    customer = await api.v1.customers.create_async({"email": "a@example.com", "metadata": {"user": "7"}})
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        await api.v1.customers.retrieve_async(customer.id, {"expand": [path]})


async def test_a_price_that_is_paid_once_cannot_be_subscribed_to(api: stripe.StripeClient) -> None:
    customer, price = await member(api), await once(api)
    with pytest.raises(stripe.InvalidRequestError, match="one_time"):
        await api.v1.subscriptions.create_async({"customer": customer.id, "items": [{"price": price.id}]})
