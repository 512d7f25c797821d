"""Fixtures: a stand-in on a free port, judged by Stripe's document, and the real Stripe library against it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import stripe

from tests.sandbox.contract import StripeContract, load_document
from tests.sandbox.stands import Receiver, Stand, connecting, receiving


@pytest.fixture(scope="session")
def contract(pytestconfig: pytest.Config) -> StripeContract:
    """Stripe's document; its JSON copy lives in pytest's cache folder."""
    folder = pytestconfig.cache.mkdir("stripe-document") if pytestconfig.cache else Path("/nonexistent")
    return StripeContract(load_document(folder))


@pytest.fixture
def stand(tmp_path: Path, contract: StripeContract) -> Iterator[Stand]:
    """A fresh stand-in. Every event that the test made it write is judged at the end."""
    running = Stand(tmp_path / "stripe.sqlite", contract)
    yield running
    events = running.events()
    running.stop()
    complaints = [
        f"{event['type']}: {complaint}"
        for event in events
        if (complaint := contract.check_event(event)) is not None
    ]
    assert not complaints, "\n".join(dict.fromkeys(complaints))


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library obeys the environment's proxies, which would lose calls that are for this machine only."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
async def api(stand: Stand) -> AsyncIterator[stripe.StripeClient]:
    """The library's client."""
    async with connecting(stand.url) as client:
        yield client


@pytest.fixture
async def browser(stand: Stand) -> AsyncIterator[httpx.AsyncClient]:
    """A person's browser on the hosted pages."""
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=20) as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook receiver that takes everything at once."""
    with receiving() as one:
        yield one
