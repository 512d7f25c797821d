"""A draft is shown to whoever has its link, for two weeks, and to nobody else."""

import re
from datetime import timedelta
from html import unescape

import httpx
import pytest
from sqlalchemy import delete

from app import db
from app.accounts import links
from app.accounts.links import Claims, Purpose
from app.articles import drafts
from app.articles.models import Article
from app.clock import utcnow
from tests import factories


@pytest.fixture
async def article(client: httpx.AsyncClient) -> Article:
    async with db.transaction() as session:
        return await factories.article(session, slug="hips", title="Hips", state="draft", published_at=None)


def path_of(url: str) -> str:
    return "/drafts?" + url.partition("?")[2]


async def test_the_studios_link_shows_the_draft_without_an_account(
    client: httpx.AsyncClient, article: Article
) -> None:
    async with db.transaction() as session:
        staff = await factories.staff(session)
    await factories.sign_in(client, staff)
    editor = (await client.get(f"/studio/articles/{article.id}")).text
    found = re.search(r'readonly value="([^"]+)"', editor)
    assert found
    client.cookies.clear()
    shown = await client.get(path_of(unescape(found[1])))
    assert shown.status_code == 200
    assert "A draft that was shown to you" in shown.text
    assert "Leave a Reply" not in shown.text
    assert 'content="noindex"' in shown.text
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert (await client.get("/articles/hips")).status_code == 404, "the address itself stays the teacher's"


async def test_once_published_the_link_leads_to_the_article(
    client: httpx.AsyncClient, article: Article
) -> None:
    link = path_of(drafts.link(article, utcnow()))
    async with db.transaction() as session:
        row = await session.get_one(Article, article.id)
        row.state, row.published_at = "published", utcnow()
    answer = await client.get(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/articles/hips")


async def test_old_forged_and_other_links_show_nothing(client: httpx.AsyncClient, article: Article) -> None:
    old = drafts.link(article, utcnow() - timedelta(days=15))
    other = links.url(Purpose.FOLLOW, Claims(str(article.id), "", {}), utcnow())
    odd = links.url(Purpose.DRAFT, Claims("no uuid", "", {}), utcnow())
    for url in (old, other, odd, "https://x/drafts?token=nonsense", "https://x/drafts?"):
        dead = await client.get(path_of(url))
        assert dead.status_code == 410, url
        # Who was to read a draft can only ask the teacher for a new link.
        assert 'href="/contact"' in dead.text.partition("<main")[2].partition("</main>")[0]
    gone = path_of(drafts.link(article, utcnow()))
    async with db.transaction() as session:
        await session.execute(delete(Article))
    assert (await client.get(gone)).status_code == 410
