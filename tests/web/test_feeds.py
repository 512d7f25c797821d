"""robots.txt and the feeds in their three forms: valid, complete, and silent about what is not public."""

import html
from datetime import timedelta
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree

import httpx
from sqlalchemy import select

from app import db
from app.articles.markdown import render_article
from app.articles.models import Article, ArticleTag, Tag
from app.clock import utcnow
from app.practice.models import Practice
from tests import factories

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}"


async def fill() -> None:
    now = utcnow()
    async with db.transaction() as session:
        session.add(Practice(id=1, site_name="Kapahulu & more", tagline="Slowly.", teacher_name="Leilani"))
        await factories.article(
            session,
            slug="hips",
            title="Hips <and> knees",
            summary="About.",
            body_html='<p>Words &amp; <em>more</em>.</p><div class="lesson-here"></div>',
            published_at=now - timedelta(days=2),
        )
        await factories.article(session, slug="newer", published_at=now)
        await factories.article(session, slug="secret", state="draft")
        course = await factories.course(session, slug="lower-body")
        section = await factories.section(session, course)
        await factories.lesson(session, section, slug="strap")
        await factories.lesson(session, section, slug="unborn", state="draft")
        await factories.course(session, slug="hidden", state="draft")


async def test_the_feed_holds_published_articles_in_full_the_newest_first(client: httpx.AsyncClient) -> None:
    await fill()
    answer = await client.get("/feed.xml")
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    feed = ElementTree.fromstring(answer.content)
    assert feed.findtext(f"{ATOM}title") == "Kapahulu & more"
    assert feed.findtext(f"{ATOM}author/{ATOM}name") == "Leilani"
    entries = feed.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}id") for entry in entries] == [
        "https://limber.test/articles/newer",
        "https://limber.test/articles/hips",
    ]
    hips = entries[1]
    assert hips.findtext(f"{ATOM}title") == "Hips <and> knees"
    content = hips.find(f"{ATOM}content")
    assert content is not None
    assert content.get("type") == "html"
    assert content.text == "<p>Words &amp; <em>more</em>.</p>"
    for entry in (feed, *entries):
        for name in ("id", "title", "updated"):
            assert entry.findtext(f"{ATOM}{name}")


async def test_an_empty_feed_is_still_a_feed(client: httpx.AsyncClient) -> None:
    feed = ElementTree.fromstring((await client.get("/feed.xml")).content)
    assert feed.findtext(f"{ATOM}updated")
    assert feed.findall(f"{ATOM}entry") == []


async def test_every_form_of_a_feed_tells_the_same(client: httpx.AsyncClient) -> None:
    await fill()
    answer = await client.get("/feed.rss")
    assert answer.headers["content-type"].startswith("application/rss+xml")
    channel = ElementTree.fromstring(answer.content).find("channel")
    assert channel is not None
    assert [channel.findtext(name) for name in ("title", "link", "description", "language")] == [
        "Kapahulu & more",
        "https://limber.test/articles",
        "Slowly.",
        "en",
    ]
    link = channel.find(f"{ATOM}link")
    assert link is not None
    assert (link.get("rel"), link.get("href")) == ("self", "https://limber.test/feed.rss")
    items = channel.findall("item")
    assert [item.findtext("guid") for item in items] == [
        "https://limber.test/articles/newer",
        "https://limber.test/articles/hips",
    ]
    for date in (channel.findtext("lastBuildDate"), *(item.findtext("pubDate") for item in items)):
        assert parsedate_to_datetime(date or "").tzinfo is not None
    assert items[1].findtext(f"{CONTENT}encoded") == "<p>Words &amp; <em>more</em>.</p>"
    told = (await client.get("/feed.json")).json()
    assert (told["version"], told["title"]) == ("https://jsonfeed.org/version/1.1", "Kapahulu & more")
    assert told["feed_url"] == "https://limber.test/feed.json"
    assert [item["id"] for item in told["items"]] == [item.findtext("guid") for item in items]
    assert told["items"][1]["content_html"] == "<p>Words &amp; <em>more</em>.</p>"
    assert told["authors"] == [{"name": "Leilani"}]


