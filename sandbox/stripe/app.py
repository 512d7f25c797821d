"""The stand-in as one Starlette application: the API, the hosted pages, and time passing in the background."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.loopback import LoopbackOnly
from sandbox.stripe.api import Api, Contract, Operation
from sandbox.stripe.deliveries import RETRY_DELAYS_S, Deliverer
from sandbox.stripe.due import run_due
from sandbox.stripe.pages.checkout_page import CheckoutPage
from sandbox.stripe.pages.desk import Desk
from sandbox.stripe.pages.invoice_page import InvoicePage
from sandbox.stripe.pages.portal_page import PortalPage
from sandbox.stripe.resources import (
    account,
    charges,
    checkout_sessions,
    coupons,
    credit_notes,
    customers,
    disputes,
    events,
    invoice_drafts,
    invoice_previews,
    invoices,
    payment_intents,
    payment_methods,
    payment_pages,
    portal,
    prices,
    products,
    promotion_codes,
    refunds,
    schedules,
    setup_intents,
    subscriptions,
    tax_rates,
    test_clocks,
    webhook_endpoints,
)
from sandbox.stripe.store import Store

TICK_S = 1.0

log = logging.getLogger(__name__)

_FAMILIES = (
    account,
    charges,
    checkout_sessions,
    coupons,
    credit_notes,
    customers,
    disputes,
    events,
    invoice_drafts,
    invoice_previews,
    invoices,
    payment_intents,
    payment_methods,
    portal,
    prices,
    products,
    promotion_codes,
    refunds,
    schedules,
    setup_intents,
    subscriptions,
    tax_rates,
    test_clocks,
    webhook_endpoints,
)


def operations() -> list[Operation]:
    """Every operation of the API: method, path template, handler."""
    return [operation for family in _FAMILIES for operation in family.OPERATIONS]


def create_app(
    store: Store,
    *,
    contract: Contract | None = None,
    retry_delays_s: tuple[float, ...] = RETRY_DELAYS_S,
    tick_s: float = TICK_S,
    real_now: Callable[[], float] = time.time,
) -> Starlette:
    """The application over a store, which stays the caller's to close. `contract` judges every call and
    answer; `tick_s` is how often the default clock is looked at; `real_now` gives Unix seconds."""
    deliverer = Deliverer(store, retry_delays_s)
    api = Api(store, real_now, deliverer.wake, contract)

    async def tick() -> None:
        while True:
            await asyncio.sleep(tick_s)
            try:
                with store.transaction():
                    world = api.world("")
                    done = run_due(world, world.now)
            except Exception:
                # One object that cannot go on is undone and said; the others' time must not stop for it.
                log.exception("What is due could not be done")
                continue
            if done:
                deliverer.wake()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(deliverer.run()), asyncio.create_task(tick())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    routes = [
        *api.routes(operations()),
        *Api(store, real_now, deliverer.wake).routes(payment_pages.OPERATIONS),
        *CheckoutPage(api).routes(),
        *PortalPage(api).routes(),
        *InvoicePage(api).routes(),
        *Desk(api).routes(),
        Route("/{path:path}", _unrecognized, methods=["GET", "POST", "DELETE"]),
    ]
    return Starlette(routes=routes, middleware=[Middleware(LoopbackOnly)], lifespan=lifespan)


async def _unrecognized(request: Request) -> Response:
    message = f"Unrecognized request URL ({request.method}: {request.url.path}). This stand-in does not know it (yet)."
    return JSONResponse({"error": {"message": message, "type": "invalid_request_error"}}, 404)
