"""WordPress splits large exports: what one part leads to may stand in another, and come in a later run."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

from app import db
from app.articles.models import Article
from app.moving.models import FormerItem
from app.practice.models import Practice
from tests import factories
from tests.moving.wordpress.exports import SITE, Comment, Export, Item, picture
from tests.moving.wordpress.running import articles, old_paths, run
from tests.moving.wordpress.test_importing import uploads

pytestmark = pytest.mark.usefixtures("database")

BODY = (
    f'<a href="{SITE}/2019/05/two/">two</a> <a href="/?p=2">again</a> <a href="{SITE}/knee-file/">file</a>'
    ' <a href="/never/">never</a>\n\n[gallery ids="20"]\n\n<!-- wp:block {"ref":30} /-->'
)
ONE = Item(
    1,
    "One",
    slug="one",
    body=BODY,
    meta=[("_thumbnail_id", "22")],
    terms=[("category", "hips", "Hips")],
    comments=[Comment(100, email="ann@example.com")],
)
TWO = Item(
    2, "Two", slug="two", body=f'<a href="{SITE}/2019/05/one/">one</a>', meta=[("_thumbnail_id", "21")]
)
KNEE = picture(20, "2019/05/knee.jpg", alt="A knee", parent=1)
HAND = picture(22, "2019/05/hand.jpg", alt="A hand")
BLOCK = Item(30, "Block", kind="wp_block", body="<p>Breathe out slowly.</p>")


def _line(item_id: int, title: str, kind: str, target: str, *, url: str = "", parent: int = 0) -> Item:
    what = {"post_type": "page", "taxonomy": "category"}.get(kind, kind)
    meta = [
        ("_menu_item_type", kind),
        ("_menu_item_object", what),
        ("_menu_item_object_id", target),
        ("_menu_item_url", url),
        ("_menu_item_menu_item_parent", str(parent)),
    ]
    return Item(
        item_id,
        title,
        "",
        kind="nav_menu_item",
        order=item_id,
        terms=[("nav_menu", "main", "Main")],
        meta=meta,
    )


def _parts(folder: Path) -> tuple[Path, Path]:
    knee_page = KNEE.xml().replace(f"{SITE}/?attachment_id=20", f"{SITE}/knee-file/")
    first = Export([ONE, picture(21, "2019/05/front.jpg", alt="In front")])
    second = Export([TWO, BLOCK, HAND], extra=knee_page)
    return first.write(folder, "1.xml"), second.write(folder, "2.xml")


def _whole(folder: Path) -> Path:
    knee_page = KNEE.xml().replace(f"{SITE}/?attachment_id=20", f"{SITE}/knee-file/")
    return Export(
        [ONE, picture(21, "2019/05/front.jpg", alt="In front"), TWO, BLOCK, HAND], extra=knee_page
    ).write(folder)


def _media(folder: Path) -> str:
    return str(uploads(folder / "copy", "2019/05/knee.jpg", "2019/05/front.jpg", "2019/05/hand.jpg"))


async def _texts() -> dict[str, str]:
    return {title: one.body_md for title, one in (await articles()).items()}


async def test_part_by_part_the_same_comes_in_as_at_once(tmp_path: Path) -> None:
    first, second = _parts(tmp_path)
    media = _media(tmp_path)
    await run(first, media=media)
    assert "/pictures/" not in (await _texts())["One"]
    told = await run(second, media=media)
    assert told.text.count("lead there now (1):\n  “One”") == 1
    assert not told.differing
    assert "attachment: 2 in articles, and stored here" in told.text
    apart, paths = await _texts(), await old_paths()
    assert (
        f"[two](/articles/two) [again](/articles/two) [file](/articles/one) [never]({SITE}/never/)"
        in apart["One"]
    )
    assert apart["One"].startswith("![A hand](/pictures/")
    assert "![A knee](/pictures/" in apart["One"]
    assert "Breathe out slowly." in apart["One"]
    # And the other way: a later part's featured picture that came with the first.
    assert apart["Two"].startswith("![In front](/pictures/")
    assert "/knee-file" in paths
    for file in (second, first, second):
        assert (await run(file, media=media)).changes == 0
    assert await _texts() == apart
    whole = await run(_whole(tmp_path), media=media)
    assert (whole.changes, whole.differing) == (0, [])
    assert (await _texts(), await old_paths()) == (apart, paths)


async def test_the_order_of_the_parts_does_not_matter(tmp_path: Path) -> None:
    first, second = _parts(tmp_path)
    media = _media(tmp_path)
    await run(second, media=media)
    await run(first, media=media)
    apart = await _texts()
    assert "[two](/articles/two)" in apart["One"]
    assert "![A knee](/pictures/" in apart["One"]
    assert "[one](/articles/one)" in apart["Two"]
    assert "![In front](/pictures/" in apart["Two"]
    assert (await run(_whole(tmp_path), media=media)).changes == 0


async def test_a_gallery_of_an_articles_own_files_grows_with_each_part(tmp_path: Path) -> None:
    files = [picture(20 + n, f"2019/05/{n}.jpg", alt=f"No {n}", parent=1) for n in range(3)]
    media = str(uploads(tmp_path / "copy", *(f"2019/05/{n}.jpg" for n in range(3))))
    await run(Export([Item(1, "One", slug="one", body="[gallery]")]).write(tmp_path, "1.xml"), media=media)
    for n in range(3):
        await run(Export([files[n]]).write(tmp_path, f"{n}.xml"), media=media)
        text = (await _texts())["One"]
        assert [f"![No {k}](/pictures/" in text for k in range(3)] == [k <= n for k in range(3)]


async def test_what_was_edited_or_deleted_here_is_left(tmp_path: Path) -> None:
    edited = Item(3, "Edited", slug="edited", body=ONE.body)
    deleted = Item(4, "Deleted", slug="deleted", body=ONE.body)
    first = Export([ONE, edited, deleted]).write(tmp_path, "1.xml")
    await run(first)
    async with db.transaction() as session:
        await session.execute(update(Article).where(Article.slug == "edited").values(body_md="Mine."))
        await session.delete((await session.scalars(select(Article).where(Article.slug == "deleted"))).one())
    told = await run(_parts(tmp_path)[1])
    assert "edited here: their links are left as they are (1):\n  “Edited”" in told.text
    assert (await articles())["Edited"].body_md == "Mine."
    assert "Deleted" not in await articles()
    assert "left as they are (1):\n  “Edited”" not in (await run(_parts(tmp_path)[1])).text


async def test_an_article_keeps_its_author_whom_a_later_part_does_not_name(tmp_path: Path) -> None:
    async with db.transaction() as session:
        eva = await factories.staff(session, email="eva@example.com", name="Eva")
    first, _second = _parts(tmp_path)
    await run(first)
    await run(Export([TWO], authors=()).write(tmp_path, "2.xml"))
    found = (await articles())["One"]
    assert (found.author_id, "[two](/articles/two)" in found.body_md) == (eva.id, True)


async def test_a_dry_run_tells_it_and_writes_nothing(tmp_path: Path) -> None:
    first, second = _parts(tmp_path)
    await run(first)
    before = await _texts()
    told = await run(second, is_dry=True)
    assert "lead there now (1):\n  “One”" in told.text
    assert await _texts() == before
    assert (await run(second)).changes == told.changes + len(
        await old_paths() & {"/2019/05/two", "/?p=2"}
    ) + 2


async def test_nothing_of_who_responded_is_kept_for_later_parts(tmp_path: Path) -> None:
    await run(_parts(tmp_path)[0])
    async with db.transaction() as session:
        rows = list(await session.scalars(select(FormerItem)))
    assert {row.kind for row in rows} == {"item", "term", "waiting"}
    assert not any("ann@example.com" in str(row.said) or "203.0.113.9" in str(row.said) for row in rows)


async def _head() -> list[tuple[str, list[str]]]:
    async with db.transaction() as session:
        row = await session.get(Practice, 1)
        kept = (row.navigation if row is not None else None) or {}
        return [
            (
                one.get("label") or one["to"],
                [inner.get("label") or inner["to"] for inner in one.get("items", [])],
            )
            for one in kept.get("header", [])
        ]


async def test_a_menu_leads_to_what_another_part_brings(tmp_path: Path) -> None:
    about = Item(5, "About", kind="page", slug="about", link=f"{SITE}/about/")
    menu = [
        _line(40, "Me", "post_type", "5"),
        _line(41, "Hips", "taxonomy", "2"),
        _line(42, "Else", "custom", "42", url="https://else.example.org/"),
    ]
    terms = [("category", "hips", "Hips")]
    first = Export([*menu], terms=terms).write(tmp_path, "1.xml")
    below = _line(43, "Below", "custom", "43", url="https://below.example.org/", parent=42)
    second = Export([ONE, about, below], terms=terms).write(tmp_path, "2.xml")
    await run(first)
    assert [name for name, _inner in await _head()][:1] == ["Else"]
    told = await run(second)
    assert "made anew with what has come (1):\n  Main" in told.text
    assert not told.differing
    found = await _head()
    assert found[:3] == [("Me", []), ("Hips", []), ("Else", ["Below"])]
    for file in (first, second):
        assert (await run(file)).changes == 0
    assert await _head() == found
    # A newer export without a line: it is gone, although an earlier part had it.
    newer = Export([ONE, about, *menu[:2]], terms=terms).write(tmp_path, "3.xml")
    await run(newer)
    assert [name for name, _inner in await _head()][:2] == ["Me", "Hips"]
    assert "Else" not in [name for name, _inner in await _head()]


async def test_links_chosen_in_the_studio_stay_when_a_later_part_comes(tmp_path: Path) -> None:
    menu = [
        _line(40, "Me", "post_type", "5"),
        _line(42, "Else", "custom", "42", url="https://else.example.org/"),
    ]
    await run(Export([*menu]).write(tmp_path, "1.xml"))
    chosen = {"header": [{"to": "/contact", "label": "", "items": []}], "footer": []}
    async with db.transaction() as session:
        await session.execute(update(Practice).values(navigation=chosen))
    about = Item(5, "About", kind="page", slug="about", link=f"{SITE}/about/")
    await run(Export([about]).write(tmp_path, "2.xml"))
    assert [name for name, _inner in await _head()] == ["/contact"]
