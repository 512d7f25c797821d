"""Threads: order, depth, the count, and what happens around a response that is not shown."""

from datetime import UTC, datetime, timedelta

from app.articles.threads import DEEPEST, Response, ResponseRow, build, count

AT = datetime(2026, 3, 1, tzinfo=UTC)


def row(n: int, parent: int | None = None, *, shown: bool = True) -> ResponseRow:
    parent_id = str(parent) if parent else None
    name, words = (f"P{n}", f"<p>{n}</p>") if shown else ("", "")
    return ResponseRow(str(n), parent_id, name, words, False, "approved" if shown else "removed", AT)


def outline(items: list[Response]) -> list[object]:
    """Nested names, with the answered name where it is told."""
    found: list[object] = []
    for item in items:
        name = "…" if item.is_placeholder else item.name
        found.append(f"{name}>{item.answers_name}" if item.answers_name else name)
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


def test_a_removed_response_keeps_its_place_where_it_is_answered_and_is_not_counted() -> None:
    rows = [row(1), row(2, 1, shown=False), row(3, 2), row(4, shown=False), row(5, 4), row(6, 1, shown=False)]
    assert outline(build(rows)) == ["P1", ["…", ["P3"]], "…", ["P5"]]
    assert count(rows) == 3


def test_one_that_only_its_writer_sees_is_there_and_not_counted() -> None:
    mine = ResponseRow("2", "1", "Me", "<p>Hm.</p>", False, "spam", AT, is_mine=True)
    (first,) = build([row(1), mine])
    (own,) = first.replies
    assert (own.name, own.is_held, own.is_placeholder) == ("Me", True, False)
    assert own.can_edit(AT + timedelta(minutes=9, seconds=59))
    assert not own.can_edit(AT + timedelta(minutes=10))
    assert not first.can_edit(AT)
    assert count([row(1), mine]) == 1


def test_a_circle_or_a_missing_parent_loses_nobody_and_ends() -> None:
    rows = [row(1, 2, shown=False), row(2, 1, shown=False), row(3, 1), row(4, 99), row(5, 5)]
    assert outline(build(rows)) == ["…", ["…", ["P3"]], "P4", "P5"]


def test_a_circle_of_shown_ones_shows_each_once() -> None:
    assert outline(build([row(1, 3), row(2, 1), row(3, 2)])) == ["P2", ["P3", ["P1"]]]


def test_a_thread_deeper_than_the_stack_is_drawn() -> None:
    rows = [row(n, n - 1 if n > 1 else None) for n in range(1, 3_001)]
    item, depth = build(rows)[0], 1
    while item.replies:
        item, depth = item.replies[0], depth + 1
    assert depth == DEEPEST
