"""Threads: order, depth, the count, and what happens around a response that is not shown."""

from datetime import UTC, datetime
from uuid import UUID

from app.articles.threads import DEEPEST, Response, ResponseRow, build, count

AT = datetime(2026, 3, 1, tzinfo=UTC)


def row(n: int, parent: int | None = None, *, shown: bool = True) -> ResponseRow:
    parent_id = UUID(int=parent) if parent else None
    name, words = (f"P{n}", f"<p>{n}</p>") if shown else ("", "")
    return ResponseRow(UUID(int=n), parent_id, name, words, False, shown, AT)


def outline(items: list[Response]) -> list[object]:
    """Nested names, with the answered name where it is told."""
    found: list[object] = []
    for item in items:
        found.append(f"{item.name}>{item.answers_name}" if item.answers_name else item.name)
        if item.replies:
            found.append(outline(item.replies))
    return found


def test_answers_stand_under_what_they_answer_in_the_order_of_writing() -> None:
    rows = [row(1), row(2), row(3, 1), row(4, 2), row(5, 1), row(6, 3)]
    assert outline(build(rows)) == ["P1", ["P3", ["P6"], "P5"], "P2", ["P4"]]
    assert count(rows) == 6


def test_below_the_fourth_level_answers_line_up_and_name_whom_they_answer() -> None:
    rows = [row(1), row(2, 1), row(3, 2), row(4, 3), row(5, 4), row(6, 5), row(7, 3)]
    assert outline(build(rows)) == ["P1", ["P2", ["P3", ["P4", "P5>P4", "P6>P5", "P7"]]]]


def test_a_removed_response_does_not_take_its_answers_with_it() -> None:
    rows = [row(1), row(2, 1, shown=False), row(3, 2), row(4, shown=False), row(5, 4)]
    assert outline(build(rows)) == ["P1", ["P3"], "P5"]
    assert count(rows) == 3


def test_a_circle_or_a_missing_parent_loses_nobody_and_ends() -> None:
    rows = [row(1, 2, shown=False), row(2, 1, shown=False), row(3, 1), row(4, 99)]
    assert outline(build(rows)) == ["P3", "P4"]


def test_a_thread_deeper_than_the_stack_is_drawn() -> None:
    rows = [row(n, n - 1 if n > 1 else None) for n in range(1, 3_001)]
    item, depth = build(rows)[0], 1
    while item.replies:
        item, depth = item.replies[0], depth + 1
    assert depth == DEEPEST
