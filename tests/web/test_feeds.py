"""Sitemap, robots.txt and the Atom feed: valid, complete, and silent about what is not public."""

from datetime import timedelta
from xml.etree import ElementTree

import httpx

from app import db
from app.clock import utcnow
from app.practice.models import Practice
from tests import factories

ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


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
    assert answer.headers["content-type"].startswith("application/atom+xml")
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


async def test_the_sitemap_names_what_anyone_may_open_and_nothing_else(client: httpx.AsyncClient) -> None:
    await fill()
    answer = await client.get("/sitemap.xml")
    assert answer.headers["content-type"].startswith("application/xml")
    root = ElementTree.fromstring(answer.content)
    places = [found.text or "" for found in root.iter(f"{SITEMAP}loc")]
    paths = [place.removeprefix("https://limber.test") for place in places]
    assert paths == [
        "/",
        "/articles",
        "/courses",
        "/contact",
        "/articles/newer",
        "/articles/hips",
        "/courses/lower-body",
        "/courses/lower-body/strap",
    ]
    for path in paths:
        assert (await client.get(path)).status_code == 200


async def test_robots_are_told_what_is_closed_and_where_the_sitemap_is(client: httpx.AsyncClient) -> None:
    answer = await client.get("/robots.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "Disallow: /studio\n" in answer.text
    assert "Disallow: /media/\n" in answer.text
    assert "Sitemap: https://limber.test/sitemap.xml\n" in answer.text
    assert "Disallow: /\n" not in answer.text
