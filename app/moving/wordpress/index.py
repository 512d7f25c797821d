"""What one pass over an export has to know of the whole of it: kept in a file beside the memory, never in it."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from app.moving.wordpress import (
    addresses,
    author_index,
    file_index,
    memberpress,
    notes,
    numbers,
    term_index,
    wxr,
)
from app.moving.wordpress.shown import Attached

_SCHEMA = """
CREATE TABLE item (id TEXT PRIMARY KEY, kind TEXT, status TEXT, slug TEXT, title TEXT, link TEXT, guid TEXT,
    parent TEXT, position INTEGER, upload TEXT, url TEXT, alt TEXT, caption TEXT, content TEXT,
    is_open INTEGER, here TEXT DEFAULT '', came TEXT DEFAULT '', is_used INTEGER DEFAULT 0,
    is_earlier INTEGER DEFAULT 0);
CREATE INDEX item_parent ON item (parent);
CREATE INDEX item_slug ON item (here);
CREATE INDEX item_guid ON item (guid);
CREATE TABLE host (name TEXT PRIMARY KEY);
CREATE TABLE address (path TEXT PRIMARY KEY, id TEXT);
CREATE TABLE upload (path TEXT PRIMARY KEY, id TEXT);
"""
# What is said of an item, in the order of the table's columns.
SAID = (
    *("id", "kind", "status", "slug", "title", "link", "guid", "parent", "position"),
    *("upload", "url", "alt", "caption", "content", "is_open"),
)


def _content(item: wxr.Item) -> str:
    """What of an item's words other items need."""
    if item.kind == memberpress.KIND:
        return memberpress.packed(item)
    return item.content if item.kind == "wp_block" else ""


