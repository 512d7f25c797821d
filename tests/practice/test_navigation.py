"""The links at the head and the foot: what every site begins with, what is kept, and what may not be saved."""

import pytest

from app.practice.navigation import (
    DESTINATIONS,
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


def test_a_link_moves_up_and_the_first_one_stays() -> None:
    menu = Navigation((Kept("/a"), Kept("/b"), Kept("/c")), (Kept("/d"), Kept("/e")))
    assert [link.to for link in menu.moved_up("header", 2).header] == ["/a", "/c", "/b"]
    assert [link.to for link in menu.moved_up("footer", 1).footer] == ["/e", "/d"]
    for place, at in (("header", 0), ("header", 3), ("footer", -1), ("nowhere", 1)):
        assert menu.moved_up(place, at) == menu


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
        tuple(Kept("/articles") for _n in range(13)),
    ],
)
@pytest.mark.parametrize("place", ["header", "footer"])
def test_what_cannot_be_saved_gets_a_sentence_at_its_place(wrong: tuple[Kept, ...], place: str) -> None:
    menu = Navigation(header=wrong) if place == "header" else Navigation(footer=wrong)
    assert set(check(menu, [ABOUT])) == {place}


def test_our_own_destinations_and_pages_need_no_name() -> None:
    menu = Navigation(tuple(Kept(to) for to in DESTINATIONS), (Kept("page:1"), Kept("/a-path", "A path")))
    assert check(menu, [ABOUT]) == {}
