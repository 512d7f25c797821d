"""Trouble on demand: answers that are slow, refused or lost, so that callers can be seen to bear it.

Source: https://docs.stripe.com/error-low-level and https://docs.stripe.com/rate-limits
"""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

_ERRORS: dict[int, Json] = {
    429: {"type": "invalid_request_error", "code": "rate_limit", "message": "Too many requests."},
    409: {
        "type": "invalid_request_error",
        "code": "lock_timeout",
        "message": "This object cannot be accessed right now because another request is accessing it.",
    },
}
_BROKEN: Json = {"type": "api_error", "message": "Something went wrong on Stripe's end."}
MOST_DELAY_S = 60.0


@dataclass
class Trouble:
    """The next `times` calls whose path begins so wait `delay_s` first; with a `status` they fail. If `after`,
    the call is done all the same, and only its answer is lost."""

    path: str = "/v1/"
    status: int | None = None
    times: int = 1
    delay_s: float = 0.0
    after: bool = False

    @property
    def error(self) -> Json:
        """The error's envelope."""
        return {"error": _ERRORS.get(self.status or 500, _BROKEN)}


def read_trouble(given: Json) -> Trouble:
    """Trouble as the desk is asked for it.

    Raises:
        ValueError: for what makes no sense.
        TypeError: likewise.
    """
    status = given.get("status")
    trouble = Trouble(
        path=str(given.get("path", "/v1/")),
        status=int(status) if status is not None else None,
        times=int(given.get("times", 1)),
        delay_s=float(given.get("delay_s", 0.0)),
        after=bool(given.get("after", False)),
    )
    if not 1 <= trouble.times <= 1000 or not 0 <= trouble.delay_s <= MOST_DELAY_S:
        raise ValueError("times lies between 1 and 1000, delay_s between 0 and 60")
    if trouble.status is not None and not 400 <= trouble.status <= 599:
        raise ValueError("status lies between 400 and 599")
    return trouble
