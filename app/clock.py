"""The one place that asks what time it is, and in which zone people read it; rules take `now` as a parameter."""

from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

# A typed day outside of these is a slip of the finger.
YEARS = range(2000, 2100)

_zone: ContextVar[tzinfo] = ContextVar("limber_zone", default=UTC)


def utcnow() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    """The names that a practice can choose from, like `Pacific/Honolulu`, and `UTC`."""
    old = ("Etc/", "SystemV/", "US/", "Brazil/", "Canada/", "Chile/", "Mexico/")
    return (
        "UTC",
        *sorted(name for name in available_timezones() if "/" in name and not name.startswith(old)),
    )


def zone(name: str) -> tzinfo:
    """The zone of that name; UTC where this machine does not know it."""
    return ZoneInfo(name) if name in zones() and name != "UTC" else UTC


def use_zone(name: str) -> None:
    """Make `name` the zone in which this request's pages tell days and times."""
    _zone.set(zone(name))


def current_zone() -> tzinfo:
    return _zone.get()


class OtherCentury(ValueError):
    """A moment, but not one that anybody means."""


def typed_moment(text: str, zone: tzinfo) -> datetime | None:
    """A `datetime-local` value as the clock tells it in `zone`; None when empty.

    Raises:
        OtherCentury: when it is not between 2000 and 2099.
        ValueError: when it is no moment at all.
    """
    if not text.strip():
        return None
    told = datetime.fromisoformat(text.strip())
    if told.year not in YEARS:
        raise OtherCentury
    return (told if told.tzinfo else told.replace(tzinfo=zone)).astimezone(UTC)


def for_field(moment: datetime | None, zone: tzinfo) -> str:
    """The same the other way round."""
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M") if moment else ""
