"""Pages of the teacher's own: addresses of one word, texts to begin with, and no place in lists or feeds."""

from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from app import db
from app.accounts.models import User
from app.articles.models import Article, Comment
from app.articles.paths import RESERVED
from app.articles.rules import ArticleDraft, check_article
from app.practice.models import Practice
from app.practice.navigation import WELL_KNOWN
from tests import factories
from tests.articles.forms import words_of
from tests.conftest import application
from tests.routes import walk
from tests.web.sitemap import whole_sitemap


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    async with db.transaction() as session:
        user = await factories.staff(session)
    await factories.sign_in(client, user)
    return user


async def page(**values: object) -> Article:
    async with db.transaction() as session:
        return await factories.article(
            session, **{"slug": "imprint", "title": "Imprint", "is_listed": False, **values}
        )


def test_every_first_word_of_our_own_addresses_is_reserved() -> None:
    words = {route.path.split("/")[1] for route in walk(application())} - {"", "{slug}"}
    assert {word for word in words if "." not in word} <= RESERVED
    assert not RESERVED & set(WELL_KNOWN)


@pytest.mark.parametrize("path", ["/studio/pages", "/studio/pages/privacy"])
async def test_only_staff_see_and_begin_pages(client: httpx.AsyncClient, path: str) -> None:
    method = "GET" if path.endswith("pages") else "POST"
    assert (await client.request(method, path)).status_code == 401
    async with db.transaction() as session:
        member = await factories.user(session)
    await factories.sign_in(client, member)
    assert (await client.request(method, path)).status_code == 403


async def test_a_page_is_read_at_an_address_of_one_word(client: httpx.AsyncClient) -> None:
    await page()
    answer = await client.get("/imprint")
    assert answer.status_code == 200
    assert '<link rel="canonical" href="https://limber.test/imprint">' in answer.text
    assert "Leave a Reply" not in answer.text
    assert "author-box" not in answer.text
    former = await client.get("/articles/imprint")
    assert (former.status_code, former.headers["location"]) == (302, "/imprint")
    assert (await client.get("/imprint/")).headers["location"] == "/imprint"
    assert '<a href="/imprint">Imprint</a>' in (await client.get("/")).text
    assert "/imprint" not in (await client.get("/feed.xml")).text
    assert "<loc>https://limber.test/imprint</loc>" in await whole_sitemap(client)


async def test_a_page_takes_no_responses_and_shows_those_it_came_with(client: httpx.AsyncClient) -> None:
    row = await page()
    answer = await client.post(
        "/articles/imprint/responses", data={"name": "N", "email": "n@example.com", "body": "Hi"}
    )
    assert answer.status_code == 404
    async with db.transaction() as session:
        session.add(
            Comment(
                article_id=row.id, name="Ana", email="", body_md="Hi", body_html="<p>Hi</p>", state="approved"
            )
        )
    shown = (await client.get("/imprint")).text
    assert "1 Response to “Imprint”" in words_of(shown)
    assert "Reply" not in words_of(shown)


async def test_drafts_and_unknown_pages_are_not_found(client: httpx.AsyncClient) -> None:
    await page(state="draft")
    for path in ("/imprint", "/nothing-here", "/Imprint", "/wp-login.php", "/%00"):
        assert (await client.get(path)).status_code == 404
    assert (await client.post("/imprint")).status_code == 405


async def test_an_article_is_not_a_page(client: httpx.AsyncClient) -> None:
    await page(slug="hips", is_listed=True)
    assert (await client.get("/hips")).status_code == 404
    assert (await client.get("/articles/hips")).status_code == 200


async def test_a_page_named_like_one_of_ours_keeps_its_longer_address(client: httpx.AsyncClient) -> None:
    await page(slug="contact", title="Where to find me")
    assert (await client.get("/articles/contact")).status_code == 200
    assert "Where to find me" not in (await client.get("/contact")).text


async def test_an_article_becomes_a_page_and_its_address_leads_on(
    client: httpx.AsyncClient, teacher: User
) -> None:
    row = await page(slug="hips", title="Hips", summary="S.", is_listed=True)
    form = {"title": "Hips", "slug": "hips", "summary": "S.", "body_md": "Words.", "do": "save"}
    await client.post(f"/studio/articles/{row.id}", data={**form, "is_page": "1"})
    assert (await client.get("/hips")).status_code == 200
    assert (await client.get("/articles/hips")).headers["location"] == "/hips"
    await client.post(f"/studio/articles/{row.id}", data=form)
    assert (await client.get("/hips")).headers["location"] == "/articles/hips"
    assert (await client.get("/articles/hips")).status_code == 200


async def test_the_usual_pages_begin_with_a_text_about_this_site(
    client: httpx.AsyncClient, teacher: User
) -> None:
    async with db.transaction() as session:
        session.add(Practice(id=1, site_name="Kapahulu", teacher_name="Leilani Akana"))
    for slug in WELL_KNOWN:
        begun = await client.post(f"/studio/pages/{slug}")
        assert begun.status_code == 303
        editor = await client.get(begun.headers["location"])
        assert 'name="is_page" value="1" checked' in editor.text
        again = await client.post(f"/studio/pages/{slug}")
        assert again.headers["location"] == begun.headers["location"], "no second one"
    async with db.transaction() as session:
        rows = {row.slug: row for row in await session.scalars(select(Article))}
    assert set(rows) == set(WELL_KNOWN)
    for row in rows.values():
        assert (row.state, row.is_listed) == ("draft", False)
        assert (
            check_article(ArticleDraft(row.title, row.slug, "", row.body_md, is_page=True), publishing=True)
            == {}
        )
    assert "says what Kapahulu stores" in rows["privacy"].body_md
    assert "for 30 days after your last visit" in rows["privacy"].body_md
    assert "(IP address) for 30 days" in rows["privacy"].body_md
    assert "Stripe" not in rows["privacy"].body_md, "nothing can be bought here"
    assert "on 2 screens at most" in rows["terms"].body_md
    listed = (await client.get("/studio/pages")).text
    assert all(f'href="/{slug}"' in listed for slug in WELL_KNOWN)
    assert "Usual pages that are not here yet" not in listed
    assert (await client.post("/studio/pages/other")).status_code == 404


async def test_a_usual_page_gets_another_address_where_an_article_has_it(
    client: httpx.AsyncClient, teacher: User
) -> None:
    await page(slug="about", title="About hips", is_listed=True)
    begun = await client.post("/studio/pages/about")
    row_id = UUID(begun.headers["location"].rpartition("/")[2])
    async with db.transaction() as session:
        assert (await session.get_one(Article, row_id)).slug == "about-2"
