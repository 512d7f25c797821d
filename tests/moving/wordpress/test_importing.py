"""A whole export comes in: articles, responses, pictures, tags, addresses."""

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from app import db, storage
from app.articles import pictures, queries
from app.articles.models import Article, ArticleTag, Tag
from app.clock import utcnow
from app.moving.wordpress.comments import email_hash
from tests import factories
from tests.moving.wordpress.exports import SITE, Export, Item, picture
from tests.moving.wordpress.exports import Comment as Said
from tests.moving.wordpress.running import articles, old_paths, responses, run

pytestmark = pytest.mark.usefixtures("database")

HIP = f"""Text with <a href="{SITE}/2019/05/knee/">the knee</a>.

<img class="alignleft wp-image-20" src="{SITE}/wp-content/uploads/2019/05/hip-300x200.jpg" alt="" />

[unknown_thing id=3]
<!--more-->
<h2>Why</h2>
<ul><li>one</li><li>two</li></ul>"""


def uploads(folder: Path, *names: str) -> Path:
    """A folder laid out as wp-content/uploads, with a real picture at each name."""
    for n, name in enumerate(names):
        place = folder / "wp-content" / "uploads" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (640 + n, 480), (90, 120, 40 + n)).save(place)
    return folder


def whole_site() -> Export:
    hip = Item(
        10,
        title="Hip &amp; knee",
        slug="hip-pain",
        excerpt="What hurts, and why.",
        body=HIP,
        terms=[
            ("category", "hips", "Hips"),
            ("post_tag", "pain", "Pain"),
            ("post_format", "post-format-aside", "Aside"),
        ],
        meta=[("_thumbnail_id", "21"), ("_edit_last", "1"), ("_wp_old_slug", "hip-ache")],
        comments=[
            Said(100, "First, see https://example.org/x."),
            Said(101, "Answer", parent=100, user_id=1, name="Eva", email="eva@example.com"),
            Said(102, "Deeper", parent=101, name="Bob", email=""),
            Said(103, "Buy", approved="spam"),
            Said(104, "Wait", approved="0"),
            Said(105, "Gone", approved="trash"),
            Said(106, "ping", kind="pingback"),
            Said(107, "lost parent", parent=999),
            Said(108, "early", parent=109),
            Said(109, "late"),
        ],
    )
    menu_line = Item(
        30,
        title="About us",
        kind="nav_menu_item",
        terms=[("nav_menu", "main", "Main")],
        meta=[("_menu_item_type", "post_type"), ("_menu_item_object_id", "12")],
    )
    return Export(
        items=[
            hip,
            Item(
                11,
                title="Knee",
                slug="knee",
                meta_first=False,
                comments=[Said(110)],
                meta=[("a", "b")],
                terms=[("post_tag", "pain", "Pain")],
            ),
            Item(12, title="About", slug="about", kind="page", link=f"{SITE}/about/"),
            Item(13, title="Later", status="future", slug="later", gmt="2031-01-01 00:00:00"),
            Item(14, title="Mine", status="private", link=f"{SITE}/?p=14"),
            Item(15, title="Secret", password="x"),
            Item(
                16, "Sketch", status="draft", gmt="0000-00-00 00:00:00", local="2020-02-02 02:02:02", slug=""
            ),
            Item(17, title="Bin", status="trash", comments=[Said(120)]),
            picture(20, "2019/05/hip.jpg", alt="A hip", parent=10),
            picture(21, "2019/05/front.jpg", caption="In front"),
            picture(22, "2019/05/never.jpg"),
            menu_line,
            Item(31, title="Mat", kind="product", body="A mat."),
            Item(32, title="", kind="revision"),
        ],
        terms=[
            ("category", "hips", "Hips"),
            ("category", "unused", "Unused"),
            ("post_tag", "pain", "Pain"),
            ("nav_menu", "main", "Main"),
        ],
    )


async def test_articles_come_in_with_their_states_dates_and_words(tmp_path: Path) -> None:
    async with db.transaction() as session:
        eva = await factories.staff(session, email="eva@example.com", name="Eva")
    told = await run(whole_site().write(tmp_path))
    assert told.differing == []
    found = await articles()
    states = {title: one.state for title, one in found.items()}
    assert states == {
        "Hip & knee": "published",
        "Knee": "published",
        "About": "published",
        "Later": "published",
        "Mine": "draft",
        "Secret": "draft",
        "Sketch": "draft",
    }
    hip = found["Hip & knee"]
    assert (hip.slug, hip.author_id, hip.summary) == ("hip-pain", eva.id, "What hurts, and why.")
    assert hip.published_at == datetime(2019, 5, 4, 10, 20, 30, tzinfo=UTC)
    assert found["Later"].published_at == datetime(2031, 1, 1, tzinfo=UTC)
    assert any("Later" in line and "2031-01-01 00:00 UTC" in line for line in told.text.splitlines())
    assert found["Sketch"].created_at == datetime(2020, 2, 2, 2, 2, 2, tzinfo=UTC)
    assert found["Sketch"].published_at is None
    assert "[the knee](/articles/knee)" in hip.body_md
    assert "[unknown_thing id=3]" in hip.body_html
    assert "<h2" in hip.body_html
    assert "- one\n- two" in hip.body_md


