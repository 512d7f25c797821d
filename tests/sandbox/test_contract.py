"""The document and the three places that name its version agree, and the judge does judge."""

import copy
from typing import Any

import pytest
import stripe

from app.billing.stripe_api import API_VERSION as APP_VERSION
from sandbox.stripe import API_VERSION
from sandbox.stripe.app import operations
from tests.sandbox.contract import StripeContract
from tests.sandbox.shop import member, monthly, subscribe
from tests.sandbox.stands import Stand


def test_library_app_stand_in_and_document_speak_one_version(contract: StripeContract) -> None:
    assert {stripe.api_version, APP_VERSION, API_VERSION, contract.version} == {"2026-05-27.dahlia"}


def test_every_operation_of_the_stand_in_is_one_of_stripes(contract: StripeContract) -> None:
    unknown = [
        f"{method} {template}" for method, template, _ in operations() if not contract.knows(method, template)
    ]
    assert unknown == []


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"email": "a@example.com", "colour": "red"}, "colour"),
        ({"invoice_settings": {"default_card": "pm_1"}}, "default_card"),
        ({"balance": "much"}, "balance"),
        ({"tax_exempt": "perhaps"}, "tax_exempt"),
        ({"preferred_locales": {"x": "en"}}, "preferred_locales"),
    ],
)
def test_the_judge_refuses_wrong_parameters(contract: StripeContract, form: Any, words: str) -> None:
    complaint = contract.check_request("POST", "/v1/customers", {}, form)
    assert complaint is not None
    assert words in complaint


def test_the_judge_takes_right_parameters(contract: StripeContract) -> None:
    form = {"balance": "-5", "metadata": {"user": "7"}, "address": "", "expand": ["subscriptions"]}
    assert contract.check_request("POST", "/v1/customers", {}, form) is None
    assert contract.check_request("GET", "/v1/customers", {"limit": "3", "created": {"gte": "5"}}, {}) is None
    assert contract.check_request("GET", "/v1/customers", {"limit": "some"}, {}) is not None
    assert contract.check_request("GET", "/v1/customers", {"sort": "name"}, {}) is not None


async def test_the_judge_refuses_wrong_objects(stand: Stand, api: stripe.StripeClient) -> None:
    await subscribe(api, await member(api), await monthly(api))
    event = next(one for one in stand.events() if one["type"] == "customer.subscription.created")
    for path, value in (
        (("type",), "customer.subscription.rejoiced"),
        (("data", "object", "status"), "rejoicing"),
        (("data", "object", "current_period_end"), 5),
        (("data", "object", "items", "data", 0, "price", "unit_amount"), "19.00"),
    ):
        wrong: Any = copy.deepcopy(event)
        node = wrong
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = value
        assert stand.contract.check_event(wrong) is not None, path


async def test_a_call_that_stripe_would_not_know_is_refused(stand: Stand, api: stripe.StripeClient) -> None:
    wrong: Any = {"colour": "red"}
    with pytest.raises(stripe.InvalidRequestError, match="colour") as refused:
        await api.v1.customers.create_async(wrong)
    assert refused.value.http_status == 400
