"""uvicorn that sleeps until somebody comes.

Its own clock wakes the process ten times a second, to see whether it is to stop and to write the date down. Beside
films, which push everything else out of the processor's caches, that took a process that does nothing 1 % of a core.
"""

import asyncio
import sys
import time
from contextlib import suppress
from email.utils import formatdate
from functools import lru_cache
from types import FrameType

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


@lru_cache(maxsize=1)
def _date(second: int) -> tuple[bytes, bytes]:
    return b"date", formatdate(second, usegmt=True).encode()


class Dated(HttpToolsProtocol):
    """Each answer bears the second in which its request began.

    Source: RFC 9110, 6.6.1
    """

    def on_message_begin(self) -> None:
        """The parser has seen the first byte of a request."""
        self.server_state.default_headers = [_date(int(time.time())), *self.config.encoded_headers]
        super().on_message_begin()


class Server(uvicorn.Server):
    """Woken by a signal to stop."""

    _loop: asyncio.AbstractEventLoop | None = None
    _stops: asyncio.Event

    async def main_loop(self) -> None:
        """Until told to stop, which may have been before this began."""
        self._stops = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        if not self.should_exit:
            await self._stops.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """What a signal does; it may come between any two steps of the loop."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stops.set)


def serve(config: uvicorn.Config) -> None:
    """Serve until a signal comes, in this process.

    Raises:
        SystemExit: it did not come up.
    """
    server = Server(config)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(3)