async def test_pages_have_an_address_and_stand_in_no_list(tmp_path: Path) -> None:
    await run(whole_site().write(tmp_path))
    async with db.transaction() as session:
        listed = {card.title for card in await queries.published(session, utcnow(), limit=50)}
        assert listed == {"Hip & knee", "Knee"}
        assert await queries.count_published(session, utcnow()) == 2
        assert await queries.by_slug(session, "about", utcnow()) is not None
        assert await queries.by_slug(session, "later", utcnow()) is None
        assert await queries.by_slug(session, "later", datetime(2031, 1, 1, tzinfo=UTC)) is not None


async def test_categories_and_tags_become_tags(tmp_path: Path) -> None:
    await run(whole_site().write(tmp_path))
    async with db.transaction() as session:
        rows = await session.execute(
            select(Article.title, Tag.slug, Tag.name)
            .join(ArticleTag, ArticleTag.article_id == Article.id)
            .join(Tag, Tag.id == ArticleTag.tag_id)
        )
        assert {tuple(row) for row in rows} == {
            ("Hip & knee", "hips", "Hips"),
            ("Hip & knee", "pain", "Pain"),
            ("Knee", "pain", "Pain"),
        }


async def test_responses_keep_thread_state_and_author_but_no_address(tmp_path: Path) -> None:
    async with db.transaction() as session:
        eva = await factories.staff(session, email="eva@example.com", name="Eva")
    await run(whole_site().write(tmp_path))
    said = {one.body_md: one for one in await responses()}
    first = said["First, see <https://example.org/x>."]
    assert said["Answer"].parent_id == first.id
    assert (said["Answer"].is_author, said["Answer"].user_id) == (True, eva.id)
    assert said["Deeper"].parent_id == said["Answer"].id
    assert said["early"].parent_id == said["late"].id
    assert said["lost parent"].parent_id is None
    assert Counter(one.state for one in said.values()) == {
        "approved": 7,
        "spam": 1,
        "pending": 1,
        "removed": 1,
    }
    assert first.email == ""
    assert first.email_hash == email_hash("Ann@Example.com") != ""
    assert said["Deeper"].email_hash == ""
    assert first.ip == ""


async def test_pictures_are_stored_here_in_full_size_and_keep_their_alt_text(tmp_path: Path) -> None:
    media = uploads(tmp_path / "copy", "2019/05/hip.jpg", "2019/05/front.jpg", "2019/05/never.jpg")
    told = await run(whole_site().write(tmp_path), media=str(media))
    hip = (await articles())["Hip & knee"]
    assert hip.body_md.startswith("![](/pictures/")
    assert re.search(r'-641x480-[\w-]{24}\.jpg "In front"\)', hip.body_md)
    assert "![A hip](/pictures/" in hip.body_md
    assert 'width="640" height="480"' in hip.body_html
    name = hip.body_md.partition("/pictures/")[2].partition(" ")[0]
    assert (await storage.get(pictures.key_of(name)))[:2] == b"\xff\xd8"
    assert "2 in articles, and stored here, 1 in no article" in told.text
    assert "front.jpg in “Hip & knee”" in told.text.partition("alt text")[2]


async def test_pictures_that_cannot_be_had_keep_their_old_address_and_are_listed(tmp_path: Path) -> None:
    told = await run(whole_site().write(tmp_path), media=str(uploads(tmp_path / "copy", "2019/05/front.jpg")))
    hip = (await articles())["Hip & knee"]
    assert f"![A hip]({SITE}/wp-content/uploads/2019/05/hip-300x200.jpg)" in hip.body_md
    assert "2019/05/hip-300x200.jpg: not in the folder" in told.text
    assert told.differing == []


async def test_every_old_address_is_remembered(tmp_path: Path) -> None:
    media = uploads(tmp_path / "copy", "2019/05/hip.jpg")
    await run(whole_site().write(tmp_path), media=str(media))
    assert {
        "/2019/05/hip-pain",
        "/2019/05/hip-ache",
        "/about",
        "/?p=10",
        "/?p=20",
        "/category/hips",
        "/tag/pain",
        "/author/eva",
        "/feed",
        "/wp-content/uploads/2019/05/hip-300x200.jpg",
        "/wp-content/uploads/2019/05/hip.jpg",
    } <= await old_paths()


