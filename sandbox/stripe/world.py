"""What one call works with: the store, and what time it is for the object at hand."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sandbox.stripe.errors import missing_reference
from sandbox.stripe.store import Row, Store, new_id

Json = dict[str, Any]

_SHIFT = "clock_shift_s"
_ACCOUNT = "account"


@dataclass(frozen=True)
class World:
    """The store seen at one moment. `now` is in Unix seconds, of the test clock `clock` or of the default one."""

    store: Store
    now: int
    default_now: int
    base_url: str
    clock: str | None = None
    request_id: str | None = None
    idempotency_key: str | None = None

    def at(self, moment: int) -> "World":
        """The same world at another moment: what time does by itself happens when it was due."""
        return replace(self, now=moment)

    def on_clock(self, clock: str | None) -> "World":
        """The same world on a test clock, or on the default clock (None)."""
        if clock is None:
            return replace(self, clock=None, now=self.default_now)
        frozen = self.store.need("test_helpers.test_clock", clock).body["frozen_time"]
        return replace(self, clock=clock, now=frozen)

    def of(self, row: Row) -> "World":
        """The same world on the clock that this object lives by."""
        return self.on_clock(row.clock)

    def customer(self, customer_id: str, param: str = "customer") -> Row:
        """A living customer named by a parameter.

        Raises:
            StripeFault: 400 `resource_missing`.
        """
        row = self.store.find("customer", customer_id)
        if row is None or row.deleted:
            raise missing_reference("customer", customer_id, param)
        return row

    def reference(self, kind: str, object_id: str, param: str) -> Row:
        """A living object named by a parameter.

        Raises:
            StripeFault: 400 `resource_missing`.
        """
        row = self.store.find(kind, object_id)
        if row is None or row.deleted:
            raise missing_reference(kind.replace("_", " "), object_id, param)
        return row


def default_now(store: Store, real_now: Callable[[], float] = time.time) -> int:
    """The default clock: real time and however far it was shifted, in Unix seconds."""
    return int(real_now()) + int(store.setting(_SHIFT) or 0)


def shift_clock(store: Store, seconds: int) -> None:
    """Move the default clock ahead for good."""
    store.set_setting(_SHIFT, str(int(store.setting(_SHIFT) or 0) + seconds))


def account_id(store: Store) -> str:
    """The id of the one account that this file plays; made once."""
    known = store.setting(_ACCOUNT)
    if known is None:
        known = new_id("acct", 16)
        store.set_setting(_ACCOUNT, known)
    return known
