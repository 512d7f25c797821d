"""Watching from many networks: what is unusual, and what is a journey."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.accounts.rules import network_name, shortened
from app.playback.spread import Watched, counted, widest

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
Seen = tuple[int, str, float]


def day(*seen: Seen) -> list[Watched]:
    """(sign-in, network, hours after noon)."""
    return [Watched(NOON + timedelta(hours=at), UUID(int=who), where, "Phone") for who, where, at in seen]


@pytest.mark.parametrize(
    ("seen", "networks"),
    [
        pytest.param([(1, "home", 0)], 1, id="at home"),
        pytest.param([(1, "home", 0), (2, "home", 1), (3, "home", 2)], 1, id="a family at home"),
        pytest.param([(1, f"tower{n}", n) for n in range(9)], 2, id="a phone on a train"),
        pytest.param(
            [(1, "home", 0), (2, "home", 1), *((2, f"tower{n}", n) for n in range(9))],
            2,
            id="a laptop at home, and a phone from there on the way",
        ),
        pytest.param(
            [(who, f"tower{who}{n}", n) for who in (1, 2) for n in range(9)], 4, id="two phones on a train"
        ),
        pytest.param([(who, f"home{who}", who) for who in range(5)], 5, id="a password of five households"),
        pytest.param([(1, f"home{n}", n / 2) for n in range(13)], 13, id="one sign-in that was copied"),
    ],
)
def test_networks_of_a_day(seen: list[Seen], networks: int) -> None:
    assert counted(day(*seen)) == networks
    found = widest(day(*seen))
    assert (found.networks if found else None) == (networks if networks > 4 else None)


def test_only_what_lies_within_24_hours_counts() -> None:
    assert widest(day(*((who, f"home{who}", 6.01 * who) for who in range(5)))) is None
    within = widest(day(*((who, f"home{who}", 5.99 * who) for who in range(5))))
    assert within is not None
    assert (within.networks, within.devices, len(within.watched)) == (5, 5, 5)


def test_the_widest_day_is_shown_and_what_has_no_network_is_not_counted() -> None:
    seen = day(*((who, f"home{who}", who) for who in range(5)))
    later = day(*((who, f"home{who}", 100 + who) for who in range(7)))
    unknown = day(*((who, "", 200 + who) for who in range(20)))
    found = widest([*later, *unknown, *seen])
    assert found is not None
    assert (found.networks, found.watched[0].at) == (7, NOON + timedelta(hours=100))


@pytest.mark.parametrize(
    ("ip", "network", "name"),
    [
        ("203.0.113.77", "203.0.113.0/24", "203.0.113.x"),
        ("::ffff:203.0.113.77", "203.0.113.0/24", "203.0.113.x"),
        ("2001:db8:1:2::7", "2001:db8:1::/48", "2001:db8:1:…"),
        ("testclient", "", ""),
    ],
)
def test_an_address_is_shortened_and_said_without_its_end(ip: str, network: str, name: str) -> None:
    assert (shortened(ip), network_name(network)) == (network, name)
