"""The first page: empty, and as a practice that has something to show."""

from datetime import timedelta

import httpx

from app import db
from app.clock import utcnow
from app.practice.models import Location, Practice
from tests import factories
from tests.articles.forms import json_ld, words_of


async def fill() -> None:
    now = utcnow()
    async with db.transaction() as session:
        session.add(
            Practice(
                id=1,
                site_name="Kapahulu",
                tagline="Two seconds at a time.",
                teacher_name="Leilani Akana",
                teacher_role="teacher",
                teacher_bio="Nineteen years.",
                contact_email="desk@example.com",
            )
        )
        session.add(
            Location(
                city="Honolulu",
                street="1414 Kapahulu Lane",
                region="HI",
                postal_code="96816",
                phone="555-0142",
            )
        )
        course = await factories.course(session, slug="lower-body", title="Lower body")
        section = await factories.section(session, course)
        await factories.lesson(session, section, slug="strap", title="Strap", is_free=True)
        for n in range(6):
            await factories.article(session, title=f"Article {n}", published_at=now - timedelta(days=n))
        await factories.article(session, title="Secret", state="draft")


async def test_an_empty_site_has_a_first_page(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    assert page.status_code == 200
    assert page.text.count("<h1") == 1
    assert "Read the articles" in page.text


async def test_it_shows_who_teaches_the_latest_articles_the_courses_and_the_places(
    client: httpx.AsyncClient,
) -> None:
    await fill()
    page = (await client.get("/")).text
    said = words_of(page)
    assert "Two seconds at a time." in said
    assert "Leilani Akana" in said
    assert "Article 3" in said
    assert "Article 4" not in said
    assert "Secret" not in said
    assert 'href="/courses/lower-body"' in page
    assert 'href="/courses/lower-body/strap"' in page
    assert "1414 Kapahulu Lane" in said


async def test_head_and_json_ld_describe_the_practice(client: httpx.AsyncClient) -> None:
    await fill()
    page = (await client.get("/")).text
    assert '<link rel="canonical" href="https://limber.test/">' in page
    assert '<meta property="og:type" content="website">' in page
    (graph,) = json_ld(page)
    site, place = (
        next(one for one in graph["@graph"] if kind in one["@type"]) for kind in ("WebSite", "Local")
    )
    assert (site["@type"], site["name"]) == ("WebSite", "Kapahulu")
    assert place["address"]["addressLocality"] == "Honolulu"
    assert "<script src" not in page
