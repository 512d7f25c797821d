"""Responses line by line: the lists that open and close make the tree that they were."""

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.articles.threads import Response, ResponseRow, build
from app.templating import environment
from app.web.response_lines import lines

AT = datetime(2026, 3, 1, tzinfo=UTC)
PARENTS = st.lists(st.integers(0, 30), max_size=30)


class Tree(HTMLParser):
    """Reads the nested lists back: (id, [replies])."""

    def __init__(self) -> None:
        super().__init__()
        self.roots: list[tuple[int, list[object]]] = []
        self.open: list[list[tuple[int, list[object]]]] = [self.roots]
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "ol" and self.open[-1]:
            self.open.append(self.open[-1][-1][1])  # type: ignore[arg-type]
        given = dict(attrs)
        if tag == "article":
            found = str(given["id"]).removeprefix("response-")
            self.open[-1].append((UUID(found).int, []))

    def handle_endtag(self, tag: str) -> None:
        assert self.tags.pop() == tag
        if tag == "ol" and len(self.open) > 1:
            self.open.pop()


def row(n: int, parent: int) -> ResponseRow:
    parent_id = str(UUID(int=parent)) if parent else None
    return ResponseRow(
        str(UUID(int=n)), parent_id, f"P<{n}>", "<p>Yes</p>", n % 3 == 0, "approved", AT + timedelta(hours=n)
    )


def tree(items: list[Response]) -> list[tuple[int, list[object]]]:
    return [(UUID(item.id).int, list(tree(item.replies))) for item in items]


@given(PARENTS)
def test_the_lists_nest_as_the_answers_do(parents: list[int]) -> None:
    made = build([row(n, parent if parent < n else 0) for n, parent in enumerate(parents, 1)])
    macro = environment().get_template("_parts/responses.html").module
    reader = Tree()
    reader.feed(str(macro.response_list(lines(made, AT), "/articles/a", "T")))  # type: ignore[attr-defined]
    assert reader.tags == []
    assert reader.roots == tree(made)


@pytest.mark.parametrize("reply_url", [None, "/articles/a"])
def test_names_are_escaped_and_replies_are_offered_where_they_are_open(reply_url: str | None) -> None:
    macro = environment().get_template("_parts/responses.html").module
    text = str(macro.response_list(lines(build([row(1, 0), row(2, 1)]), AT), reply_url, "T"))  # type: ignore[attr-defined]
    assert "P&lt;1&gt;" in text
    assert "P<1>" not in text
    assert "<p>Yes</p>" in text
    assert text.count("?reply=") == (2 if reply_url else 0)
