"""Pages about what is missing or broken: they help, they look like the site, and they need nothing."""

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import db
from app.main import create_app
from app.practice.models import Practice
from app.settings import get_settings
from app.web.last_resort import last_resort
from tests import factories
from tests.articles.forms import words_of


async def test_a_missing_page_offers_the_latest_articles_and_the_way_home(client: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        session.add(Practice(id=1, site_name="Kapahulu"))
        await factories.article(session, title="Sore hips")
        await factories.article(session, title="Secret", state="draft")
    for path in ("/nothing-here", "/articles/none", "/courses/none", "/a/b/c"):
        answer = await client.get(path)
        assert answer.status_code == 404
        assert "Kapahulu" in answer.text
        assert "Sore hips" in words_of(answer.text)
        assert "Secret" not in answer.text
        assert '<form class="search-big" method="get" action="/search"' in answer.text
        assert 'href="/"' in answer.text
        assert '<meta name="robots" content="noindex">' in answer.text


async def crash(_request: Request) -> Response:
    raise RuntimeError("a fault in the program")


@pytest.fixture
async def broken(database: db.Database) -> httpx.AsyncClient:
    """The site with one page that crashes."""
    app = create_app()
    app.router.routes.insert(0, Route("/crash", crash))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(
        transport=transport, base_url=get_settings().base_url, headers={"Accept": "text/html"}
    )


async def test_a_crash_is_told_on_a_page_of_the_site_with_all_its_headers(broken: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        session.add(Practice(id=1, site_name="Kapahulu"))
    answer = await broken.get("/crash")
    assert answer.status_code == 500
    assert "Kapahulu" in answer.text
    assert "Something went wrong on our side." in answer.text
    assert "a fault in the program" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_crash_is_told_without_a_database(broken: httpx.AsyncClient) -> None:
    await db.close_database()
    answer = await broken.get("/crash")
    assert answer.status_code == 500
    assert "Something went wrong on our side." in answer.text
    assert "/static/site." in answer.text


def test_the_last_page_needs_no_template_and_escapes_what_it_is_given() -> None:
    answer = last_resort(500, '/x?"><script>')
    text = bytes(answer.body).decode()
    assert answer.status_code == 500
    assert "Something went wrong on our side." in text
    assert "<script>" not in text
    assert 'href="/"' in text
    assert "/static/site." in text


async def test_an_address_that_lost_a_part_is_told_in_plain_words(client: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        user = await factories.user(session)
    await factories.sign_in(client, user)
    path = "/billing/cancelled"
    page = await client.get(path)
    assert page.status_code == 422
    assert "Something is missing in this address." in page.text
    assert "Field required" not in page.text
    told = await client.get(path, headers={"accept": "application/json"})
    assert told.json()["detail"] == "Not understood: attempt: Field required"