async def test_a_dry_run_writes_nothing_and_tells_the_same(tmp_path: Path) -> None:
    file = whole_site().write(tmp_path)
    media = str(uploads(tmp_path / "copy", "a.jpg", "b.jpg", "c.jpg", "2019/05/hip.jpg"))
    stored = await storage.sizes("articles")
    dry = await run(file, media=media, is_dry=True)
    assert await articles() == {}
    assert await old_paths() == set()
    assert await storage.sizes("articles") == stored
    real = await run(file, media=media)
    assert dry.text.splitlines()[1:-2] == [*real.text.splitlines()[1:-1]]
    assert "nothing was written" in dry.text


async def test_a_post_type_of_a_plugin_comes_in_when_it_is_asked_for(tmp_path: Path) -> None:
    told = await run(whole_site().write(tmp_path), also=frozenset({"product"}))
    assert (await articles())["Mat"].body_md == "A mat."
    assert told.differing == []


async def test_an_address_that_is_taken_here_gets_a_number(tmp_path: Path) -> None:
    async with db.transaction() as session:
        await factories.article(session, slug="hip-pain", title="Ours")
    export = Export(
        items=[
            Item(1, "Theirs", slug="hip-pain"),
            Item(2, "Links", body=f'<a href="{SITE}/2019/05/hip-pain">x</a>'),
        ]
    )
    await run(export.write(tmp_path))
    found = await articles()
    assert found["Theirs"].slug == "hip-pain-2"
    assert found["Links"].body_md == "[x](/articles/hip-pain-2)"


async def test_several_files_of_one_export_refer_to_each_other(tmp_path: Path) -> None:
    one = Export(items=[Item(1, "A", slug="a", body=f'<a href="{SITE}/?p=2">b</a>')]).write(tmp_path, "1.xml")
    two = Export(items=[Item(2, "B", slug="b")]).write(tmp_path, "2.xml")
    told = await run(one, two)
    assert (await articles())["A"].body_md == "[b](/articles/b)"
    assert told.differing == []
    assert "1 named again" in told.text


async def test_the_author_of_an_article_answers_as_its_author_without_an_account(tmp_path: Path) -> None:
    export = Export(items=[Item(1, comments=[Said(5, user_id=1), Said(6, user_id=77, body="Member")])])
    await run(export.write(tmp_path))
    marks = {one.body_md: (one.is_author, one.user_id) for one in await responses()}
    assert marks == {"Thank you.": (True, None), "Member": (False, None)}


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
async def test_every_version_of_the_format_is_read(version: str, tmp_path: Path) -> None:
    # 1.0 wrote each category twice, first without its address.
    twice = "<category><![CDATA[Hips]]></category>" if version == "1.0" else ""
    item = Item(1, "A", terms=[("category", "hips", "Hips")], raw=twice, comments=[Said(1)])
    told = await run(Export(items=[item], version=version).write(tmp_path))
    assert set(await articles()) == {"A"}
    assert told.differing == []
    async with db.transaction() as session:
        assert list(await session.scalars(select(Tag.slug))) == ["hips"]


async def test_what_plugins_keep_in_fields_is_counted_by_name(tmp_path: Path) -> None:
    design = (
        '[{"id":"a","elType":"section","settings":{"html":"<b>]]></b>"},"elements":['
        + "1," * 200_000
        + "1]}]"
    )
    meta = [
        ("_elementor_data", design),
        ("_yoast_wpseo_metadesc", "What the hip needs."),
        ("_wp_attachment_metadata", 'a:1:{s:4:"file";s:7:"\x00priv";}'),
        ("_jetpack_form", "x"),
        ("_wc_rating", "5"),
    ]
    told = await run(Export(items=[Item(1, "A", meta=meta)]).write(tmp_path))
    assert (await articles())["A"].summary == "What the hip needs."
    for name in ("_elementor_data", "_jetpack_form", "_wc_rating"):
        assert f"  {name}: 1 not taken over" in told.text
    assert "  _yoast_wpseo_metadesc: 1 read" in told.text
    assert told.differing == []


async def test_two_sites_without_addresses_are_two(tmp_path: Path) -> None:
    for title in ("One", "Two"):
        text = Export(items=[Item(1, f"Of {title}", link="x")], site="").text().replace("Eva moves", title)
        path = tmp_path / f"{title}.xml"
        path.write_text(text, encoding="utf-8")
        await run(path)
    assert set(await articles()) == {"Of One", "Of Two"}
