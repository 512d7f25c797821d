"""nginx's question about a token, answered where the bytes arrive, when this process knows the answer already.

A question is three lines and its answer two. The way through ASGI, a task and two writes for each, was nine tenths of
what it cost. Whatever is not spelled exactly as nginx spells it, or is not known to be a yes, takes that way.
"""

import re
import time

from app.playback import keyring, tokens
from app.playback.standing import NGINX_ALLOW_S, standing
from app.web.media import parse
from app.web.media_edge import is_edge, news
from app.web.server import Dated

# As deploy/nginx/question.conf makes nginx ask, and the whole of what arrived: no body, and nothing behind it.
QUESTION = re.compile(
    rb"GET /media-auth HTTP/1\.1\r\nX-Original-URI: ([!-~]{1,600})\r\n(?:X-Limber-Edge: ([!-~]{1,255})\r\n)?"
    rb"Host: [!-~]{1,255}\r\n\r\n"
)
YES = b"HTTP/1.1 204 No Content\r\nX-Media-Max-Age: %d\r\n%s\r\n"


def known(uri: str) -> int | None:
    """Seconds that the token in this address lives, when it may open it and nobody need be asked; else None.

    Source: app/web/media.py, `permitted`, of which this is the short way
    """
    address = parse(uri)
    if address is None:
        return None
    now = time.time()
    verified = tokens.verify(keyring.media_ring(), address.token, address.video, address.version, now)
    if verified is None or not standing.known(verified, address.video, address.version, NGINX_ALLOW_S):
        return None
    return max(0, int(verified.expires - now))


def told(said: bytes | None) -> bytes:
    """The lines of news for whoever said this as X-Limber-Edge."""
    if said is None or not is_edge(said.decode("ascii")):
        return b""
    standing.tell()
    return b"".join(b"%s: %s\r\n" % line for line in news())


class Listening(Dated):
    """uvicorn's protocol, which looks at what arrives between two requests before its parser does."""

    # Inside a request what arrives is its body or more of its head, whatever it looks like.
    _is_between = True

    def data_received(self, data: bytes) -> None:
        """Answer a question, or hand the bytes to the parser."""
        if self._is_between and (self.cycle is None or self.cycle.response_complete):
            asked = QUESTION.fullmatch(data)
            if asked and (seconds_left := known(asked[1].decode("ascii"))) is not None:
                # nginx ends connections that it no longer needs; one that asks is not to be ended under it.
                self._unset_keepalive_if_required()
                self.transport.write(YES % (seconds_left, told(asked[2])))
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """The parser has seen the first byte of a request."""
        self._is_between = False
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """The parser has seen its last."""
        self._is_between = True
        super().on_message_complete()
