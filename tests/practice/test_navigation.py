"""The links at the head and the foot: what every site begins with, what is kept, and what may not be saved."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.practice.menu_rows import Row, can_move, flat, moved, nested
from app.practice.navigation import (
    DESTINATIONS,
    HEADING,
    Kept,
    Link,
    Navigation,
    PageLink,
    check,
    from_json,
    is_address,
    links,
)

ABOUT = PageLink("1", "about", "About me")
PRIVACY = PageLink("2", "privacy", "Privacy")


def test_a_new_site_leads_to_articles_courses_and_contact_and_to_the_pages_that_it_has() -> None:
    menu = from_json(None, [PRIVACY, ABOUT])
    assert not menu.is_own
    assert [link.href for link in links(menu.header, [])] == ["/articles", "/courses", "/body", "/contact"]
    assert links(menu.footer, [PRIVACY, ABOUT]) == (
        Link("/about", "About me"),
        Link("/privacy", "Privacy"),
        Link("/contact", "Send me an email"),
    )


def test_what_was_kept_comes_back_in_its_order_with_its_names() -> None:
    own = Navigation(
        (Kept("/plans", "Join"), Kept("page:1")), (Kept("https://example.com/", "Shop"),), is_own=True
    )
    again = from_json(own.as_json())
    assert again == own
    assert again.is_own
    assert links(again.header, [ABOUT]) == (Link("/plans", "Join"), Link("/about", "About me"))
    assert links(again.footer, []) == (Link("https://example.com/", "Shop"),)


def test_a_page_that_is_gone_takes_its_link_with_it() -> None:
    assert links((Kept("page:1", "Me"), Kept("/courses")), []) == (Link("/courses", "Courses"),)


MENU = (Kept("/body", "", (Kept("/muscles", "Muscles"), Kept("page:1"))), Kept("/contact"))


def test_links_below_a_link_are_kept_and_shown_below_it() -> None:
    own = Navigation(MENU, (Kept(HEADING, "Small print", (Kept("page:2"),)),), is_own=True)
    assert from_json(own.as_json()) == own
    assert "items" not in own.as_json()["header"][1]
    assert links(own.header, [ABOUT]) == (
        Link("/body", "Body", (Link("/muscles", "Muscles"), Link("/about", "About me"))),
        Link("/contact", "Contact"),
    )
    assert links(own.footer, [PRIVACY]) == (Link("", "Small print", (Link("/privacy", "Privacy"),)),)
    assert links(own.footer, []) == (), "a heading of nothing is nothing"


def test_what_is_below_a_page_that_is_gone_stands_in_its_place() -> None:
    menu = (Kept("page:9", "Me", (Kept("/courses"), Kept("page:1"))), Kept("/contact"))
    assert [link.href for link in links(menu, [ABOUT])] == ["/courses", "/about", "/contact"]


def test_rows_of_a_form_are_the_links_again() -> None:
    rows = flat(MENU)
    assert [(row.to, row.is_below) for row in rows] == [
        ("/body", False),
        ("/muscles", True),
        ("page:1", True),
        ("/contact", False),
    ]
    assert nested(rows) == MENU
    # Without its link, what was below stands by itself, and not below the link above.
    without = [Row("/plans"), replace(rows[0], to=""), *rows[1:]]
    assert [(link.to, link.items) for link in nested(without)] == [
        (to, ()) for to in ("/plans", "/muscles", "page:1", "/contact")
    ]


@pytest.mark.parametrize(
    ("what", "at", "told"),
    [
        ("up", 3, "d a .b .c"),
        ("up", 2, "a .c .b d"),
        ("up", 1, "a .b .c d"),
        ("up", 0, "a .b .c d"),
        ("in", 3, "a .b .c .d"),
        ("in", 0, "a .b .c d"),
        ("out", 1, "a b .c d"),
        ("out", 2, "a .b c d"),
        ("out", 3, "a .b .c d"),
        ("up", 4, "a .b .c d"),
        ("in", -1, "a .b .c d"),
        ("away", 1, "a .b .c d"),
    ],
)
def test_a_button_moves_one_row(what: str, at: int, told: str) -> None:
    rows = [Row("a"), Row("b", is_below=True), Row("c", is_below=True), Row("d")]
    after = moved(rows, what, at)
    assert " ".join(f"{'.' if row.is_below else ''}{row.to}" for row in after) == told
    assert can_move(rows, what, at) == (told != "a .b .c d")


ROWS = st.lists(st.builds(Row, st.sampled_from(["", "/a", "/b", HEADING]), st.just(""), st.booleans()))


@given(ROWS, st.sampled_from(["up", "in", "out"]), st.integers(0, 9))
def test_no_button_and_no_saving_loses_a_link(rows: list[Row], what: str, at: int) -> None:
    kept = sorted(row.to for row in rows if row.to)
    after = nested(moved(rows, what, at))
    assert sorted(row.to for row in flat(after)) == kept
    assert nested(flat(after)) == after
    assert all(not item.items for link in after for item in link.items)


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com",
        "http://example.com/a?b#c",
        "mailto:me@example.com",
        "tel:+18085550142",
        "/x",
        "/",
    ],
)
def test_addresses_that_a_link_may_have(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "javascript:alert(1)",
        "//evil.example",
        "/\\evil.example",
        "https://",
        "ftp://example.com",
        "data:text/html,x",
        "/a b",
        "https://exa mple.com",
        "/" + "a" * 300,
        "page:7",
        " /x",
        "/x\n",
    ],
)
def test_addresses_that_a_link_may_not_have(text: str) -> None:
    assert not is_address(text)


@pytest.mark.parametrize(
    "wrong",
    [
        (Kept("javascript:alert(1)", "Me"),),
        (Kept("page:9", "A page that is gone"),),
        (Kept("https://example.com"),),
        (Kept("/articles", "x" * 61),),
        (Kept(HEADING, "Read"),),
        (Kept(HEADING, "", (Kept("/articles"),)),),
        (Kept("/articles", "", (Kept(HEADING, "Read"),)),),
        (Kept("/articles", "", (Kept("javascript:alert(1)", "Me"),)),),
        (Kept("/articles", "", tuple(Kept("/plans") for _n in range(13))),),
        tuple(Kept("/articles") for _n in range(13)),
    ],
)
@pytest.mark.parametrize("place", ["header", "footer"])
def test_what_cannot_be_saved_gets_a_sentence_at_its_place(wrong: tuple[Kept, ...], place: str) -> None:
    menu = Navigation(header=wrong) if place == "header" else Navigation(footer=wrong)
    assert set(check(menu, [ABOUT])) == {place}


def test_our_own_destinations_and_pages_need_no_name() -> None:
    below = (Kept("/muscles", "Muscles"), Kept("page:1"))
    footer = (Kept(HEADING, "More", below), Kept("/a-path", "A path"))
    assert check(Navigation(tuple(map(Kept, DESTINATIONS)), footer), [ABOUT]) == {}
