"""Run the stand-ins in one process: `python -m sandbox --data-dir D --stripe-port P --outbox-port P --smtp-port P`."""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from sandbox.loopback import NotLoopback, require_loopback
from sandbox.outbox.app import create_app as create_outbox
from sandbox.outbox.mailbox import Mailbox
from sandbox.outbox.receiver import listen
from sandbox.stripe.app import create_app as create_stripe
from sandbox.stripe.resources.webhook_endpoints import register
from sandbox.stripe.store import Store
from sandbox.stripe.world import World, default_now


class _Server(uvicorn.Server):
    """Leaves the signals to this module: two servers in one process cannot both own them."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument(
        "--data-dir", type=Path, required=True, help="where stripe.sqlite and outbox/ are kept"
    )
    parser.add_argument("--host", default="127.0.0.1", help="loopback only")
    parser.add_argument("--stripe-port", type=int, required=True)
    parser.add_argument("--outbox-port", type=int, required=True, help="the outbox in the browser")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--stripe-webhook", metavar="URL", help="have a webhook endpoint at this address")
    parser.add_argument(
        "--webhook-secret", metavar="SECRET", help="what that endpoint's deliveries are signed with"
    )
    given = parser.parse_args(argv)
    if (given.stripe_webhook is None) != (given.webhook_secret is None):
        parser.error("--stripe-webhook and --webhook-secret go together")
    return given


def _server(app: ASGIApp, host: str, port: int) -> _Server:
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        server_header=False,
        # Longer than any client here keeps a connection: what is posted while it is closed is lost.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=3,
    )
    return _Server(config)


async def _run(given: argparse.Namespace) -> None:
    require_loopback(given.host)
    store = Store(given.data_dir / "stripe.sqlite")
    try:
        if given.stripe_webhook is not None:
            with store.transaction():
                now = default_now(store)
                register(World(store, now, now, ""), given.stripe_webhook, given.webhook_secret)
        mailbox = Mailbox(given.data_dir / "outbox")
        smtp = await listen(mailbox, given.host, given.smtp_port)
        servers = [
            _server(create_stripe(store), given.host, given.stripe_port),
            _server(create_outbox(mailbox), given.host, given.outbox_port),
        ]
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, _stop, servers)
        async with smtp:
            await asyncio.gather(*(server.serve() for server in servers))
    finally:
        store.close()


def _stop(servers: list[_Server]) -> None:
    for server in servers:
        server.should_exit = True


def main(argv: list[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM; gives the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    # Each delivery would be a line; the desk page shows them better.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        asyncio.run(_run(_arguments(sys.argv[1:] if argv is None else argv)))
    except (NotLoopback, OSError) as error:
        sys.stderr.write(f"The stand-ins cannot start: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
