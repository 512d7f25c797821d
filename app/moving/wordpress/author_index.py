"""The authors of an export, in the index of its run, and the accounts that they have here."""

import sqlite3
from uuid import UUID

from app.moving.wordpress import wxr

SCHEMA = (
    "CREATE TABLE author (login TEXT PRIMARY KEY, id TEXT, email TEXT, name TEXT, user_id TEXT DEFAULT '');"
)


class AuthorIndex:
    """By login, which is what articles name."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database

    def add(self, author: wxr.Author) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO author (login, id, email, name) VALUES (?, ?, ?, ?)",
            (author.login, author.id, author.email, author.name),
        )

    def all(self) -> list[tuple[str, str, str, str]]:
        """(login, id, e-mail, name) of each."""
        return self._db.execute("SELECT login, id, email, name FROM author ORDER BY login").fetchall()

    def users(self) -> dict[str, UUID]:
        """Login there → account here, of those who have one."""
        rows = self._db.execute("SELECT login, user_id FROM author WHERE user_id <> ''")
        return {login: UUID(user_id) for login, user_id in rows}

    def set_user(self, login: str, user_id: UUID) -> None:
        self._db.execute("UPDATE author SET user_id = ? WHERE login = ?", (str(user_id), login))
