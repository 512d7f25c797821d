"""Files of the old site in the index of a run: where each is here, and why not."""

import sqlite3

from app.moving.wordpress import addresses

SCHEMA = "CREATE TABLE file (path TEXT PRIMARY KEY, here TEXT, why TEXT);"


class FileIndex:
    """By their places below the uploads folder."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database

    def known(self, upload: str) -> tuple[str, str] | None:
        """(address here, why it has none) of a file that was looked for before."""
        row = self._db.execute("SELECT here, why FROM file WHERE path = ?", (upload,)).fetchone()
        return (row[0], row[1]) if row else None

    def set(self, upload: str, here: str, why: str = "") -> None:
        self._db.execute("INSERT OR REPLACE INTO file VALUES (?, ?, ?)", (upload, here, why))

    def network_part(self) -> str:
        """Where a network of sites keeps this one's uploads, by the first file that stands there."""
        row = self._db.execute(
            "SELECT url FROM item WHERE url LIKE '%/wp-content/uploads/sites/%' ORDER BY id LIMIT 1"
        ).fetchone()
        return addresses.network_part(row[0]) if row else ""
