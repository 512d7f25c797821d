"""The report's lists: kept in the run's index, since a list may be as long as the export."""

import sqlite3
from collections.abc import Iterator

SCHEMA = "CREATE TABLE note (heading TEXT, line TEXT);"


class Notes:
    """Lines under headings, both in the order in which they first came up."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database

    def add(self, heading: str, line: str) -> None:
        self._db.execute("INSERT INTO note VALUES (?, ?)", (heading, line))

    def add_unused(self, heading: str) -> None:
        """A line for every attachment that no article needs."""
        self._db.execute(
            "INSERT INTO note SELECT ?, CASE WHEN upload <> '' THEN upload WHEN url <> '' THEN url ELSE title END"
            " FROM item WHERE kind = 'attachment' AND is_used = 0 AND is_earlier = 0 ORDER BY upload, url",
            (heading,),
        )

    def headings(self) -> list[tuple[str, int]]:
        """(heading, lines)."""
        return self._db.execute(
            "SELECT heading, count(*) FROM note GROUP BY heading ORDER BY min(rowid)"
        ).fetchall()

    def lines(self, heading: str, most: int | None) -> Iterator[str]:
        rows = self._db.execute(
            "SELECT line FROM note WHERE heading = ? ORDER BY rowid LIMIT ?",
            (heading, -1 if most is None else most),
        )
        yield from (row[0] for row in rows)
