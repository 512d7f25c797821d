"""The one place that asks what time it is; rules take `now` as a parameter instead."""

from datetime import UTC, datetime


def utcnow() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)
