"""`limber demo`: private database, Stripe stand-in, outbox, web and worker, filled once, stopped together."""

import asyncio
import fcntl
import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx

from app import postgres
from app.demo.processes import Child, Fault, stop, watch
from app.keys import new_key
from app.settings import get_settings

READY_S = 90


class CannotStart(Fault):
    """Something that the demo needs is taken, or does not answer."""


@dataclass(frozen=True)
class Ports:
    """The site's port and the three after it."""

    web: int

    @property
    def stripe(self) -> int:
        return self.web + 1

    @property
    def outbox(self) -> int:
        return self.web + 2

    @property
    def smtp(self) -> int:
        return self.web + 3

    def check(self) -> None:
        """Raises: CannotStart when one of the four is taken."""
        for port in (self.web, self.stripe, self.outbox, self.smtp):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    raise CannotStart(
                        f"Port {port} is in use. Choose another with: make demo PORT={self.web + 100}"
                    ) from None


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold the folder's lock. Raises: CannotStart when another demo has it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "demo.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(f"A demo already runs with the folder {data_dir}.") from None
        yield


def remembered(data_dir: Path) -> dict[str, Any]:
    """Secrets of this demo, made once and kept, so that a second start continues with the same data."""
    path = data_dir / "demo.json"
    if path.exists():
        known: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return known
    made = {
        "media_keys": new_key("m1"),
        "link_keys": new_key("l1"),
        "stripe_secret_key": f"sk_test_{secrets.token_hex(12)}",
        "webhook_secret": f"whsec_{secrets.token_hex(16)}",
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(made), "utf-8")
    return made


def environment(ports: Ports, data_dir: Path, database_url: str) -> dict[str, str]:
    """What web and worker read, on top of this process's own environment."""
    known = remembered(data_dir)
    inherited = {
        k: v for k, v in os.environ.items() if not k.startswith(("LIMBER_", "STRIPE_", "SMTP_", "DATABASE_"))
    }
    return inherited | {
        "LIMBER_ENV": "demo",
        "LIMBER_BASE_URL": f"http://127.0.0.1:{ports.web}",
        "LIMBER_HOST": "127.0.0.1",
        "LIMBER_PORT": str(ports.web),
        "LIMBER_DATA_DIR": str(data_dir),
        "LIMBER_MEDIA_KEYS": known["media_keys"],
        "LIMBER_LINK_KEYS": known["link_keys"],
        "LIMBER_OUTBOX_URL": f"http://127.0.0.1:{ports.outbox}",
        "DATABASE_URL": database_url,
        "SMTP_URL": f"smtp://127.0.0.1:{ports.smtp}",
        "STRIPE_SECRET_KEY": known["stripe_secret_key"],
        "STRIPE_WEBHOOK_SECRET": known["webhook_secret"],
        "STRIPE_API_BASE": f"http://127.0.0.1:{ports.stripe}",
    }


def children_of(ports: Ports, data_dir: Path, env: dict[str, str]) -> list[Child]:
    """The three programs beside the database."""
    logs = data_dir / "logs"
    logs.mkdir(exist_ok=True)
    sandbox = [sys.executable, "-m", "sandbox", "--data-dir", str(data_dir / "sandbox")]
    sandbox += [
        "--stripe-port",
        str(ports.stripe),
        "--outbox-port",
        str(ports.outbox),
        "--smtp-port",
        str(ports.smtp),
    ]
    sandbox += ["--stripe-webhook", f"http://127.0.0.1:{ports.web}/webhooks/stripe"]
    sandbox += ["--webhook-secret", env["STRIPE_WEBHOOK_SECRET"]]
    limber = [sys.executable, "-m", "app"]
    return [
        Child("sandbox", sandbox, env, logs / "sandbox.log"),
        Child("web", [*limber, "serve"], env, logs / "web.log"),
        Child("worker", [*limber, "worker"], env, logs / "worker.log"),
    ]


async def until_ready(ports: Ports, children: list[Child]) -> None:
    """Wait until the site's parts answer.

    Raises:
        CannotStart: when they do not within 90 s.
    """
    deadline = time.monotonic() + READY_S
    async with httpx.AsyncClient(trust_env=False) as client:
        while time.monotonic() < deadline:
            try:
                answer = await client.get(f"http://127.0.0.1:{ports.web}/readyz", timeout=5)
                if answer.status_code == 200:
                    return
            except httpx.HTTPError:
                pass  # not listening yet
            await asyncio.sleep(0.15)
    tails = "\n".join(f"--- {child.name} ---\n{child.tail()}" for child in children)
    raise CannotStart(f"The site did not become ready within {READY_S} seconds.\n{tails}")


def say(line: str) -> None:
    """One line to whoever started the demo."""
    print(line, flush=True)  # noqa: T201 (this command's answer)


def tell(ports: Ports) -> None:
    """The lines a newcomer reads."""
    site = f"http://127.0.0.1:{ports.web}"
    lines = (
        "",
        f"Limber is ready at {site}",
        "",
        "  Sign in with the password limber-demo as",
        "    teacher@example.com   the teacher: writes, uploads, answers",
        "    member@example.com    has paid: every lesson plays",
        "    visitor@example.com   has an account, no membership yet",
        "",
        f"  The paid course   {site}/courses/lower-body",
        f"  An article        {site}/articles/hip-pain-from-running",
        f"  Mail outbox       http://127.0.0.1:{ports.outbox}",
        "",
        "  Ctrl-C stops everything; the next start continues with the same data.",
    )
    say("\n".join(lines))


async def run(ports: Ports, data_dir: Path, database_url: str) -> None:
    """Start, fill, tell, and stay until told to stop."""
    env = environment(ports, data_dir, database_url)
    children = children_of(ports, data_dir, env)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(signum, stopped.set)
    try:
        work = asyncio.ensure_future(_start_and_fill(ports, children, env))
        stopping = asyncio.ensure_future(stopped.wait())
        await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if work.done():
            work.result()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    finally:
        await asyncio.to_thread(stop, children)


async def _start_and_fill(ports: Ports, children: list[Child], env: dict[str, str]) -> None:
    sandbox, web, worker = children
    # Programs spend seconds on loading their libraries: these two do so while the tables are made, and need none yet.
    sandbox.start()
    web.start()
    await asyncio.to_thread(postgres.migrate, env["DATABASE_URL"])
    worker.start()
    watching = asyncio.ensure_future(watch(children))
    try:
        # What is filled in here reads the same settings as the children.
        os.environ.update(env)
        get_settings.cache_clear()
        # For the same reason not at the top: most of the site's libraries come with it.
        seeding = await asyncio.to_thread(import_module, "app.demo.seeding")
        await until_ready(ports, children)
        await seeding.fill(env, say)
        tell(ports)
        await watching
    finally:
        watching.cancel()


def main(port: int, data_dir: Path) -> int:
    """Run the demo until Ctrl-C; answers the exit code."""
    ports, folder = Ports(port), data_dir.resolve()
    try:
        with only_one(folder):
            ports.check()
            with postgres.server(folder) as url:
                asyncio.run(run(ports, folder, url))
    except Fault as reason:
        print(reason, file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 0
    say("Stopped.")
    return 0
