"""Every item and every comment has a number of its own, also where the file gives two the same, or none at all.

Files that tools other than WordPress wrote, or that somebody put together by hand, do that.
"""

import sqlite3
from dataclasses import replace
from hashlib import sha256
from urllib.parse import urlsplit

from app.moving.wordpress import wxr

SCHEMA = """
CREATE TABLE numbered (id TEXT PRIMARY KEY, kind TEXT, guid TEXT, slug TEXT, title TEXT);
CREATE TABLE commented (id TEXT PRIMARY KEY, item TEXT);
"""
_Row = tuple[str, str, str, str]


class Numbers:
    """Asked for the same items in the same order it answers the same, in both passes and in every run."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def given(self, item: wxr.Item) -> wxr.Item:
        """The item under the number by which it is known from here on; only the same item again shares it."""
        row = (item.kind, _place(item.guid), item.slug, item.title)
        own = f"{item.id or 'x'}-{_digest(*row, '' if item.id else item.link)}"
        number = next((one for one in (item.id, own) if one and self._is_its(one, row)), own)
        return replace(item, id=number, comments=self._comments(number, item.comments))

    def _is_its(self, number: str, row: _Row) -> bool:
        found = self._db.execute(
            "SELECT kind, guid, slug, title FROM numbered WHERE id = ?", (number,)
        ).fetchone()
        if found is None:
            self._db.execute("INSERT INTO numbered VALUES (?, ?, ?, ?, ?)", (number, *row))
            return True
        return _is_same(found, row)

    def _comments(self, item_id: str, comments: tuple[wxr.Comment, ...]) -> tuple[wxr.Comment, ...]:
        own: dict[str, str] = {}
        seen: dict[str, wxr.Comment] = {}
        made = []
        for one in comments:
            if not one.id or seen.setdefault(one.id, one) != one:
                made.append(replace(one, id=f"{item_id}:{_digest(one.name, str(one.at), one.body)}"))
                continue
            self._db.execute("INSERT OR IGNORE INTO commented VALUES (?, ?)", (one.id, item_id))
            owner = self._db.execute("SELECT item FROM commented WHERE id = ?", (one.id,)).fetchone()
            if owner[0] != item_id:
                own[one.id] = f"{item_id}:{one.id}"
            made.append(one)
        return tuple(
            replace(one, id=own.get(one.id, one.id), parent=own.get(one.parent, one.parent)) for one in made
        )


def _is_same(one: _Row, other: _Row) -> bool:
    """Whether two items with one number are one: its title or its address may have been changed in between."""
    is_of_one_place = one[0] == other[0] and ("" in (one[1], other[1]) or one[1] == other[1])
    return is_of_one_place and (one[3] == other[3] or one[2] == other[2] != "")


def _place(guid: str) -> str:
    """What does not change when a site moves to another host."""
    try:
        parts = urlsplit(guid)
    except ValueError:
        return guid
    return f"{parts.path.strip('/')}?{parts.query}" if parts.path.strip("/") or parts.query else ""


def _digest(*parts: str) -> str:
    return sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:10]
