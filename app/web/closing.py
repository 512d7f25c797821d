"""Tells open-ended answers that the server is about to stop: it waits for them, and they would never end."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_is_closing = False


def is_closing() -> bool:
    return _is_closing


@contextmanager
def heeding_signals() -> Iterator[None]:
    """Listen to the signals that stop the server, before whoever listens already (uvicorn) hears them."""
    global _is_closing
    _is_closing = False
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}

    def stop(signum: int, frame: FrameType | None) -> None:
        global _is_closing
        _is_closing = True
        if callable(before[signum]):
            before[signum](signum, frame)

    for one, handler in before.items():
        # A default handler ends the process without our help.
        if callable(handler):
            signal.signal(one, stop)
    try:
        yield
    finally:
        for one, handler in before.items():
            if signal.getsignal(one) is stop:
                signal.signal(one, handler)
