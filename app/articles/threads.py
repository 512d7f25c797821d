"""Responses as a tree, indented to four levels; deeper ones line up on the fourth and name whom they answer."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from app.articles.letting_in import is_editable

DEEPEST = 4


class ResponseRow(NamedTuple):
    """One response as stored, without its email address. Only those that this reader sees carry name and words.

    `is_mine`: the reader wrote it, and sees it also while it is not approved. A tuple with its ids as text: a page may
    have hundreds.
    """

    id: str
    parent_id: str | None
    name: str
    body_html: str
    is_author: bool
    state: str
    created_at: datetime
    is_mine: bool = False
    is_edited: bool = False

    @property
    def is_shown(self) -> bool:
        return self.state == "approved" or self.is_mine


@dataclass(slots=True)
class Response:
    """One response and the answers under it. `answers_name` is set where the indent no longer tells.

    One that is not shown stands for itself as a placeholder, where others that are shown answer it.
    """

    row: ResponseRow
    depth: int
    answers_name: str | None = None
    replies: list["Response"] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def name(self) -> str:
        return self.row.name

    @property
    def is_author(self) -> bool:
        return self.row.is_author

    @property
    def created_at(self) -> datetime:
        return self.row.created_at

    @property
    def is_placeholder(self) -> bool:
        return not self.row.is_shown

    @property
    def is_held(self) -> bool:
        """Only who wrote it sees it. Spam looks the same to them."""
        return self.row.is_mine and self.row.state != "approved"

    def can_edit(self, now: datetime) -> bool:
        return self.row.is_mine and is_editable(self.row.created_at, now)


def _parents(rows: Sequence[ResponseRow]) -> dict[str, str | None]:
    """The parent of each response that stands on the page: shown ones, and all that they answer, however far up."""
    by_id = {row.id: row for row in rows}
    found: dict[str, str | None] = {}
    for row in rows:
        at: ResponseRow | None = row if row.is_shown else None
        way: dict[str, None] = {}
        while at is not None and at.id not in found:
            way[at.id] = None
            parent = by_id.get(at.parent_id) if at.parent_id else None
            # A circle ends where it closes, so that it loses nobody.
            is_closed = parent is not None and parent.id in way
            found[at.id] = parent.id if parent and not is_closed else None
            at = parent
    return found


def build(rows: Sequence[ResponseRow]) -> list[Response]:
    """The responses that stand on the page as a tree; siblings keep the order of `rows`."""
    parents = _parents(rows)
    children: dict[str | None, list[ResponseRow]] = defaultdict(list)
    for row in rows:
        if row.id in parents:
            children[parents[row.id]].append(row)
    roots = [Response(row, 1) for row in children[None]]
    # Depth first without recursion: a thread may be deeper than Python's stack.
    todo = [(root, roots) for root in reversed(roots)]
    while todo:
        node, siblings = todo.pop()
        if node.depth < DEEPEST:
            node.replies = [Response(row, node.depth + 1) for row in children[node.row.id]]
            todo.extend((reply, node.replies) for reply in reversed(node.replies))
            continue
        flat = [Response(row, DEEPEST, node.row.name or None) for row in children[node.row.id]]
        place = next(i for i, sibling in enumerate(siblings) if sibling is node) + 1
        siblings[place:place] = flat
        todo.extend((reply, siblings) for reply in reversed(flat))
    return roots


def count(rows: Sequence[ResponseRow]) -> int:
    """How many everybody sees, as in "8 Responses to …"."""
    return sum(row.state == "approved" for row in rows)


def has_own(rows: Sequence[ResponseRow]) -> bool:
    """Whether the page shows what is only for this reader."""
    return any(row.is_mine for row in rows)
