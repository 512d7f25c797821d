"""A site's menus become the links of every page here, once, and never against what the teacher chose."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app import db
from app.articles.models import Article
from app.clock import utcnow
from app.practice.models import Practice
from app.practice.queries import practice
from tests.moving.wordpress.exports import SITE, Export, Item
from tests.moving.wordpress.running import Told, articles, run

pytestmark = pytest.mark.usefixtures("database")


def line(number: int, title: str = "", menu: str = "Main", parent: int = 0, **meta: str) -> Item:
    """A menu's line; `meta`: type, object, object_id, url."""
    fields = [(f"_menu_item_{name}", value) for name, value in meta.items()]
    return Item(
        number,
        title=title,
        body="",
        kind="nav_menu_item",
        order=number,
        terms=[("nav_menu", menu.lower(), menu)],
        meta=[*fields, ("_menu_item_menu_item_parent", str(parent))],
    )


def to_item(number: int, target: int, title: str = "", what: str = "page", **rest: Any) -> Item:
    return line(number, title, type="post_type", object=what, object_id=str(target), **rest)


def to_url(number: int, title: str, url: str, **rest: Any) -> Item:
    return line(number, title, type="custom", object="custom", object_id=str(number), url=url, **rest)


TERMS = [("category", "hips", "Hips"), ("category", "empty", "Empty"), ("nav_menu", "main", "Main")]
PAGES = [
    Item(1, title="About me", slug="about", kind="page", link=f"{SITE}/about/"),
    Item(2, title="Contact", slug="contact", kind="page", link=f"{SITE}/contact/"),
    Item(3, title="Prices", slug="prices", kind="page", status="draft"),
    Item(4, title="Hip pain", slug="hip-pain", terms=[("category", "hips", "Hips")]),
    Item(5, title="Sketch", slug="sketch", status="draft"),
    Item(6, title="Imprint", slug="imprint", kind="page", link=f"{SITE}/imprint/"),
]
MENUS = [
    to_url(30, "Start", f"{SITE}/"),
    to_item(31, 1),
    to_url(32, "Read", "#"),
    line(33, "Hips", type="taxonomy", object="category", object_id="2", parent=32),
    to_item(34, 4, "The hip", what="post", parent=32),
    to_item(35, 1, "Below", parent=34),
    to_item(36, 3),
    to_item(37, 5, what="post"),
    to_url(38, "Shop", "https://shop.example.com/mats"),
    to_url(39, "Call", "tel:+18085550142"),
    to_url(40, "Nowhere", f"{SITE}/gone/"),
    to_url(41, "Reach me", "/contact/"),
    line(42, "Empty", type="taxonomy", object="category", object_id="3"),
    to_item(50, 6, menu="Footer"),
    to_url(60, "Elsewhere", "https://social.example.com/eva", menu="Social"),
]


async def below() -> dict[str, list[tuple[str, str]]]:
    """The name of each link at the head that opens others → (where, name) of those."""
    async with db.transaction() as session:
        facts = await practice(session)
    return {
        top.label: [(one.href, one.label) for one in top.items] for top in facts.header_links if top.items
    }


