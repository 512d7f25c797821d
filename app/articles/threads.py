"""Responses as a tree, indented to four levels; deeper ones line up on the fourth and name whom they answer."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from markupsafe import Markup

DEEPEST = 4


@dataclass(frozen=True)
class ResponseRow:
    """One response as stored, without its email address. Only `is_shown` ones carry words."""

    id: UUID
    parent_id: UUID | None
    name: str
    body_html: str
    is_author: bool
    is_shown: bool
    created_at: datetime


@dataclass
class Response:
    """One shown response and the answers under it. `answers_name` is set where the indent no longer tells."""

    row: ResponseRow
    depth: int
    answers_name: str | None = None
    replies: list["Response"] = field(default_factory=list)

    @property
    def id(self) -> UUID:
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
    def body_html(self) -> Markup:
        """Sanitised when it was written (`markdown.render_response`), so it may be shown as it is."""
        return Markup(self.row.body_html)  # noqa: S704 (the sanitised field)


def _shown_parent(row: ResponseRow, rows: dict[UUID, ResponseRow]) -> UUID | None:
    """The nearest ancestor that is shown: a removed response must not take its answers with it."""
    seen = {row.id}
    parent_id = row.parent_id
    while parent_id is not None and parent_id not in seen:
        seen.add(parent_id)
        parent = rows.get(parent_id)
        if parent is None:
            return None
        if parent.is_shown:
            return parent.id
        parent_id = parent.parent_id
    return None


def build(rows: Sequence[ResponseRow]) -> list[Response]:
    """The shown responses as a tree; siblings keep the order of `rows`. Runs in time linear in depth × count."""
    by_id = {row.id: row for row in rows}
    children: dict[UUID | None, list[ResponseRow]] = defaultdict(list)
    for row in rows:
        if row.is_shown:
            children[_shown_parent(row, by_id)].append(row)
    roots = [Response(row, 1) for row in children[None]]
    # Depth first without recursion: a thread may be deeper than Python's stack.
    todo = [(root, roots) for root in reversed(roots)]
    while todo:
        node, siblings = todo.pop()
        if node.depth < DEEPEST:
            node.replies = [Response(row, node.depth + 1) for row in children[node.row.id]]
            todo.extend((reply, node.replies) for reply in reversed(node.replies))
            continue
        flat = [Response(row, DEEPEST, node.row.name) for row in children[node.row.id]]
        place = next(i for i, sibling in enumerate(siblings) if sibling is node) + 1
        siblings[place:place] = flat
        todo.extend((reply, siblings) for reply in reversed(flat))
    return roots


def count(rows: Sequence[ResponseRow]) -> int:
    """How many are shown, as in "8 Responses to …"."""
    return sum(row.is_shown for row in rows)
