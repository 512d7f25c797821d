"""Stripe, as Limber talks to it: the only module that imports `stripe`, in one pinned version of its API."""

import asyncio
import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID
from weakref import WeakKeyDictionary

import httpx
import stripe

from app.billing.mirror import id_of, instant
from app.errors import BadInput, Unavailable
from app.i18n import _
from app.settings import LOOPBACK, get_settings

API_VERSION = "2026-05-27.dahlia"
assert stripe.api_version == API_VERSION, f"stripe speaks {stripe.api_version}, Limber {API_VERSION}"
# Telemetry would tell Stripe about this machine with every call.
stripe.enable_telemetry = False

TOLERANCE_S = 300
_TIMEOUT_S = 10.0
_CONNECT_S = 4.0
_RETRIES = 2

log = logging.getLogger("limber.billing")


class StripeDown(Unavailable):
    """Stripe cannot be reached, is busy, or refuses our key: nothing is known, trying again can help."""

    code = "stripe-down"

    def default_sentence(self) -> str:
        return _("The payment service does not answer at the moment. Please try again in a minute.")


class StripeRefused(Unavailable):
    """Stripe understood and said no: `reason` is its code (`resource_missing`, `idempotency`, …)."""

    code = "stripe-refused"

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(_("The payment service did not accept this. Nothing was charged."))
        self.reason = reason
        self.detail = detail

    @property
    def is_missing(self) -> bool:
        return self.reason == "resource_missing"


class BadSignature(BadInput):
    """A webhook that Stripe did not sign with one of our secrets, or not just now."""

    status = 400
    code = "bad-signature"

    def default_sentence(self) -> str:
        return _("The signature of this event is not valid.")


@dataclass(frozen=True)
class Customer:
    id: str
    livemode: bool
    is_deleted: bool
    user_id: str | None


@dataclass(frozen=True)
class CheckoutSession:
    """`status` is open, complete or expired; `url` is there while it is open."""

    id: str
    status: str
    url: str | None
    expires_at: datetime | None


@dataclass(frozen=True)
class CheckoutOrder:
    """What a Checkout session sells. Equal orders with one `attempt_id` are one session, however often asked for."""

    attempt_id: UUID
    user_id: UUID
    customer_id: str
    price_id: str
    trial_days: int
    success_url: str
    cancel_url: str


_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[tuple[str, str], stripe.StripeClient]] = (
    WeakKeyDictionary()
)


def is_live_key(key: str) -> bool:
    return key.startswith(("sk_live_", "rk_live_"))


def _client() -> stripe.StripeClient:
    """The client of this event loop (its connections belong to the loop), made anew when the settings change."""
    settings = get_settings()
    if not settings.stripe_secret_key:
        raise Unavailable(_("Buying is not switched on here yet."))
    loop = asyncio.get_running_loop()
    wanted = (settings.stripe_secret_key, settings.stripe_api_base)
    known = _clients.get(loop)
    if known is not None and known[0] == wanted:
        return known[1]
    transport = stripe.HTTPXClient(timeout=httpx.Timeout(_TIMEOUT_S, connect=_CONNECT_S))
    if urlsplit(settings.stripe_api_base).hostname in LOOPBACK:
        # The stand-in is on this machine: a proxy named by the environment could not reach it.
        transport._client_async = httpx.AsyncClient(trust_env=False)
    client = stripe.StripeClient(
        settings.stripe_secret_key,
        stripe_version=API_VERSION,
        base_addresses={"api": settings.stripe_api_base},
        max_network_retries=_RETRIES,
        http_client=transport,
    )
    _clients[loop] = (wanted, client)
    return client


