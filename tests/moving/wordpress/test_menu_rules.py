"""Which menu stands where, told by its name, and its lines in their order: without a database."""

from dataclasses import replace

import pytest

from app.moving.wordpress.menu_rules import Line, choose


def of(menu: str, *ids: str) -> list[Line]:
    return [Line(one, menu, "0", n, one, "custom", "", "", "https://x.example/") for n, one in enumerate(ids)]


@pytest.mark.parametrize(
    ("menus", "head", "foot"),
    [
        ([of("Menu 1", "a", "b")], "ab", ""),
        ([of("Short", "a"), of("Long", "b", "c")], "bc", ""),
        ([of("Long", "b", "c"), of("primary-menu", "a")], "a", ""),
        ([of("Footer menu", "f"), of("Header_Menu", "h")], "h", "f"),
        ([of("Fußzeile", "f"), of("Hauptmenü", "h"), of("x", "1", "2")], "h", "f"),
        ([of("Social links", "s", "t", "u"), of("Left", "l")], "l", ""),
        ([of("Legal", "l")], "", "l"),
        ([], "", ""),
    ],
)
def test_a_menus_name_tells_where_it_stood(menus: list[list[Line]], head: str, foot: str) -> None:
    found = choose(line for menu in menus for line in menu)
    assert tuple("".join(one.line.id for one in place) for place in found) == (head, foot)


def told(lines: list[Line]) -> list[tuple[str, str]]:
    return [(one.line.id, "".join(line.id for line in one.below)) for one in choose(lines)[0]]


def test_lines_stand_in_their_order_with_all_that_is_below_them() -> None:
    a, b, c, d, e = of("Main", "a", "b", "c", "d", "e")
    deep = replace(d, id="g", parent="f", order=9)
    lines = [e, d, deep, replace(c, parent="b"), replace(a, order=5), b, replace(d, id="f", parent="a")]
    assert told(lines) == [("b", "c"), ("d", ""), ("e", ""), ("a", "fg")]


def test_lines_that_are_below_themselves_come_once_or_never() -> None:
    a, b, c = of("Main", "a", "b", "c")
    assert told([a, replace(b, parent="c"), replace(c, parent="b")]) == [("a", "")]
    assert told([a, replace(a, parent="a", title="again")]) == [("a", "a")]
