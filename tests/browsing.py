"""Chromium as the tests run it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests import machine

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
]


def launch(*, whole: bool = False) -> dict[str, Any]:
    """What Playwright is to start: Chromium's headless shell, unless the `whole` browser is asked for.

    The shell is the same engine without windows, tabs and services, for half of the CPU.
    """
    path = (None if whole else machine.headless_shell()) or machine.browser()
    assert path, "no Chromium is installed (python -m tests.machine installs it)"
    return {"executable_path": path, "args": FLAGS}


@contextmanager
def chromium(*, whole: bool = False) -> Iterator[Browser]:
    """A browser until the end of the block. Playwright's driver runs an event loop in this thread for as long."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(**launch(whole=whole))
        try:
            yield opened
        finally:
            opened.close()