async def close() -> None:
    """Close this loop's connections."""
    known = _clients.pop(asyncio.get_running_loop(), None)
    if known is not None:
        transport = known[1]._requestor._client
        if transport is not None:
            await transport.close_async()  # type: ignore[no-untyped-call]  # the library's own gap


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except stripe.IdempotencyError as fault:
        raise StripeRefused("idempotency", str(fault)) from fault
    except stripe.InvalidRequestError as fault:
        if fault.code != "resource_missing":
            log.error("stripe refused %s: %s", fault.code, fault.user_message)
        raise StripeRefused(fault.code or "invalid", str(fault)) from fault
    except (stripe.AuthenticationError, stripe.PermissionError) as fault:
        log.error("stripe refuses our key: %s", fault.user_message)
        raise StripeDown from fault
    except stripe.StripeError as fault:
        log.warning("stripe: %s %s", type(fault).__name__, fault.http_status)
        raise StripeDown from fault


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


async def create_customer(user_id: UUID, email: str, name: str, *, replacing: str | None = None) -> Customer:
    """The member's customer at Stripe. Asked twice within a day, Stripe answers with the same one."""
    with _in_our_words():
        made = await _client().v1.customers.create_async(
            {"email": email, "name": name, "metadata": {"limber_user_id": str(user_id)}},
            {"idempotency_key": f"limber-customer-{user_id}-{_digest(email, name, replacing or '')}"},
        )
    return Customer(made.id, made.livemode, False, str(user_id))


async def find_customer(customer_id: str) -> Customer | None:
    """The customer, a deleted one marked as such; None when this account has none of that id."""
    try:
        with _in_our_words():
            found = (await _client().v1.customers.retrieve_async(customer_id)).to_dict()
    except StripeRefused as refusal:
        if refusal.is_missing:
            return None
        raise
    return Customer(
        id=str(found["id"]),
        livemode=bool(found.get("livemode", False)),
        is_deleted=bool(found.get("deleted", False)),
        user_id=(found.get("metadata") or {}).get("limber_user_id"),
    )


async def list_subscriptions(customer_id: str) -> list[dict[str, Any]]:
    """Every subscription that the customer has or had, over all pages, as plain dicts.

    Raises:
        StripeRefused: `resource_missing` for a customer that is not (or no longer) there.
    """
    with _in_our_words():
        page = await _client().v1.subscriptions.list_async(
            {"customer": customer_id, "status": "all", "limit": 100}
        )
        return [one.to_dict(for_json=True) async for one in page.auto_paging_iter()]


async def first_unpaid_at(subscription_id: str) -> datetime | None:
    """When the oldest invoice was opened that this subscription still owes; None when it owes none."""
    with _in_our_words():
        page = await _client().v1.invoices.list_async(
            {"subscription": subscription_id, "status": "open", "limit": 100}
        )
        found = [one.to_dict() async for one in page.auto_paging_iter()]
    opened = [
        one["status_transitions"]["finalized_at"] or one["created"] for one in found if one["attempted"]
    ]
    return instant(min(opened, default=None))


def _checkout(session: Any) -> CheckoutSession:
    raw = session.to_dict()
    return CheckoutSession(str(raw["id"]), str(raw["status"]), raw.get("url"), instant(raw.get("expires_at")))


async def create_checkout(order: CheckoutOrder) -> CheckoutSession:
    """A page of Stripe's on which this order can be paid.

    Source: https://docs.stripe.com/api/checkout/sessions/create
    Raises:
        StripeRefused: `idempotency` when the attempt was used for another order before.
    """
    ours = {"limber_user_id": str(order.user_id), "limber_attempt_id": str(order.attempt_id)}
    subscription: dict[str, Any] = {"metadata": ours}
    if order.trial_days:
        subscription["trial_period_days"] = order.trial_days
    params: Any = {
        "mode": "subscription",
        "customer": order.customer_id,
        "client_reference_id": str(order.user_id),
        "line_items": [{"price": order.price_id, "quantity": 1}],
        "subscription_data": subscription,
        "metadata": ours,
        "success_url": order.success_url,
        "cancel_url": order.cancel_url,
    }
    key = {"idempotency_key": f"limber-checkout-{order.attempt_id}"}
    with _in_our_words():
        return _checkout(await _client().v1.checkout.sessions.create_async(params, key))  # type: ignore[arg-type]


