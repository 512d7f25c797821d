"""The search page, the body, and the pages of muscles and conditions, as visitors and machines read them."""

import re
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import update

from app import db
from app.articles import indexed
from app.articles.models import Article
from app.catalog.models import Lesson
from app.finding.regions import REGIONS
from tests import factories
from tests.articles.forms import json_ld, words_of
from tests.finding.scene import make
from tests.web.sitemap import whole_sitemap


@pytest.fixture
async def filled(client: httpx.AsyncClient) -> httpx.AsyncClient:
    async with db.transaction() as session:
        await make(session)
    return client


async def test_the_search_page_shows_hits_with_marks_and_how_many_of_each_kind(
    filled: httpx.AsyncClient,
) -> None:
    page = (await filled.get("/search?q=ischias")).text
    words = words_of(page)
    assert "Muscles and conditions 1" in words
    assert "Articles 1" in words
    assert '<a href="/conditions/sciatica">Sciatica</a>' in page
    assert '<meta name="robots" content="noindex">' in page
    only = (await filled.get("/search?q=ischias&kind=article")).text
    assert "/articles/hip-pain-from-running" in only
    assert 'href="/conditions/sciatica"' not in only
    assert "<mark>sit</mark>" in (await filled.get("/search?q=sitting")).text


async def test_a_slip_is_told_and_leads_to_the_right_spelling(filled: httpx.AsyncClient) -> None:
    page = await filled.get("/search?q=scaitica")
    assert '<a href="/search?q=sciatica"><strong>sciatica</strong></a>' in page.text


async def test_nothing_found_is_said_kindly_and_leads_on(filled: httpx.AsyncClient) -> None:
    page = (await filled.get("/search?q=zeppelin")).text
    assert "Nothing was found for “zeppelin”." in words_of(page)
    assert 'href="/conditions/sciatica"' in page
    assert 'href="/body"' in page
    assert 'href="/contact"' in page


async def test_the_teachers_own_pages_are_not_called_articles(filled: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        page = await factories.article(session, slug="about", title="About zebras", is_listed=False)
        await indexed.index(session, page)
    hit = (await filled.get("/search?q=zebras")).text.partition('<a href="/about">About zebras</a>')[2]
    assert words_of(hit.partition("</li>")[0]).strip().startswith("Page")


async def test_a_visitor_reads_nothing_of_a_paid_transcript(filled: httpx.AsyncClient) -> None:
    for words in ("obturator", "hidden obturator lets go", "outward"):
        page = (await filled.get(f"/search?q={quote(words)}")).text
        assert not [one for one in ("#t=", "<mark>", "lets go last") if one in page], words


async def test_a_member_is_led_to_the_second(filled: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        user = await factories.user(session)
        await factories.entitlement(session, user)
    await factories.sign_in(filled, user)
    page = await filled.get("/search?q=obturator")
    assert 'href="/courses/lower-body/rotators#t=83"' in page.text
    assert "Said at 1:23" in words_of(page.text)
    assert page.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    "asked", ["<script>alert(1)</script>", '"><img src=x>', "a" * 10_000, "\x00", "%F0%9F", "腰痛"]
)
async def test_what_was_typed_is_shown_as_text(filled: httpx.AsyncClient, asked: str) -> None:
    page = await filled.get("/search", params={"q": asked})
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text


@pytest.mark.parametrize(
    "query", ["page=0", "page=-1", "page=99", "page=x", "kind=zeppelin", "page=2&kind=article"]
)
async def test_odd_addresses_are_pages_too(filled: httpx.AsyncClient, query: str) -> None:
    assert (await filled.get(f"/search?q=hip&{query}")).status_code == 200


async def test_every_page_has_a_field_to_search_by(filled: httpx.AsyncClient) -> None:
    assert '<form class="site-search" method="get" action="/search"' in (await filled.get("/body")).text


async def test_a_condition_tells_its_names_where_it_is_and_what_helps(filled: httpx.AsyncClient) -> None:
    page = (await filled.get("/conditions/sciatica")).text
    words = words_of(page)
    assert "Also called ischias, pinched nerve" in words
    assert "For members Deep rotators" in words
    assert "Hip pain from running" in words
    assert 'href="/body?region=seat#found"' in page
    assert '<link rel="canonical" href="https://limber.test/conditions/sciatica">' in page
    assert '<meta name="description" content="Pain down the back of the leg.">' in page
    (crumbs,) = json_ld(page)
    assert [item["item"] for item in crumbs["itemListElement"]] == [
        "https://limber.test/body",
        "https://limber.test/conditions",
        "https://limber.test/conditions/sciatica",
    ]
    for path in ("/muscles/sciatica", "/conditions/nothing", "/conditions/%27"):
        assert (await filled.get(path)).status_code == 404


async def test_lists_name_muscles_and_conditions(filled: httpx.AsyncClient) -> None:
    assert 'href="/conditions/sciatica"' in (await filled.get("/conditions")).text
    assert "Nothing here yet." in words_of((await filled.get("/muscles")).text)


async def test_each_region_is_a_link_with_a_name_and_shows_what_is_there(filled: httpx.AsyncClient) -> None:
    page = (await filled.get("/body")).text
    for key, region in REGIONS.items():
        names = re.findall(
            rf'<a href="/body\?region={key}#found" class="region[^>]* aria-label="([^"]+)"', page
        )
        assert names == [region.label] * len(region.sides)
    seat = (await filled.get("/body?region=seat")).text
    assert words_of(seat).count("Sciatica") == 1
    assert "Deep rotators" in seat
    assert seat.count('aria-current="true"') == 2
    assert "Nothing about this yet." in words_of((await filled.get("/body?region=knee")).text)
    assert (await filled.get("/body?region=moon")).headers["location"] == "/body"


async def test_what_helps_is_only_what_everybody_may_see(filled: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        await session.execute(update(Article).values(state="draft"))
        await session.execute(update(Lesson).values(state="draft"))
    page = (await filled.get("/conditions/sciatica")).text
    assert "Hip pain from running" not in page
    assert "Deep rotators" not in page
    seat = (await filled.get("/body?region=seat")).text
    assert "Hip pain from running" not in seat


async def test_articles_and_lessons_lead_to_what_they_help_with(filled: httpx.AsyncClient) -> None:
    for path in ("/articles/hip-pain-from-running", "/courses/lower-body/rotators"):
        assert '<a href="/conditions/sciatica">Sciatica</a>' in (await filled.get(path)).text


async def test_the_sitemap_has_the_pages_that_say_something(filled: httpx.AsyncClient) -> None:
    sitemap = await whole_sitemap(filled)
    for path in ("/body", "/muscles", "/conditions", "/conditions/sciatica"):
        assert f"<loc>https://limber.test{path}</loc>" in sitemap
    assert "Disallow: /search\n" in (await filled.get("/robots.txt")).text
