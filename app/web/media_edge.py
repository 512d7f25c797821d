"""What nginx is told so that it need not ask about each token: who may go on, and tokens' keys.

Every few seconds it asks for all that is new, and whatever it asks about a token, some of it is said beside the answer.
It keeps who stands as long as it keeps a yes, verifies a token of theirs itself, and asks about all others
(deploy/nginx/answers-in-memory). It is told only when it proves with LIMBER_EDGE_KEY that it is our nginx.
"""

import hmac
import logging

from starlette.types import Receive, Scope, Send

from app.playback import keyring, tokens
from app.playback.keeping import keeping
from app.playback.standing import standing
from app.settings import get_settings

Headers = list[tuple[bytes, bytes]]
log = logging.getLogger("limber.playback")
_is_warned = False


def is_edge(said: str) -> bool:
    """Whether whoever says this as X-Limber-Edge is our own nginx; nobody is while there is no such key."""
    key = get_settings().edge_key
    ours = bool(key) and hmac.compare_digest(said.encode("latin-1"), key.encode())
    if said and not ours:
        _warn(bool(key))
    return ours


def _warn(has_key: bool) -> None:
    """Once: it is asked for each film, and anybody who reaches this process without nginx may say anything."""
    global _is_warned
    if not _is_warned:
        _is_warned = True
        here = "another" if has_key else "none"
        log.warning("nginx has a LIMBER_EDGE_KEY and the web server %s: set the same for both", here)


def news() -> Headers:
    """`X-Media-Stands: <video>/<version>:<sid>,<sid>;…` and `X-Media-Keys: <kid>:<hex>,…`; nothing when there is none.

    Together below the 32 kB that nginx has for them (`app.playback.news.ROOM`).
    """
    return _news() if standing.news else []


def _news() -> Headers:
    films = standing.news.take()
    stands = ";".join(f"{film}:{','.join(sids)}" for film, sids in films.items())
    keys = ",".join(f"{kid}:{tokens.media_key(secret).hex()}" for kid, secret in keyring.media_ring().keys)
    return [(b"x-media-stands", stands.encode()), (b"x-media-keys", keys.encode())]


async def all_news(*, goes_on: bool) -> Headers:
    """For nginx's own question: all who stand now, and the keys, even if nobody does.

    `X-Media-More: 1` beside them: there was no room for all; who asks at once and `goes_on` is told the others.
    """
    standing.tell()
    if not goes_on:
        await keeping.freshen()
    return [*_news(), *([(b"x-media-more", b"1")] if standing.news else [])]


class Answer:
    """An answer without a body, which nobody keeps but nginx as it is told."""

    def __init__(self, status: int, headers: Headers) -> None:
        self.status = status
        self.headers = headers

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"cache-control", b"no-store"), *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
