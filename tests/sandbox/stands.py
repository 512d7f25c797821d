"""Run the stand-ins on free loopback ports, in threads of the test's process, and stop them again."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import stripe
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.stripe.app import create_app
from sandbox.stripe.store import Store
from tests.sandbox.contract import StripeContract

Json = dict[str, Any]

KEY = "sk_test_limber"
FAST_RETRIES_S = (0.05, 0.05, 0.1)


class _Prompt(uvicorn.Server):
    """Looks every hundredth of a second whether to stop, not every tenth: hundreds of tests wait for that."""

    async def main_loop(self) -> None:
        """Run until told to stop."""
        await self.on_tick(0)
        while not self.should_exit:
            await asyncio.sleep(0.01)


class Served:
    """An ASGI application on a free loopback port until `stop()`; a given socket's port can be used again."""

    def __init__(self, app: ASGIApp, port: int = 0) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        # httpx keeps a connection for 5 s, and so does uvicorn by itself: what is posted in that moment is lost.
        config = uvicorn.Config(
            app, log_level="warning", lifespan="on", timeout_keep_alive=75, timeout_graceful_shutdown=1
        )
        self._server = _Prompt(config)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        until(lambda: self._server.started)

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def stop(self) -> None:
        """Stop and wait."""
        self._server.should_exit = True
        self._thread.join(10)
        assert not self._thread.is_alive(), "the server does not stop"
        self._socket.close()


@dataclass
class Stand:
    """A running stand-in for Stripe over a file, judged by Stripe's document."""

    path: Path
    contract: StripeContract
    retries_s: tuple[float, ...] = FAST_RETRIES_S
    port: int = 0
    store: Store = field(init=False)
    served: Served = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start over whatever the file holds."""
        self.store = Store(self.path)
        app = create_app(self.store, contract=self.contract, retry_delays_s=self.retries_s, tick_s=0.05)
        self.served = Served(app, self.port)
        self.port = self.served.port

    def stop(self) -> None:
        """Stop serving and close the file."""
        self.served.stop()
        self.store.close()

    def restart(self) -> None:
        """Stop, and start again on the same port with the same file."""
        self.stop()
        self.start()

    @property
    def url(self) -> str:
        """Where the API answers."""
        return self.served.url

    def events(self) -> list[Json]:
        """Every event so far, oldest first."""
        with self.store.transaction():
            return [row.body for row in self.store.select("event", oldest_first=True)]

    def types(self) -> list[str]:
        """The types of the events so far, oldest first."""
        return [str(event["type"]) for event in self.events()]

    def deliveries(self) -> list[tuple[str, int]]:
        """(state, attempts) of every delivery, oldest first."""
        with self.store.transaction():
            found = self.store.connection.execute("SELECT state, attempts FROM deliveries ORDER BY seq")
            return [(str(state), int(attempts)) for state, attempts in found.fetchall()]


@dataclass
class Receiver:
    """A webhook receiver: answers with `statuses` in turn, then 200, and keeps what came."""

    statuses: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    async def take(self, request: Request) -> Response:
        """POST /hook"""
        self.got.append((dict(request.headers), await request.body()))
        return Response(status_code=self.statuses.pop(0) if self.statuses else 200)

    def types(self) -> list[str]:
        """The types of the events that came, in the order of arrival."""
        return [json.loads(body)["type"] for _, body in self.got]


@asynccontextmanager
async def connecting(url: str, key: str = KEY) -> AsyncIterator[stripe.StripeClient]:
    """The real library, sent to the stand-in; it does not retry by itself, so that a test sees each answer."""
    stripe.enable_telemetry = False
    http = stripe.HTTPXClient(timeout=20, verify_ssl_certs=False)
    try:
        yield stripe.StripeClient(key, base_addresses={"api": url}, http_client=http, max_network_retries=0)
    finally:
        await http.close_async()  # type: ignore[no-untyped-call]


@contextmanager
def receiving(*statuses: int) -> Iterator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver(list(statuses))
    served = Served(Starlette(routes=[Route("/hook", receiver.take, methods=["POST"])]))
    receiver.url = f"{served.url}/hook"
    try:
        yield receiver
    finally:
        served.stop()


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something that another thread does."""
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, "waited in vain"
        sleep(0.01)
