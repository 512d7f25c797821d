"""From how many networks a member watched in a day: what is unusual enough to show it to staff; pure.

It ends nothing and refuses nobody: a flag is a reason to ask, not a proof.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

DAY = timedelta(hours=24)
# Home, work, the studio, a friend's: more than these are unusual.
MOST = 4
# One device between its own Wi-Fi and a mobile network, whose addresses change on every journey, counts for two.
OF_A_MOVING_DEVICE = 2
# No phone travels through so many in a day: one sign-in that is in all of them was copied.
OF_A_COPIED_ONE = 12


@dataclass(frozen=True)
class Watched:
    """A viewing that began. `session_id`: its sign-in; `network`: shortened; `device`: in words."""

    at: datetime
    session_id: UUID
    network: str
    device: str


@dataclass(frozen=True)
class Spread:
    """A member's day with the most networks; `watched` in order of time."""

    networks: int
    watched: tuple[Watched, ...]

    @property
    def devices(self) -> int:
        """Sign-ins."""
        return len({one.session_id for one in self.watched})


def widest(watched: Iterable[Watched]) -> Spread | None:
    """The 24 hours with the most networks, the latest of equals; None when no day has unusually many."""
    found: Spread | None = None
    day: list[Watched] = []
    for one in sorted((one for one in watched if one.network), key=lambda one: one.at):
        day = [earlier for earlier in day if one.at - earlier.at < DAY] + [one]
        networks = counted(day)
        if networks > MOST and (found is None or networks >= found.networks):
            found = Spread(networks, tuple(day))
    return found


def counted(day: Sequence[Watched]) -> int:
    """Distinct networks, of which a device on the move brings two at most."""
    of_devices: dict[UUID, dict[str, None]] = {}
    for one in day:
        of_devices.setdefault(one.session_id, {})[one.network] = None
    counting: set[str] = set()
    # Whoever stayed in one place comes first: what a phone shares with them is no further network.
    for networks in sorted(of_devices.values(), key=len):
        new = [network for network in networks if network not in counting]
        room = len(networks) if len(networks) > OF_A_COPIED_ONE else OF_A_MOVING_DEVICE
        known = len(networks) - len(new)
        counting.update(new[: max(0, room - known)])
    return len(counting)
