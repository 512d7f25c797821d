"""Stripe's own CLI plays its scripts against the stand-in, and what they cause arrives signed.

The scripts are Stripe's: nobody here wrote them, so they judge the stand-in as its document does.
Source: https://docs.stripe.com/cli/trigger
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
import stripe
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.stripe.resources.webhook_endpoints import register
from sandbox.stripe.world import World, default_now
from tests.sandbox.contract import StripeContract
from tests.sandbox.official import IS_THERE, trigger
from tests.sandbox.stands import Served, Stand, until

pytestmark = [
    pytest.mark.skipif(not IS_THERE, reason="Stripe's CLI is locked for Linux on x64 only"),
    # One worker plays them all, on both its stages; several would each play all of them.
    pytest.mark.xdist_group("official-cli"),
]

SECRET = "whsec_official_cli"

# Not among them: scripts older than Stripe's document, which refuses their parameters (`coupon` of a promotion
# code or a customer, `iterations` of a schedule's phase), and those for what nobody here sells.
SCRIPTS = (
    "charge.captured",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.failed",
    "charge.refunded",
    "charge.succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
    "coupon.created",
    "credit_note.created",
    "customer.created",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated",
    "invoice.finalized",
    "invoice.marked_uncollectible",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.payment_succeeded",
    "invoice.voided",
    "invoiceitem.created",
    "payment_intent.canceled",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "payment_method.attached",
    "payment_method.updated",
    "setup_intent.requires_action",
    "setup_intent.setup_failed",
    "setup_intent.succeeded",
    "tax_rate.created",
    "test_helpers.test_clock.advancing",
)
# What these are about, those above pass through already.
MORE = (
    "charge.refund.updated",
    "credit_note.updated",
    "credit_note.voided",
    "coupon.deleted",
    "coupon.updated",
    "customer.deleted",
    "customer.updated",
    "invoice.created",
    "invoice.deleted",
    "invoice.sent",
    "invoice.updated",
    "invoiceitem.deleted",
    "payment_intent.created",
    "payment_method.detached",
    "price.created",
    "price.updated",
    "product.created",
    "product.deleted",
    "product.updated",
    "setup_intent.canceled",
    "setup_intent.created",
    "tax_rate.updated",
    "test_helpers.test_clock.created",
)


@dataclass
class Believer:
    """A receiver that takes only what Stripe's own library believes to be Stripe's."""

    types: list[str] = field(default_factory=list)
    refused: int = 0

    async def take(self, request: Request) -> Response:
        """POST /hook"""
        try:
            event = stripe.Webhook.construct_event(  # type: ignore[no-untyped-call]
                await request.body(), request.headers["stripe-signature"], SECRET
            )
        except (ValueError, KeyError, stripe.SignatureVerificationError):
            self.refused += 1
            return Response(status_code=400)
        self.types.append(event.type)
        return Response()


@dataclass(frozen=True)
class Performance:
    """What came of a script: the CLI's exit status and words, what it caused here, and what arrived."""

    status: int
    words: str
    caused: list[str]
    arrived: list[str]
    refused: int


class Stage:
    """One stand-in and one receiver for many scripts, one after the other: each makes what it needs."""

    def __init__(self, folder: Path, contract: StripeContract) -> None:
        self._home = folder
        self._believer = Believer()
        self._served = Served(Starlette(routes=[Route("/hook", self._believer.take, methods=["POST"])]))
        self.stand = Stand(folder / "stripe.sqlite", contract)
        with self.stand.store.transaction():
            now = default_now(self.stand.store)
            register(World(self.stand.store, now, now, ""), f"{self._served.url}/hook", SECRET)

    def stop(self) -> None:
        """Stop both."""
        self.stand.stop()
        self._served.stop()

    def perform(self, script: str) -> Performance:
        """Run a script, and wait until all that it caused has arrived."""
        before = len(self.stand.types())
        status, words = trigger(script, self.stand.url, self._home)
        if status == 0:
            # Some of what a script wants is done by the clock, a moment later.
            until(lambda: script in self.stand.types()[before:])
        caused = self.stand.types()[before:]
        until(lambda: len(self._believer.types) + self._believer.refused >= before + len(caused))
        arrived = self._believer.types[before : before + len(caused)]
        return Performance(status, words, caused, arrived, self._believer.refused)


def _params(item: pytest.Item) -> dict[str, Any]:
    return item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}


@pytest.fixture(scope="module")
def performances(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, contract: StripeContract
) -> Iterator[dict[str, Future[Performance]]]:
    """Every script that a selected test asks about, on a stage for each core, begun at once: most of a script's
    time is the CLI's own start."""
    items = request.session.items
    wanted = [
        params["script"] for one in items if "script" in (params := _params(one)) and one.path == request.path
    ]
    stages: SimpleQueue[Stage] = SimpleQueue()
    both = [Stage(tmp_path_factory.mktemp("official-cli"), contract) for _ in range(2)]
    for stage in both:
        stages.put(stage)

    def perform(script: str) -> Performance:
        stage = stages.get()
        try:
            return stage.perform(script)
        finally:
            stages.put(stage)

    with ThreadPoolExecutor(len(both)) as pool:
        yield {script: pool.submit(perform, script) for script in wanted}
    events = [one for stage in both for one in stage.stand.events()]
    for stage in both:
        stage.stop()
    complaints = {f"{one['type']}: {wrong}" for one in events if (wrong := contract.check_event(one))}
    assert not complaints, "\n".join(sorted(complaints))


@pytest.mark.parametrize("script", [*SCRIPTS, *(pytest.param(one, marks=pytest.mark.long) for one in MORE)])
def test_an_official_script_succeeds_and_its_event_arrives_signed(
    performances: dict[str, Future[Performance]], script: str
) -> None:
    seen = performances[script].result()
    assert seen.status == 0, seen.words
    assert script in seen.caused
    assert sorted(seen.arrived) == sorted(seen.caused)
    assert seen.refused == 0


def test_there_are_enough_scripts() -> None:
    assert len(set(SCRIPTS)) >= 32
