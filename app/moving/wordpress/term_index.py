"""Categories, tags and other terms of an export, in the index of its run."""

import sqlite3

from app.moving.wordpress import wxr

SCHEMA = """
CREATE TABLE term (taxonomy TEXT, slug TEXT, name TEXT, parent TEXT, number TEXT,
    is_used INTEGER DEFAULT 0, times INTEGER DEFAULT 0, PRIMARY KEY (taxonomy, slug));
"""


class TermIndex:
    """Whether articles have a term is known when they have been read."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database

    def add(self, term: wxr.Term) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO term (taxonomy, slug, name, parent, number) VALUES (?, ?, ?, ?, ?)",
            (term.taxonomy, term.slug, term.name, term.parent, term.number),
        )

    def use(self, term: wxr.Term) -> None:
        """An article that is taken over has it. Old exports name terms nowhere but there."""
        self.add(term)
        self._db.execute(
            "UPDATE term SET is_used = 1 WHERE taxonomy = ? AND slug = ?", (term.taxonomy, term.slug)
        )

    def used(self) -> list[wxr.Term]:
        """Those that articles have."""
        rows = self._db.execute(
            "SELECT taxonomy, slug, name, parent, number FROM term WHERE is_used = 1 ORDER BY taxonomy, slug"
        )
        return [wxr.Term(*row) for row in rows]

    def all(self) -> list[tuple[wxr.Term, bool]]:
        """Each with whether articles have it."""
        rows = self._db.execute(
            "SELECT taxonomy, slug, name, parent, number, is_used FROM term ORDER BY taxonomy, slug"
        )
        return [(wxr.Term(*row[:5]), bool(row[5])) for row in rows]

    def find(self, taxonomy: str, *, number: str = "", slug: str = "") -> wxr.Term | None:
        """The term with this number or at this address, if articles have it."""
        row = self._db.execute(
            "SELECT taxonomy, slug, name, parent, number FROM term"
            " WHERE taxonomy = ? AND is_used = 1 AND (number = ? OR slug = ?)"
            " ORDER BY rowid LIMIT 1",
            (taxonomy, number or None, slug or None),
        ).fetchone()
        return wxr.Term(*row) if row else None

    def named(self, taxonomy: str, name: str) -> wxr.Term | None:
        """The term with this number, or of this address or name, whether articles have it or not."""
        row = self._db.execute(
            "SELECT taxonomy, slug, name, parent, number FROM term"
            " WHERE taxonomy = ?1 AND ?2 <> '' AND (number = ?2 OR slug = ?2 OR name = ?2)"
            " ORDER BY number = ?2 DESC, rowid LIMIT 1",
            (taxonomy, name),
        ).fetchone()
        return wxr.Term(*row) if row else None

    def count(self, term: wxr.Term) -> None:
        """One more record of the file is about it."""
        self._db.execute(
            "UPDATE term SET times = times + 1 WHERE taxonomy = ? AND slug = ?", (term.taxonomy, term.slug)
        )

    def counts(self) -> list[tuple[str, int, int]]:
        """(taxonomy, records, records of terms that articles have)."""
        return self._db.execute(
            "SELECT taxonomy, sum(times), sum(times * is_used) FROM term GROUP BY taxonomy ORDER BY taxonomy"
        ).fetchall()
