"""Everything the stand-in knows, in one SQLite file: objects, clock, idempotency keys, deliveries."""

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.stripe.errors import missing, missing_reference

Json = dict[str, Any]

_SELECT = "SELECT kind, body, private, clock, due_at, deleted FROM objects"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    customer TEXT,
    clock TEXT,
    due_at INTEGER,
    deleted INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL,
    private TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (kind, seq);
CREATE INDEX IF NOT EXISTS objects_by_customer ON objects (kind, customer, seq);
CREATE INDEX IF NOT EXISTS objects_by_invoice ON objects (kind, json_extract(body, '$.invoice'));
CREATE INDEX IF NOT EXISTS objects_by_charge ON objects (kind, json_extract(body, '$.charge'));
CREATE INDEX IF NOT EXISTS objects_by_due ON objects (clock, due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, answer TEXT NOT NULL,
    made_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at REAL NOT NULL,
    answer TEXT
);
CREATE INDEX IF NOT EXISTS deliveries_pending ON deliveries (next_at) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
"""


@dataclass
class Row:
    """One stored object: `body` is what the API shows, `private` what only the stand-in knows (a card's
    number, a session's subscription data), `due_at` when time itself must do something to it."""

    kind: str
    body: Json
    private: Json = field(default_factory=dict)
    clock: str | None = None
    due_at: int | None = None
    deleted: bool = False

    @property
    def id(self) -> str:
        """The object's Stripe id."""
        return str(self.body["id"])


def new_id(prefix: str, length: int = 24) -> str:
    """An id as Stripe makes them: `cus_` and letters and digits that nobody guesses."""
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    return f"{prefix}_{''.join(secrets.choice(alphabet) for _ in range(length))}"


class Store:
    """Objects in SQLite. Every read and write happens inside `transaction()`, one at a time."""

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=10, cached_statements=256
        )
        self.connection.execute("PRAGMA journal_mode = WAL")
        # A power cut may lose the last calls of a stand-in, never tear the file.
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Serialise with every other transaction; commit at the end, or undo all if something is raised."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self.connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                if outermost:
                    self.connection.execute("ROLLBACK")
                raise
            else:
                if outermost:
                    self.connection.execute("COMMIT")
            finally:
                self._depth -= 1

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Inside a transaction: do things to see what would come of them, and undo them at the end."""
        self.connection.execute("SAVEPOINT rehearsal")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK TO rehearsal")
            self.connection.execute("RELEASE rehearsal")

    def find(self, kind: str, object_id: str) -> Row | None:
        """The object of this kind and id, deleted ones included."""
        query = f"{_SELECT} WHERE id = ? AND kind = ?"
        found = self.connection.execute(query, (object_id, kind)).fetchone()
        return _row(found) if found else None

    def need(self, kind: str, object_id: str, param: str = "id") -> Row:
        """The object, which must exist.

        Raises:
            StripeFault: 404 `resource_missing`.
        """
        row = self.find(kind, object_id)
        if row is None:
            raise missing(kind.replace("_", " ").replace(".", " "), object_id, param)
        return row

    def put(self, row: Row) -> Row:
        """Insert or replace; an object keeps its place in the order of creation."""
        customer = row.body.get("customer")
        self.connection.execute(
            "INSERT INTO objects (id, kind, customer, clock, due_at, deleted, body, private) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET customer = excluded.customer, "
            "clock = excluded.clock, due_at = excluded.due_at, deleted = excluded.deleted, "
            "body = excluded.body, private = excluded.private",
            (
                row.id,
                row.kind,
                customer if isinstance(customer, str) else None,
                row.clock,
                row.due_at,
                int(row.deleted),
                json.dumps(row.body),
                json.dumps(row.private),
            ),
        )
        return row

    def select(
        self, kind: str, where: Mapping[str, object] | None = None, *, oldest_first: bool = False
    ) -> list[Row]:
        """All living objects of a kind whose fields (dotted paths into the body) have these values."""
        sql, values = self.conditions(kind, where or {})
        order = "ASC" if oldest_first else "DESC"
        # What goes into the text comes from this package; what callers send goes in as values.
        query = f"{_SELECT} WHERE {sql} ORDER BY seq {order}"
        found = self.connection.execute(query, values)
        return [_row(one) for one in found]

    def page(
        self,
        kind: str,
        where: Mapping[str, object],
        *,
        limit: int,
        after: str | None,
        before: str | None,
        extra: str = "",
        extra_values: tuple[object, ...] = (),
    ) -> tuple[list[Row], bool]:
        """One page, newest first, and whether there is more in the direction of travel.

        Raises:
            StripeFault: 400 `resource_missing`, for a cursor that names nothing.
        """
        sql, values = self.conditions(kind, where)
        order = "DESC"
        if extra:
            sql, values = f"{sql} AND {extra}", [*values, *extra_values]
        if after is not None:
            sql, values = f"{sql} AND seq < ?", [*values, self._seq(after, "starting_after")]
        if before is not None:
            sql, values = f"{sql} AND seq > ?", [*values, self._seq(before, "ending_before")]
            order = "ASC"
        query = f"{_SELECT} WHERE {sql} ORDER BY seq {order} LIMIT ?"
        found = self.connection.execute(query, [*values, limit + 1]).fetchall()
        rows = [_row(one) for one in found[:limit]]
        if before is not None:
            rows.reverse()
        return rows, len(found) > limit

    def next_due(self, clock: str | None, until: int) -> Row | None:
        """The object on this clock whose moment comes first, if that is not after `until`. Of the same moment, a
        schedule is first: what it changes is renewed as changed."""
        found = self.connection.execute(
            f"{_SELECT} WHERE clock IS ? AND due_at <= ? ORDER BY due_at, kind <> 'subscription_schedule', seq LIMIT 1",
            (clock, until),
        ).fetchone()
        return _row(found) if found else None

    def setting(self, name: str) -> str | None:
        """A named fact about the stand-in itself, such as how far its clock is shifted."""
        found = self.connection.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else None

    def set_setting(self, name: str, value: str) -> None:
        """Remember a named fact."""
        self.connection.execute(
            "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )

    @staticmethod
    def conditions(kind: str, where: Mapping[str, object]) -> tuple[str, list[object]]:
        """SQL for a kind and its fields. `customer` and `clock` have columns, the rest is looked up in the body."""
        parts, values = ["kind = ?", "deleted = 0"], [kind]  # type: tuple[list[str], list[object]]
        for path, value in where.items():
            column = path if path in ("customer", "clock") else f"json_extract(body, '$.{path}')"
            parts.append(f"{column} IS ?")
            values.append(int(value) if isinstance(value, bool) else value)
        return " AND ".join(parts), values

    def _seq(self, object_id: str, param: str) -> int:
        found = self.connection.execute("SELECT seq FROM objects WHERE id = ?", (object_id,)).fetchone()
        if found is None:
            raise missing_reference("object", object_id, param)
        return int(found[0])


def _row(found: tuple[Any, ...]) -> Row:
    kind, body, private, clock, due_at, deleted = found[:6]
    return Row(kind, json.loads(body), json.loads(private), clock, due_at, bool(deleted))
