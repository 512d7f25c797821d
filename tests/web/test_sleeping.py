"""The web server sleeps while nobody comes, dates its answers all the same, and stops when told."""

import http.client
import os
import signal
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import psutil
import pytest

from app.clock import utcnow
from tests.machine import open_folder
from tests.web.server import Server, serving

# One web process for two of them.
pytestmark = pytest.mark.xdist_group("sleeping")


def switches(pid: int) -> int:
    """How often its main thread has gone to sleep so far."""
    lines = Path(f"/proc/{pid}/task/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("voluntary_ctxt_switches")))


@pytest.fixture(scope="module")
def server(worker_database_url: str) -> Iterator[Server]:
    with open_folder("sleeping") as folder, serving(worker_database_url, folder) as running:
        yield running


@pytest.mark.long
def test_it_is_not_woken_by_a_clock_and_its_answers_bear_the_date(server: Server) -> None:
    assert server.process is not None
    origin = f"http://127.0.0.1:{server.port}"
    with httpx.Client(trust_env=False, verify=False) as browser:
        for _ in range(2):
            # Seconds after the last: the date is today's, not that of some clock's last turn.
            time.sleep(2.2)
            answer = browser.get(f"{origin}/healthz")
            assert len(answer.headers.get_list("date")) == 1
            off = utcnow() - parsedate_to_datetime(answer.headers["date"])
            assert 0 <= off.total_seconds() < 2
        # A clock of ten turns a second would have woken it 55 times; keys are read every 5 s.
        before = switches(server.process.pid)
        time.sleep(5.5)
        assert switches(server.process.pid) - before < 30


@pytest.mark.long
def test_it_keeps_a_connection_that_nothing_was_asked_on_for_a_while(server: Server) -> None:
    """nginx may send what somebody posts on it for 60 s; uvicorn's own end after 5."""
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    # Or the second request would quietly open another.
    line.auto_open = 0
    line.connect()
    for pause_s in (6.5, 0):
        line.request("GET", "/healthz")
        answer = line.getresponse()
        assert (answer.status, answer.read()) == (200, b'{"status":"ok"}')
        time.sleep(pause_s)
    line.close()


@pytest.mark.parametrize("told_by", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_it_stops_at_once_when_told(database_url: str, told_by: signal.Signals) -> None:
    with open_folder("sleeping") as folder, serving(database_url, folder) as server:
        assert server.process is not None
        # Long asleep.
        time.sleep(1)
        began = time.monotonic()
        os.kill(server.process.pid, told_by)
        psutil.Process(server.process.pid).wait(8)
        assert time.monotonic() - began < 5
        assert "Application shutdown complete" in server.words()
        server.process.wait()
        server.process = None
