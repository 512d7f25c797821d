"""What nginx is told beside its answer, so that it need not ask for each token: who else may go on, and tokens' keys.

The application looks up all whose turn may come, ahead of any question (app/playback/standing.py). nginx keeps who
stands as long as it keeps a yes, verifies a token of theirs itself, and asks about all others as before
(deploy/nginx/answers-in-memory). It is told only when it proves with LIMBER_EDGE_KEY that it is our nginx.
"""

import hmac
import logging

from app.playback import keyring, tokens
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
    films = standing.news.take()
    if not films:
        return []
    stands = ";".join(f"{film}:{','.join(sids)}" for film, sids in films.items())
    keys = ",".join(f"{kid}:{tokens.media_key(secret).hex()}" for kid, secret in keyring.media_ring().keys)
    return [(b"x-media-stands", stands.encode()), (b"x-media-keys", keys.encode())]
