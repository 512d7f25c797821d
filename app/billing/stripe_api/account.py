"""The account of our key: whose it is, everything in it, its webhook endpoints, and what it could not deliver."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.billing.mirror import storable
from app.billing.stripe_api.client import API_VERSION, client, in_our_words
from app.billing.stripe_api.customers import Customer

Json = dict[str, Any]

PAGE = 100


@dataclass(frozen=True)
class Endpoint:
    """A webhook endpoint as it is set up at Stripe. `api_version` None: the account's own."""

    url: str
    status: str
    api_version: str | None
    events: tuple[str, ...]


async def account_id() -> str:
    """Whose account our key opens."""
    with in_our_words():
        return str((await client().v1.accounts.retrieve_current_async()).id)


async def every_subscription() -> AsyncIterator[Json]:
    """Every subscription of the account, whatever its state, a page at a time."""
    with in_our_words():
        page = await client().v1.subscriptions.list_async({"status": "all", "limit": PAGE})
        async for one in page.auto_paging_iter():
            yield one.to_dict(for_json=True)


async def every_customer() -> AsyncIterator[Customer]:
    """Every customer of the account that was not deleted."""
    with in_our_words():
        page = await client().v1.customers.list_async({"limit": PAGE})
        async for one in page.auto_paging_iter():
            raw = one.to_dict(for_json=True)
            yield Customer(
                id=str(raw["id"]),
                livemode=bool(raw.get("livemode", False)),
                is_deleted=False,
                user_id=(raw.get("metadata") or {}).get("limber_user_id"),
                email=raw.get("email"),
                name=raw.get("name"),
            )


async def every_purchase() -> AsyncIterator[Json]:
    """Every finished Checkout session of the account that was paid once, with its `line_items` and intent."""
    with in_our_words():
        page = await client().v1.checkout.sessions.list_async(
            {"status": "complete", "limit": PAGE, "expand": ["data.line_items", "data.payment_intent"]}
        )
        async for one in page.auto_paging_iter():
            if one.mode == "payment":
                yield one.to_dict(for_json=True)


async def every_charge() -> AsyncIterator[Json]:
    """Every charge of the account that went through, with its `refunds`."""
    with in_our_words():
        page = await client().v1.charges.list_async({"limit": PAGE, "expand": ["data.refunds"]})
        async for one in page.auto_paging_iter():
            if one.status == "succeeded" and one.captured:
                yield one.to_dict(for_json=True)


async def endpoints() -> list[Endpoint]:
    """The webhook endpoints of the account."""
    with in_our_words():
        page = await client().v1.webhook_endpoints.list_async({"limit": PAGE})
        return [
            Endpoint(one.url, one.status, one.api_version, tuple(one.enabled_events))
            async for one in page.auto_paging_iter()
        ]


def endpoint_problem(found: list[Endpoint], url: str) -> str | None:
    """Why events do not arrive at this address as they should; None when they do. Pure."""
    ours = [one for one in found if one.url == url]
    if not ours:
        return f"no webhook endpoint points at {url}"
    enabled = [one for one in ours if one.status == "enabled"]
    if not enabled:
        return f"the webhook endpoint at {url} is disabled in Stripe"
    if all(one.api_version != API_VERSION for one in enabled):
        return f"the webhook endpoint at {url} is of API version {enabled[0].api_version}, not {API_VERSION}"
    return None


async def undelivered(since: datetime) -> list[Json]:
    """Events since then that no endpoint has taken yet; Stripe keeps them for 30 days.

    Source: https://docs.stripe.com/webhooks/process-undelivered-events
    """
    with in_our_words():
        page = await client().v1.events.list_async(
            {"delivery_success": False, "created": {"gte": int(since.timestamp())}, "limit": PAGE}
        )
        return [storable(one.to_dict(for_json=True)) async for one in page.auto_paging_iter()]
