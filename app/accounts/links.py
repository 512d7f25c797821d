"""Mailed links: signed, for one purpose, expiring, and bound to the state that using them changes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from jose import JWTError, jwt

from app.errors import LinkExpired
from app.settings import get_settings

ALGORITHM = "HS256"


class Purpose(StrEnum):
    JOIN = "join"
    RESET = "reset"
    EMAIL = "email"
    GIFT = "gift"
    CARD = "card"
    FOLLOW = "follow"
    UNFOLLOW = "unfollow"
    DRAFT = "draft"
    WAIT = "wait"
    UNWAIT = "unwait"


LIFETIME = {
    Purpose.JOIN: timedelta(hours=24),
    Purpose.RESET: timedelta(hours=1),
    Purpose.EMAIL: timedelta(hours=24),
    # Somebody finds it in a drawer years later, and it was paid.
    Purpose.GIFT: timedelta(days=3660),
    # Longer than a member may watch unpaid: paying late is still paying.
    Purpose.CARD: timedelta(days=30),
    Purpose.FOLLOW: timedelta(days=30),
    # Whoever finds an old mail must still be able to have no more of them.
    Purpose.UNFOLLOW: timedelta(days=3660),
    Purpose.DRAFT: timedelta(days=14),
    Purpose.WAIT: timedelta(days=30),
    Purpose.UNWAIT: timedelta(days=3660),
}
PATH = {
    Purpose.JOIN: "/confirm",
    Purpose.RESET: "/reset",
    Purpose.EMAIL: "/change-email",
    Purpose.GIFT: "/gifts/claim",
    Purpose.CARD: "/billing/card",
    Purpose.FOLLOW: "/responses/follow",
    Purpose.UNFOLLOW: "/responses/unfollow",
    Purpose.DRAFT: "/drafts",
    Purpose.WAIT: "/waiting/confirm",
    Purpose.UNWAIT: "/waiting/end",
}


@dataclass(frozen=True)
class Claims:
    """What a link says: whom it is about (a user id or an address), the state it was made in, and the rest."""

    subject: str
    state: str
    extra: dict[str, str]


def sign(purpose: Purpose, claims: Claims, now: datetime) -> str:
    """The token of a link that works from `now` for the purpose's lifetime."""
    kid, secret = get_settings().link_ring.signing
    body = {
        "aud": str(purpose),
        "sub": claims.subject,
        "fp": claims.state,
        "x": claims.extra,
        "exp": int((now + LIFETIME[purpose]).timestamp()),
    }
    return str(jwt.encode(body, secret, algorithm=ALGORITHM, headers={"kid": kid}))


def url(purpose: Purpose, claims: Claims, now: datetime) -> str:
    """The whole address to put into a mail."""
    return f"{get_settings().base_url}{PATH[purpose]}?token={sign(purpose, claims, now)}"


def read(token: str, purpose: Purpose, now: datetime) -> Claims:
    """What a link says, once its signature, purpose and age were checked. Its state is the caller's to compare.

    Raises:
        LinkExpired: when it is forged, for another purpose, too old, or was cut off on the way.
    """
    body = _verified(token, purpose)
    subject, state, extra, expires = (body.get(key) for key in ("sub", "fp", "x", "exp"))
    if not isinstance(subject, str) or not isinstance(state, str) or not isinstance(extra, dict):
        raise LinkExpired
    if not isinstance(expires, int) or now.timestamp() >= expires:
        raise LinkExpired
    return Claims(subject, state, {str(key): str(value) for key, value in extra.items()})


def _verified(token: str, purpose: Purpose) -> dict[str, Any]:
    try:
        secret = get_settings().link_ring.find(str(jwt.get_unverified_header(token).get("kid")))
        if secret is None:
            raise LinkExpired
        # `algorithms` is optional in python-jose, and leaving it out is a hole. The age is compared with `now` above.
        body: dict[str, Any] = jwt.decode(
            token, secret, algorithms=[ALGORITHM], audience=str(purpose), options={"verify_exp": False}
        )
    except (JWTError, ValueError):
        raise LinkExpired from None
    if body.get("aud") != str(purpose):
        raise LinkExpired
    return body