async def test_addresses_in_a_feed_are_whole_and_one_size_of_a_picture_stands_in_it(
    client: httpx.AsyncClient,
) -> None:
    name = f"{'ab' * 16}-2048x1024-{'wRgR' * 6}.jpg"
    words = (
        f"![A knee](/pictures/{name})\n\n[Here](/courses), [there](https://other.example).[^1]\n\n[^1]: Yes."
    )
    async with db.transaction() as session:
        await factories.article(session, slug="knee", body_html=render_article(words).html)
    for path in ("/feed.xml", "/feed.rss", "/feed.json"):
        text = html.unescape((await client.get(path)).text.replace('\\"', '"'))
        assert f'src="https://limber.test/pictures/{name}/1200.jpg"' in text, path
        assert 'href="https://limber.test/courses"' in text
        assert 'href="https://other.example"' in text
        assert 'href="https://limber.test/articles/knee#fn1"' in text
        assert "data:image" not in text
        assert "<source" not in text
    (item,) = (await client.get("/feed.json")).json()["items"]
    assert item["image"] == f"https://limber.test/pictures/{name}/1200.jpg"


async def test_each_tag_has_a_feed_of_its_own(client: httpx.AsyncClient) -> None:
    await fill()
    async with db.transaction() as session:
        tag = await factories.save(session, Tag(slug="hips", name="Hips & more"))
        bare = await factories.save(session, Tag(slug="bare", name="Bare"))
        rows = {row.slug: row.id for row in await session.scalars(select(Article))}
        session.add_all(ArticleTag(article_id=rows[slug], tag_id=tag.id) for slug in ("hips", "secret"))
        session.add(ArticleTag(article_id=rows["secret"], tag_id=bare.id))
    told = (await client.get("/articles/tag/hips/feed.json")).json()
    assert told["title"] == "Kapahulu & more: Hips & more"
    assert told["home_page_url"] == "https://limber.test/articles/tag/hips"
    assert [(item["url"], item["tags"]) for item in told["items"]] == [
        ("https://limber.test/articles/hips", ["Hips & more"])
    ]
    for form in ("xml", "rss"):
        ElementTree.fromstring((await client.get(f"/articles/tag/hips/feed.{form}")).content)
    assert 'href="/articles/tag/hips/feed.rss"' in (await client.get("/articles/tag/hips")).text
    for unknown in (
        "/articles/tag/bare/feed.xml",
        "/articles/tag/none/feed.xml",
        "/articles/tag/hips/feed.txt",
    ):
        assert (await client.get(unknown)).status_code == 404


async def test_the_feed_of_lessons_tells_what_everybody_may_know(client: httpx.AsyncClient) -> None:
    await fill()
    async with db.transaction() as session:
        course = await factories.course(session, slug="feet", title="Feet")
        section = await factories.section(session, course)
        await factories.lesson(
            session, section, slug="arch", summary="The arch.", body_md="SECRET", transcript_md="SECRET"
        )
        await factories.lesson(session, section, slug="later", available_at=utcnow() + timedelta(days=1))
        await factories.lesson(session, section, slug="announced", state="announced")
    answer = await client.get("/courses/feed.json")
    assert "SECRET" not in answer.text
    items = answer.json()["items"]
    assert [item["url"] for item in items] == [
        "https://limber.test/courses/feet/arch",
        "https://limber.test/courses/lower-body/strap",
    ]
    assert items[0]["content_text"] == "The arch."
    assert (await client.get(items[0]["image"].removeprefix("https://limber.test"))).status_code in (200, 404)
    for form in ("xml", "rss"):
        assert "SECRET" not in (await client.get(f"/courses/feed.{form}")).text


async def test_readers_of_a_site_that_moved_here_find_the_feed_where_it_was(
    client: httpx.AsyncClient,
) -> None:
    for path in ("/feed", "/feed/"):
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (301, "/feed.rss")
    assert (await client.get("/feed.txt")).status_code == 404


async def test_robots_are_told_what_is_closed_and_where_the_sitemap_is(client: httpx.AsyncClient) -> None:
    answer = await client.get("/robots.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "Disallow: /studio\n" in answer.text
    assert "Disallow: /media/\n" in answer.text
    assert "Sitemap: https://limber.test/sitemap.xml\n" in answer.text
    assert "Disallow: /\n" not in answer.text
