"""What we keep of a Stripe subscription: read from Stripe's answer into plain, frozen facts. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# Nothing happens to a subscription in these states any more.
TERMINAL = frozenset({"canceled", "incomplete_expired"})


@dataclass(frozen=True)
class SubscriptionFacts:
    """One subscription as Stripe tells it, instants in aware UTC.

    `past_due_since_at` is when the oldest unpaid invoice was opened.
    """

    id: str
    status: str
    price_ids: tuple[str, ...]
    started_at: datetime
    current_period_end_at: datetime | None
    trial_end_at: datetime | None = None
    cancel_at: datetime | None = None
    cancel_at_period_end: bool = False
    ended_at: datetime | None = None
    past_due_since_at: datetime | None = None
    pause_behavior: str | None = None

    @property
    def is_over(self) -> bool:
        return self.status in TERMINAL

    @property
    def stops_at(self) -> datetime | None:
        """When it ends by the member's wish, if it does; Stripe tells it in two forms."""
        if self.cancel_at is not None:
            return self.cancel_at
        return self.current_period_end_at if self.cancel_at_period_end else None


def instant(seconds: int | None) -> datetime | None:
    """Stripe's Unix seconds as an aware UTC instant."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def id_of(value: str | Mapping[str, Any] | None) -> str | None:
    """The id of a reference, which Stripe gives as a string or, expanded, as an object."""
    if value is None or isinstance(value, str):
        return value
    return str(value["id"])


def read_subscription(raw: Mapping[str, Any], past_due_since_at: datetime | None = None) -> SubscriptionFacts:
    """Facts of a subscription object of API version 2026-05-27.dahlia, where periods stand on the items.

    Source: https://docs.stripe.com/api/subscriptions/object
    Raises:
        KeyError: when the object lacks what every subscription has.
    """
    items: Iterable[Mapping[str, Any]] = raw["items"]["data"]
    ends = [item["current_period_end"] for item in items if item.get("current_period_end") is not None]
    pause = raw.get("pause_collection")
    return SubscriptionFacts(
        id=str(raw["id"]),
        status=str(raw["status"]),
        price_ids=tuple(dict.fromkeys(str(id_of(item["price"])) for item in items)),
        started_at=datetime.fromtimestamp(raw.get("start_date") or raw["created"], UTC),
        current_period_end_at=instant(max(ends, default=None)),
        trial_end_at=instant(raw.get("trial_end")),
        cancel_at=instant(raw.get("cancel_at")),
        cancel_at_period_end=bool(raw.get("cancel_at_period_end")),
        ended_at=instant(raw.get("ended_at")),
        past_due_since_at=past_due_since_at,
        pause_behavior=str(pause["behavior"]) if pause else None,
    )
