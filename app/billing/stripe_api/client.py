"""The client of Stripe's API, in one pinned version, and its errors in our words."""

import asyncio
import hashlib
import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import httpx
import stripe

from app.clock import utcnow
from app.errors import Unavailable
from app.i18n import _
from app.settings import LOOPBACK, get_settings

API_VERSION = "2026-05-27.dahlia"
assert stripe.api_version == API_VERSION, f"stripe speaks {stripe.api_version}, Limber {API_VERSION}"
# Telemetry would tell Stripe about this machine with every call.
stripe.enable_telemetry = False

_TIMEOUT_S = 10.0
_CONNECT_S = 4.0
_RETRIES = 2
# It trusts nobody, for plain HTTP. Otherwise each new client reads the certificates of all authorities: 50 ms.
_PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

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


_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[tuple[str, str], stripe.StripeClient]] = (
    WeakKeyDictionary()
)


def is_live_key(key: str) -> bool:
    return key.startswith(("sk_live_", "rk_live_"))


def client() -> stripe.StripeClient:
    """The client of this event loop (its connections belong to the loop), made anew when the settings change."""
    settings = get_settings()
    if not settings.stripe_secret_key:
        raise Unavailable(_("Buying is not switched on here yet."))
    loop = asyncio.get_running_loop()
    wanted = (settings.stripe_secret_key, settings.stripe_api_base)
    known = _clients.get(loop)
    if known is not None and known[0] == wanted:
        return known[1]
    is_here = urlsplit(settings.stripe_api_base).hostname in LOOPBACK
    transport = stripe.HTTPXClient(
        timeout=httpx.Timeout(_TIMEOUT_S, connect=_CONNECT_S), verify_ssl_certs=not is_here
    )
    if is_here:
        transport._client_async = _to_stand_in()
    client = stripe.StripeClient(
        settings.stripe_secret_key,
        stripe_version=API_VERSION,
        base_addresses={"api": settings.stripe_api_base},
        max_network_retries=_RETRIES,
        http_client=transport,
    )
    _clients[loop] = (wanted, client)
    return client


def _to_stand_in() -> httpx.AsyncClient:
    """It is on this machine: a proxy named by the environment could not reach it."""
    return httpx.AsyncClient(trust_env=False, verify=_PLAIN)


async def close() -> None:
    """Close this loop's connections."""
    known = _clients.pop(asyncio.get_running_loop(), None)
    if known is not None:
        transport = known[1]._requestor._client
        if transport is not None:
            await transport.close_async()  # type: ignore[no-untyped-call]  # the library's own gap


async def moment() -> datetime:
    """What time it is at Stripe: ours, but in the demo the stand-in's, whose clock people move.

    Raises:
        StripeDown: when the stand-in does not answer.
    """
    settings = get_settings()
    if not settings.is_demo:
        return utcnow()
    try:
        async with _to_stand_in() as stand_in:
            told = await stand_in.get(f"{settings.stripe_api_base}/sandbox/clock", timeout=_TIMEOUT_S)
            return datetime.fromtimestamp(int(told.raise_for_status().json()["now"]), UTC)
    except (httpx.HTTPError, KeyError, ValueError) as fault:
        raise StripeDown from fault


@contextmanager
def in_our_words() -> Iterator[None]:
    try:
        yield
    except stripe.IdempotencyError as fault:
        raise StripeRefused("idempotency", str(fault)) from fault
    except stripe.InvalidRequestError as fault:
        if fault.code != "resource_missing":
            log.error("stripe refused %s: %s", fault.code, fault.user_message)
        raise StripeRefused(fault.code or "invalid", str(fault)) from fault
    except stripe.CardError as fault:
        # The bank's no is an answer, not an outage.
        raise StripeRefused(fault.code or "card_declined", str(fault)) from fault
    except (stripe.AuthenticationError, stripe.PermissionError) as fault:
        log.error("stripe refuses our key: %s", fault.user_message)
        raise StripeDown from fault
    except stripe.StripeError as fault:
        log.warning("stripe: %s %s", type(fault).__name__, fault.http_status)
        raise StripeDown from fault


def digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
