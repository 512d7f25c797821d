"""A web process as it really runs: another program on a socket, that can be killed in the middle of a sentence."""

import os
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.forked import Forked

COOKIE = "limber"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    """`python -m app serve` on a port of its own, over the test's database and data folder."""

    def __init__(self, database_url: str, data_dir: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "LIMBER_DATA_DIR": str(data_dir),
            "LIMBER_BASE_URL": self.url,
            "LIMBER_PORT": str(self.port),
        }
        self.process: Forked | None = None
        self.said = tempfile.NamedTemporaryFile()  # noqa: SIM115 (closed by whoever ends the server)

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.process = Forked("serve", environment=self.environment, out=self.said.name)
        deadline = time.monotonic() + 60
        with httpx.Client(base_url=self.url, trust_env=False, verify=False) as client:
            while time.monotonic() < deadline and self.process.poll() is None:
                try:
                    if client.get("/healthz").status_code == 200:
                        return
                except httpx.TransportError:
                    time.sleep(0.05)
        raise AssertionError(f"the web process does not answer: {self.words()}")

    def words(self) -> str:
        """All that it printed."""
        self.said.seek(0)
        return self.said.read().decode()

    def kill(self) -> None:
        """As a power cut does it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self, seconds: float = 10) -> str:
        """Ask it to end, and answer what it said."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(seconds)
        said = self.words()
        # uvicorn hands the signal on to the default handler when it is done.
        assert self.process.returncode in (0, -signal.SIGTERM), said
        self.process = None
        return said


@contextmanager
def serving(database_url: str, data_dir: Path) -> Iterator[Server]:
    with running(Server(database_url, data_dir)) as server:
        yield server


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Started, and ended at last unless it was before."""
    server.start()
    try:
        yield server
    finally:
        if server.process is not None:
            server.stop()
        server.said.close()
