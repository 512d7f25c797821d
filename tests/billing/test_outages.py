"""Stripe answers badly: nothing is marked done, nothing is taken away, and it heals when Stripe does."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.billing import stripe_api
from app.settings import get_settings
from tests.billing import till as tills
from tests.billing.till import LESSON, Till
from tests.sandbox.stands import Served

LIMITED = json.dumps(
    {"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "Slow down."}}
)
BROKEN = json.dumps({"error": {"type": "api_error", "message": "Sorry."}})
NO_KEY = json.dumps({"error": {"type": "invalid_request_error", "message": "Invalid API Key provided."}})
ANSWERS = {
    "too many requests": (429, LIMITED),
    "an error of its own": (500, BROKEN),
    "maintenance, in HTML": (503, "<html>Back soon</html>"),
    "a refused key": (401, NO_KEY),
    "a page instead of JSON": (200, "<html>Log in to the hotel's network</html>"),
}


@contextmanager
def answering(status: int, body: str, monkeypatch: pytest.MonkeyPatch, back_to: str) -> Iterator[list[str]]:
    """Instead of Stripe, a server that answers everything alike; it notes what it was asked."""
    asked: list[str] = []

    async def answer(request: Request) -> Response:
        asked.append(request.url.path)
        return Response(body, status, {"Content-Type": "application/json"})

    served = Served(Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])]))
    monkeypatch.setenv("STRIPE_API_BASE", served.url)
    get_settings.cache_clear()
    try:
        yield asked
    finally:
        monkeypatch.setenv("STRIPE_API_BASE", back_to)
        get_settings.cache_clear()
        served.stop()


@pytest.mark.parametrize("case", ANSWERS)
async def test_a_bad_answer_marks_nothing_done_and_takes_nothing_away(
    till: Till, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.settle()
    customer = await tills.customer_id(user.id)
    wanted, _done = await tills.progress(customer)
    await till.portal("cancel_now")
    await till.deliver(till.fresh_events())
    await tills.close_connections()
    with answering(*ANSWERS[case], monkeypatch, till.stand.url) as asked:
        with pytest.raises(stripe_api.StripeDown):
            await till.work()
        assert asked
        await tills.close_connections()
    after = await tills.progress(customer)
    assert after[1] == wanted < after[0]
    assert "received" in {one.state for one in await tills.event_rows()}
    assert await tills.is_entitled(user.id)
    await till.work()
    assert not await tills.is_entitled(user.id)


async def test_buying_while_stripe_limits_us_says_so_and_charges_nothing(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    await till.member()
    slug = await till.plan()
    await tills.close_connections()
    with answering(*ANSWERS["too many requests"], monkeypatch, till.stand.url):
        answer = await till.client.post("/checkout", data={"plan": slug, "next": LESSON})
        await tills.close_connections()
    assert answer.status_code == 503
    assert "does not answer at the moment" in answer.text
    paid = await till.pay(await till.checkout(slug))
    assert (await till.come_back(paid)).headers["location"] == LESSON