async def shown() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(where, name) of the links at the head and the foot, as visitors get them."""
    async with db.transaction() as session:
        facts = await practice(session)
    return (
        [(link.href, link.label) for link in facts.header_links],
        [(link.href, link.label) for link in facts.footer_links],
    )


async def kept() -> dict[str, Any] | None:
    async with db.transaction() as session:
        return await session.scalar(select(Practice.navigation))


def write(folder: Path, *menus: Item, name: str = "export.xml") -> Path:
    return Export(items=[*PAGES, *(menus or MENUS)], terms=TERMS).write(folder, name)


def outcomes(told: Told) -> str:
    return next(row.strip() for row in told.text.splitlines() if row.strip().startswith("nav_menu_item:"))


async def test_menus_become_the_links_of_every_page(tmp_path: Path) -> None:
    told = await run(write(tmp_path))
    assert told.differing == []
    head, foot = await shown()
    assert head == [
        ("/", "Start"),
        ("/about", "About me"),
        ("", "Read"),
        ("https://shop.example.com/mats", "Shop"),
        ("tel:+18085550142", "Call"),
        # A page of that name does not hide the form of this site.
        ("/articles/contact", "Reach me"),
        ("/articles", "Articles"),
        ("/courses", "Courses"),
    ]
    # "Below" stood below "The hip", which stands below "Read".
    assert await below() == {
        "Read": [("/articles/tag/hips", "Hips"), ("/articles/hip-pain", "The hip"), ("/about", "Below")]
    }
    assert foot == [("/imprint", "Imprint"), ("/contact", "Contact")]
    assert outcomes(told) == (
        "nav_menu_item: 10 now links at the head or the foot of each page,"
        " 3 listed: what they lead to is not here,"
        " 1 now links below one at the head or the foot, where they stood deeper,"
        " 1 listed: a heading of nothing that is here, or of a further menu"
    )
    for row in (
        "Main: About me → /about (now links",
        "Main: Nowhere → nothing here (listed: what",
        "Main: Sketch → nothing here (listed: what",
        "Main: Read → a heading (now links",
        "Main: – Below → /about (now links below one",
        "Social: Elsewhere → https://social.example.com/eva (listed: a heading",
    ):
        assert row in told.text, row


async def test_a_page_that_is_a_draft_appears_with_its_publication(tmp_path: Path) -> None:
    await run(write(tmp_path))
    async with db.transaction() as session:
        row = (await session.scalars(select(Article).where(Article.title == "Prices"))).one()
        row.state, row.published_at = "published", utcnow()
    assert ("/prices", "Prices") in (await shown())[0]


async def test_a_dry_run_tells_the_same_and_writes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path)
    dry = await run(path, is_dry=True)
    assert await kept() is None
    assert dry.changes > 0
    done = await run(path)
    assert outcomes(dry) == outcomes(done)
    assert "Main: About me → /about (now links" in dry.text


async def test_a_second_run_changes_nothing_and_says_so(tmp_path: Path) -> None:
    path = write(tmp_path)
    await run(path)
    before = await kept()
    for is_dry in (True, False):
        again = await run(path, is_dry=is_dry)
        assert (again.changes, again.differing) == (0, [])
        assert "links at the head or the foot of each page already" in outcomes(again)
    assert await kept() == before


async def test_a_newer_export_brings_its_new_menu(tmp_path: Path) -> None:
    await run(write(tmp_path))
    told = await run(write(tmp_path, to_item(31, 1, "Who I am"), name="newer.xml"))
    assert told.changes == 1
    head, foot = await shown()
    assert head == [("/about", "Who I am"), ("/articles", "Articles"), ("/courses", "Courses")]
    assert foot == [("/imprint", "Imprint"), ("/contact", "Contact")], "which no menu is for now"


@pytest.mark.parametrize("is_before", [True, False])
async def test_links_that_the_teacher_chose_are_left_and_the_menus_listed(
    tmp_path: Path, is_before: bool
) -> None:
    own = {"header": [{"to": "/plans", "label": ""}], "footer": []}
    path = write(tmp_path)
    if not is_before:
        await run(path)
    async with db.transaction() as session:
        await session.merge(Practice(id=1, navigation=own))
    told = await run(path)
    assert await kept() == own
    assert told.differing == []
    assert "11 listed: the links here were chosen in the studio" in outcomes(told)
    assert "Main: About me → /about (listed: the links here" in told.text


async def test_only_so_many_links_as_a_place_holds(tmp_path: Path) -> None:
    many = [to_url(100 + n, f"Site {n}", f"https://a{n}.example.com/") for n in range(20)]
    told = await run(write(tmp_path, *many))
    assert len((await shown())[0]) == 12
    assert outcomes(told) == (
        "nav_menu_item: 12 now links at the head or the foot of each page,"
        " 8 listed: a place holds 12 links, and 12 below each"
    )


async def test_what_is_below_a_line_that_leads_nowhere_stands_in_its_place_and_no_place_is_endless(
    tmp_path: Path,
) -> None:
    menus = [
        to_url(30, "Gone", f"{SITE}/gone/"),
        to_item(31, 1, parent=30),
        to_url(32, "Empty", "#"),
        to_url(33, "Nobody", f"{SITE}/nobody/", parent=32),
        to_url(34, "Sites", "#"),
        *[to_url(100 + n, f"Site {n}", f"https://a{n}.example.com/", parent=34) for n in range(14)],
    ]
    told = await run(write(tmp_path, *menus))
    assert told.differing == []
    assert [label for _href, label in (await shown())[0]] == ["About me", "Sites", "Articles", "Courses"]
    assert [label for _href, label in (await below())["Sites"]] == [f"Site {n}" for n in range(12)]
    assert outcomes(told) == (
        "nav_menu_item: 14 now links at the head or the foot of each page,"
        " 2 listed: what they lead to is not here,"
        " 2 listed: a place holds 12 links, and 12 below each,"
        " 1 listed: a heading of nothing that is here, or of a further menu"
    )


async def test_what_no_browser_may_follow_is_never_a_link(tmp_path: Path) -> None:
    hostile = [
        to_url(30, "A", "javascript:alert(1)"),
        to_url(31, "B", "//evil.example.com/x"),
        to_url(32, "C", "/\\evil.example.com"),
        to_url(33, "D", "https://" + "x" * 400),
        to_url(34, "E", "http://[bad"),
        to_item(35, 10**9, "F"),
        line(36, "G"),
        to_url(37, "H", "#", parent=38),
        to_url(38, "I", "#", parent=37),
        to_item(39, 1, "J", parent=39),
    ]
    told = await run(write(tmp_path, *hostile))
    assert told.differing == []
    assert await kept() is None
    assert set(await articles()) == {item.title for item in PAGES}
