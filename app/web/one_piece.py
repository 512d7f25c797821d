"""A whole answer in one piece, past ASGI's two messages.

uvicorn looks at each header of each answer by two expressions: for nine of them a sixth of what a small file costs
(docs/adr/0014-handing-out.md).
"""

from collections.abc import Iterable

from starlette.types import Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


def header_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Headers as they go over the wire."""
    return b"".join(b"%s: %s\r\n" % pair for pair in headers)


def write_response(send: Send, head: bytes, body: bytes) -> bool:
    """Write a whole answer at once, if `send` is uvicorn's own; False: nothing was written, and ASGI's messages do it.

    `head`: the line of status and the headers, a length among them, each with its end of line.
    """
    cycle = getattr(send, "__self__", None)
    if not isinstance(cycle, RequestResponseCycle) or cycle.response_started or cycle.disconnected:
        return False
    # Whoever is slow to read is waited for, and who wants the connection to end is told that it does.
    if cycle.flow.write_paused or not cycle.keep_alive or cycle.scope["method"] == "HEAD":
        return False
    cycle.response_started = cycle.response_complete = True
    cycle.transport.write(b"%s%s\r\n%s" % (head, header_lines(cycle.default_headers), body))
    cycle.message_event.set()
    cycle.on_response()
    return True