class Index:
    """An SQLite database in a folder of its own; everything in it is about one run."""

    def __init__(self, folder: Path) -> None:
        self._db = sqlite3.connect(folder / "index.sqlite")
        # Nobody else reads it, and nothing of it must survive.
        self._db.executescript(
            f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_SCHEMA} {numbers.SCHEMA} {notes.SCHEMA}"
            f" {term_index.SCHEMA} {author_index.SCHEMA} {file_index.SCHEMA}"
        )
        self.numbers = numbers.Numbers(self._db)
        self.notes = notes.Notes(self._db)
        self.terms = term_index.TermIndex(self._db)
        self.files = file_index.FileIndex(self._db)
        self.authors = author_index.AuthorIndex(self._db)
        self.host = ""
        # What a text referred to and other files may have: "#12" an item, "^12:3" more attachments of one than three.
        self.missed: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def _one(self, question: str, *values: Any) -> Any:
        row = self._db.execute(question, values).fetchone()
        return row[0] if row else None

    def add_item(self, item: wxr.Item) -> bool:
        """Whether it is new: False for an item with the number of another one."""
        noted = item.meta.get("_wp_attached_file", "") if item.kind == "attachment" else ""
        upload = addresses.below_uploads(noted) or (
            addresses.upload_path(item.attachment_url, self.host) or ""
        )
        row = (
            item.id,
            item.kind,
            item.status,
            item.slug,
            item.title,
            item.link,
            item.guid,
            item.parent,
            item.order,
            upload,
            item.attachment_url,
            item.meta.get("_wp_attachment_image_alt", ""),
            item.excerpt if item.kind == "attachment" else "",
            _content(item),
            int(item.status == "publish" and not item.password),
        )
        return self._add(dict(zip(SAID, row, strict=True)), is_earlier=False)

    def add_earlier(self, said: Mapping[str, Any]) -> bool:
        """What an earlier part of the export said of an item (`said`), unless these files have it too."""
        whole = {**dict.fromkeys(SAID, ""), "position": 0, "is_open": 0, **said}
        return self._add({name: whole[name] for name in SAID}, is_earlier=True)

    def _add(self, row: Mapping[str, Any], *, is_earlier: bool) -> bool:
        marks = ", ".join(f":{name}" for name in SAID)
        made = self._db.execute(
            f"INSERT OR IGNORE INTO item ({', '.join(SAID)}, is_earlier) VALUES ({marks}, {int(is_earlier)})",  # noqa: S608
            dict(row),
        )
        if made.rowcount == 0:
            return False
        link = row["link"]
        if (path := addresses.path_of(link)) and not addresses.post_id(link):
            self.add_address(path, row["id"])
        for host in {addresses.host_of(one) for one in (row["guid"], link, row["url"])}:
            self._db.execute("INSERT OR IGNORE INTO host VALUES (?)", (host,))
        if row["upload"]:
            self._db.execute("INSERT OR IGNORE INTO upload VALUES (?, ?)", (row["upload"], row["id"]))
        return True

    def is_earlier(self, item_id: str) -> bool:
        """Whether an earlier part brought this item, and these files do not have it."""
        return bool(self._one("SELECT is_earlier FROM item WHERE id = ?", item_id))

    def said(self, kinds: Iterable[str]) -> Iterator[dict[str, Any]]:
        """What later parts may need to know of the items of these kinds in these files."""
        wanted = list(kinds)
        marks = ", ".join("?" * len(wanted))
        rows = self._db.execute(
            f"SELECT {', '.join(SAID)} FROM item WHERE is_earlier = 0 AND kind IN ({marks}) ORDER BY id",  # noqa: S608
            wanted,
        )
        yield from (dict(zip(SAID, row, strict=True)) for row in rows)

    def children_of_earlier(self) -> list[tuple[str, str, str]]:
        """(number, link, parent) of attachments of these files that belong to an article of an earlier part."""
        return self._db.execute(
            "SELECT one.id, one.link, one.parent FROM item one JOIN item other ON other.id = one.parent"
            " WHERE one.kind = 'attachment' AND one.is_earlier = 0 AND other.is_earlier = 1 AND other.here <> ''"
        ).fetchall()

    def add_address(self, path: str, item_id: str) -> None:
        """An item was at this path."""
        self._db.execute("INSERT OR IGNORE INTO address VALUES (?, ?)", (path, item_id))

    def was_host(self, host: str) -> bool:
        """Whether the site had this name once: what WordPress calls an item for good begins with it."""
        return bool(host) and self._one("SELECT 1 FROM host WHERE name = ?", host) is not None

    def articles(self, kinds: Iterable[str]) -> Iterator[tuple[str, str, str]]:
        """(number, slug there, title) of every item of these kinds, the oldest number first."""
        wanted = list(kinds)
        marks = ", ".join("?" * len(wanted))
        yield from self._db.execute(
            f"SELECT id, slug, title FROM item WHERE kind IN ({marks})"  # noqa: S608
            " AND is_earlier = 0 AND status NOT IN ('trash', 'auto-draft') ORDER BY CAST(id AS INTEGER), id",
            wanted,
        ).fetchall()

    def set_slug(self, item_id: str, slug: str) -> None:
        """The address that an item has here."""
        self._db.execute("UPDATE item SET here = ? WHERE id = ?", (slug, item_id))

    def set_came(self, item_id: str, at: datetime) -> None:
        """When an article begins here that an earlier run brought."""
        self._db.execute("UPDATE item SET came = ? WHERE id = ?", (at.isoformat(), item_id))

    def came(self, item_id: str) -> datetime | None:
        known = self._one("SELECT came FROM item WHERE id = ?", item_id)
        return datetime.fromisoformat(known) if known else None

    def slug_here(self, item_id: str) -> str:
        return self._one("SELECT here FROM item WHERE id = ?", item_id) or ""

    def is_taken(self, slug: str) -> bool:
        return self._one("SELECT 1 FROM item WHERE here = ?", slug) is not None

    def published(self, kind: str) -> list[tuple[str, str]]:
        """(title, content) of every item of this kind that was in force, of these files and of earlier parts."""
        return self._db.execute(
            "SELECT title, content FROM item WHERE kind = ? AND status = 'publish' ORDER BY CAST(id AS INTEGER), id",
            (kind,),
        ).fetchall()

    def line_of(self, item_id: str) -> tuple[tuple[str, ...], bool]:
        """The items above this one, the nearest first, and whether all of them are known."""
        found: list[str] = []
        at = self.parent(item_id)
        while at not in ("", "0") and at not in found:
            found.append(at)
            if not self.kind(at):
                return tuple(found), False
            at = self.parent(at)
        return tuple(found), True

    def is_open(self, item_id: str) -> bool:
        """Whether everybody could read it there."""
        return bool(self._one("SELECT is_open FROM item WHERE id = ?", item_id))

    def title(self, item_id: str) -> str:
        return self._one("SELECT title FROM item WHERE id = ?", item_id) or ""

    def kind(self, item_id: str) -> str:
        return self._one("SELECT kind FROM item WHERE id = ?", item_id) or ""

    def parent(self, item_id: str) -> str:
        return self._one("SELECT parent FROM item WHERE id = ?", item_id) or ""

    def link(self, item_id: str) -> str:
        return self._one("SELECT link FROM item WHERE id = ?", item_id) or ""

    def at_path(self, path: str) -> str | None:
        """The item at a path of the old site."""
        found: str | None = self._one("SELECT id FROM address WHERE path = ?", path)
        return found

    def item_at(self, address: str) -> str | None:
        """The item that an address of the old site leads to, by its number or its path."""
        if number := addresses.post_id(address):
            return number
        found = (self.at_path(path) for path in addresses.forms(addresses.path_of(address)))
        return next((number for number in found if number), None)

    def item_called(self, address: str) -> str | None:
        """The item that has this address as its name for good."""
        bare = address.partition("#")[0].partition("://")[2]
        found: str | None = self._one(
            "SELECT id FROM item WHERE guid IN (?, ?)", f"http://{bare}", f"https://{bare}"
        )
        return found

    # What texts refer to (`content.Library`)

    def attached(self, post_id: str) -> Attached | None:
        row = self._db.execute(
            "SELECT url, alt, caption, title FROM item WHERE id = ? AND kind = 'attachment'", (post_id,)
        ).fetchone()
        if not row or not row[0]:
            self.missed.add(f"#{post_id}")
            return None
        return Attached(*row)

    def attached_to(self, post_id: str) -> list[str]:
        rows = self._db.execute(
            "SELECT id FROM item WHERE parent = ? AND kind = 'attachment' ORDER BY position, CAST(id AS INTEGER)",
            (post_id,),
        )
        found = [row[0] for row in rows]
        self.missed.add(f"^{post_id}:{len(found)}")
        return found

    def reusable(self, post_id: str) -> str | None:
        row: str | None = self._one("SELECT content FROM item WHERE id = ? AND kind = 'wp_block'", post_id)
        if row is None:
            self.missed.add(f"#{post_id}")
        else:
            self._db.execute("UPDATE item SET is_used = 1 WHERE id = ?", (post_id,))
        return row

    # Files

    def is_whole(self, upload: str) -> bool:
        """Whether an attachment's own file is of this name, however much that looks like a size of another one."""
        return self._one("SELECT 1 FROM upload WHERE path = ?", upload) is not None

    def attachment_of(self, upload: str) -> str | None:
        """The attachment whose file this is, in whichever size."""
        for name in addresses.candidates(upload, is_whole=True):
            if found := self._one("SELECT id FROM upload WHERE path = ?", name):
                return str(found)
        return None

    def upload_of(self, attachment_id: str) -> str:
        return self._one("SELECT upload FROM item WHERE id = ?", attachment_id) or ""

    def use(self, item_id: str, *, is_here: bool) -> None:
        """An article needs this attachment; `is_here`: and its file is stored here."""
        self._db.execute(
            "UPDATE item SET is_used = max(is_used, ?) WHERE id = ?", (2 if is_here else 1, item_id)
        )

    def attachments(self) -> list[tuple[int, int]]:
        """(2: used and here, 1: used, 0: not used; how many)."""
        return self._db.execute(
            "SELECT is_used, count(*) FROM item WHERE kind = 'attachment' AND is_earlier = 0"
            " GROUP BY is_used ORDER BY is_used DESC"
        ).fetchall()

    def reusables(self) -> list[tuple[int, int]]:
        """(whether used, how many)."""
        return self._db.execute(
            "SELECT min(is_used, 1), count(*) FROM item WHERE kind = 'wp_block' AND is_earlier = 0 GROUP BY 1"
        ).fetchall()
