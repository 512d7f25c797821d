"""One real demo (database, web, worker, Stripe stand-in, outbox) for all journeys, and a browser."""

import itertools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page

from bench.start import free_ports
from tests import browsing
from tests.machine import open_folder

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "limber-demo"
_GOES = itertools.count(1)


def somebodys(name: str) -> str:
    """An address of this go of a test alone: the demo keeps its members, and a second go would meet the first one's."""
    return f"{name}-{next(_GOES)}@example.org"


@dataclass(frozen=True)
class Demo:
    """A running demo and where its parts answer."""

    port: int
    data_dir: Path
    process: subprocess.Popen[str]

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def stripe(self) -> str:
        return f"http://127.0.0.1:{self.port + 1}"

    @property
    def outbox(self) -> str:
        return f"http://127.0.0.1:{self.port + 2}"

    def mail_to(self, address: str, subject: str = "", seconds: float = 60) -> dict[str, Any]:
        """The newest mail to `address` whose subject has these words; waits for it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for mail in httpx.get(f"{self.outbox}/messages.json", trust_env=False, verify=False).json():
                if address in str(mail["to"]) and subject.lower() in mail["subject"].lower():
                    found: dict[str, Any] = mail
                    return found
            time.sleep(0.2)
        raise AssertionError(f"no mail about “{subject}” came to {address}")

    def link_to(self, address: str, path: str, seconds: float = 60) -> str:
        """The link below `path` in the newest mail to `address` that has one; waits for it."""
        deadline = time.monotonic() + seconds
        link = re.compile(rf"{re.escape(self.site)}{path}\S*")
        while time.monotonic() < deadline:
            for mail in httpx.get(f"{self.outbox}/messages.json", trust_env=False, verify=False).json():
                if address in str(mail["to"]) and (found := link.search(mail["text"])):
                    return found.group(0)
            time.sleep(0.2)
        raise AssertionError(f"no mail with a link to {path} came to {address}")

    def let_pass(self, days: float) -> None:
        """Move the Stripe stand-in's clock on."""
        moved = httpx.post(
            f"{self.stripe}/sandbox/clock",
            json={"advance_s": days * 86400},
            trust_env=False,
            verify=False,
            timeout=60,
        )
        assert moved.is_success, moved.text


@pytest.fixture(scope="package")
def demo() -> Iterator[Demo]:
    """`limber demo` in a folder of its own, filled by itself, stopped by Ctrl-C at the end."""
    port = free_ports()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LIMBER_", "DATABASE_"))}
    with (
        open_folder("demo") as folder,
        subprocess.Popen(
            [sys.executable, "-m", "app", "demo", "--port", str(port), "--data-dir", str(folder / "data")],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        assert process.stdout is not None
        said = []
        try:
            for line in process.stdout:
                said.append(line)
                if "Ctrl-C stops everything" in line:
                    break
            else:
                raise AssertionError("the demo did not start:\n" + "".join(said))
            yield Demo(port, folder / "data", process)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
        assert "Stopped." in process.stdout.read()
        assert process.wait(60) == 0


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    # For this package and no longer: the driver runs an event loop in this thread, and other tests want their own.
    with browsing.chromium() as opened:
        yield opened


@pytest.fixture
def context(chromium: Browser, demo: Demo) -> Iterator[BrowserContext]:
    fresh = chromium.new_context(base_url=demo.site, viewport={"width": 1280, "height": 800}, locale="en-US")
    fresh.set_default_timeout(20_000)
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that fails its test when the browser reports an error or a refusal by the security policy."""
    opened = context.new_page()
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        # A 4xx answer is reported as an error too; those are the point of several journeys.
        if message.type == "error" and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    opened.on("console", listen)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    assert complaints == []


def press(page: Page, button: Locator) -> None:
    """Press it, and wait for the page that it leads to: to go elsewhere before would leave unsaid what was said."""
    with page.expect_navigation():
        button.click()


def sign_in(page: Page, who: str, next_path: str = "") -> None:
    """Sign in through the form, as anyone does."""
    page.goto("/login" + (f"?next={next_path}" if next_path else ""))
    page.fill("input[name=email]", f"{who}@example.com" if "@" not in who else who)
    page.fill("input[name=password]", PASSWORD)
    press(
        page, page.locator("main form", has=page.locator("input[name=password]")).get_by_role("button").first
    )


def stop_streams(page: Page) -> None:
    """End whatever else the member plays: a browser that was closed without a word holds its place for a minute."""
    page.goto("/account/streams")
    stop = page.locator("form[action^='/playbacks/'] button")
    while stop.count():
        press(page, stop.first)


def watch(page: Page, seconds: float = 2.0) -> dict[str, float]:
    """Press play and look: how far the clock of the film went, and how much the pixels of a frame differ."""
    page.wait_for_selector("[data-player]:not([data-state=loading])")
    # A film that resumes says so; what counts here is that it moves.
    page.evaluate("() => { const v = document.querySelector('video'); v.muted = true; return v.play(); }")
    page.wait_for_function("() => document.querySelector('video').currentTime > 0")
    before = page.evaluate("() => document.querySelector('video').currentTime")
    page.wait_for_timeout(seconds * 1000)
    after = page.evaluate("() => document.querySelector('video').currentTime")
    spread = page.evaluate(
        """() => {
            const video = document.querySelector('video');
            const canvas = document.createElement('canvas');
            canvas.width = 64; canvas.height = 36;
            const drawing = canvas.getContext('2d');
            drawing.drawImage(video, 0, 0, 64, 36);
            const data = drawing.getImageData(0, 0, 64, 36).data;
            let least = 255, most = 0, sum = 0;
            for (let i = 0; i < data.length; i += 4) {
                const light = (data[i] + data[i + 1] + data[i + 2]) / 3;
                least = Math.min(least, light); most = Math.max(most, light); sum += light;
            }
            return { contrast: most - least, mean: sum / (data.length / 4) };
        }"""
    )
    return {"before": before, "after": after, "contrast": spread["contrast"], "mean": spread["mean"]}


def assert_plays(page: Page) -> None:
    """The film runs and shows something."""
    seen = watch(page)
    assert seen["after"] > seen["before"] + 1.0, seen
    assert seen["contrast"] > 40, seen
    assert seen["mean"] > 16, seen
