"""Fixtures: the app set up to sell, against the stand-in for Stripe, whose every answer Stripe's document judges."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import stripe

from app import db
from app.settings import get_settings
from tests.billing.till import KEY, SECRET, Till, close_connections
from tests.sandbox.contract import StripeContract, load_document
from tests.sandbox.stands import Stand, connecting


@pytest.fixture(autouse=True)
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stripe's library tries again as often as always, but not half a second and more later."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.02)


@pytest.fixture(scope="session")
def contract(pytestconfig: pytest.Config) -> StripeContract:
    """Stripe's document; its JSON copy lives in pytest's cache folder."""
    folder = pytestconfig.cache.mkdir("stripe-document") if pytestconfig.cache else Path("/nonexistent")
    return StripeContract(load_document(folder))


@pytest.fixture
def stand(tmp_path: Path, contract: StripeContract, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    """A fresh stand-in that refuses every call of ours which Stripe's document does not allow."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    running = Stand(tmp_path / "stripe.sqlite", contract)
    yield running
    running.stop()


@pytest.fixture
def selling(database: db.Database, stand: Stand, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    """Settings with a key, a webhook secret and the stand-in's address."""
    monkeypatch.setenv("STRIPE_SECRET_KEY", KEY)
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("STRIPE_API_BASE", stand.url)
    get_settings.cache_clear()
    yield stand
    get_settings.cache_clear()


@pytest.fixture
async def till(client: httpx.AsyncClient, selling: Stand) -> AsyncIterator[Till]:
    async with (
        httpx.AsyncClient(trust_env=False, verify=False, timeout=20) as browser,
        connecting(selling.url) as api,
    ):
        yield Till(client, browser, selling, api)
    await close_connections()