async def find_checkout(session_id: str) -> CheckoutSession | None:
    """The session as it is now, or None when Stripe has forgotten it (another account, another mode)."""
    try:
        with _in_our_words():
            return _checkout(await _client().v1.checkout.sessions.retrieve_async(session_id))
    except StripeRefused as refusal:
        if refusal.is_missing:
            return None
        raise


async def expire_checkout(session_id: str) -> str:
    """Close an open session, so that nobody can pay it any more; answers its status, `complete` when too late."""
    try:
        with _in_our_words():
            return _checkout(await _client().v1.checkout.sessions.expire_async(session_id)).status
    except StripeRefused:
        # Stripe refuses for every session that is not open; which of the two it is decides what follows.
        found = await find_checkout(session_id)
        return "expired" if found is None else found.status


async def create_portal(customer_id: str, return_url: str) -> str:
    """Address of a page of Stripe's where the customer changes the card, sees invoices, cancels."""
    with _in_our_words():
        made = await _client().v1.billing_portal.sessions.create_async(
            {"customer": customer_id, "return_url": return_url}
        )
    return str(made.url)


async def put_product(plan_id: UUID, name: str, description: str, product_id: str | None) -> str:
    """Create or rename the product of a plan; answers its id."""
    words: dict[str, Any] = {"name": name}
    if description:
        words["description"] = description
    with _in_our_words():
        if product_id is not None:
            return str((await _client().v1.products.update_async(product_id, words)).id)  # type: ignore[arg-type]
        made = await _client().v1.products.create_async(
            {**words, "metadata": {"limber_plan_id": str(plan_id)}},  # type: ignore[typeddict-item]
            {"idempotency_key": f"limber-product-{plan_id}-{_digest(name, description)}"},
        )
    return str(made.id)


async def create_price(
    plan_id: UUID, product_id: str, amount_cents: int, currency: str, interval: str
) -> str:
    """A recurring price of a product. `amount_cents` is in the currency's minor unit, `interval` month or year."""
    with _in_our_words():
        made = await _client().v1.prices.create_async(
            {
                "product": product_id,
                "unit_amount": amount_cents,
                "currency": currency,
                "recurring": {"interval": interval},  # type: ignore[typeddict-item]  # month or year, by constraint
                "metadata": {"limber_plan_id": str(plan_id)},
            },
            {"idempotency_key": f"limber-price-{product_id}-{amount_cents}-{currency}-{interval}"},
        )
    return str(made.id)


def verify(raw: bytes, header: str, secrets: tuple[str, ...], now: datetime) -> None:
    """Check that Stripe signed exactly these bytes with one of our secrets, within 300 s of now, either way.

    Source: https://docs.stripe.com/webhooks#verify-manually
    Raises:
        BadSignature: for anything else; also when we have no secret.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise BadSignature from fault
    # The library compares text, which Python does in constant time for ASCII only and refuses for anything else.
    if not header.isascii():
        raise BadSignature
    for secret in filter(None, secrets):
        try:
            stripe.WebhookSignature.verify_header(text, header, secret, TOLERANCE_S)  # type: ignore[no-untyped-call]
        except stripe.SignatureVerificationError:
            continue
        # The library lets signatures from the future pass; they would keep for ever.
        signed_at = int(next(part for part in header.split(",") if part.startswith("t="))[2:])
        if signed_at > now.timestamp() + TOLERANCE_S:
            raise BadSignature
        return
    raise BadSignature


def customer_of(thing: dict[str, Any]) -> str | None:
    """The customer that an object of an event belongs to, or is."""
    if thing.get("object") == "customer":
        return str(thing["id"])
    owner = thing.get("customer")
    return id_of(owner) if isinstance(owner, str | dict) else None
