"""An article's earlier texts: kept with each save, compared, and brought back without losing anything."""

from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from app import db
from app.accounts.models import User
from app.articles.models import Article, ArticleRevision
from tests import factories
from tests.articles.forms import words_of

FORM = {"title": "Hip pain", "slug": "hip-pain", "summary": "About hips."}


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    async with db.transaction() as session:
        user = await factories.staff(session, name="Leilani")
    await factories.sign_in(client, user)
    return user


async def write(client: httpx.AsyncClient, body: str, article_id: UUID | None = None) -> UUID:
    path = f"/studio/articles/{article_id}" if article_id else "/studio/articles"
    answer = await client.post(path, data={**FORM, "body_md": body})
    assert answer.status_code == 303, answer.text
    return UUID(answer.headers["location"].partition("?")[0].rpartition("/")[2])


async def kept(article_id: UUID) -> list[ArticleRevision]:
    async with db.transaction() as session:
        rows = await session.scalars(
            select(ArticleRevision)
            .where(ArticleRevision.article_id == article_id)
            .order_by(ArticleRevision.saved_at)
        )
        return list(rows)


async def test_each_save_that_changes_something_is_kept(client: httpx.AsyncClient, teacher: User) -> None:
    article_id = await write(client, "First words.")
    await write(client, "First words.", article_id)
    await write(client, "Other words.", article_id)
    assert [one.body_md for one in await kept(article_id)] == ["First words.", "Other words."]
    page = words_of((await client.get(f"/studio/articles/{article_id}/revisions")).text)
    assert "Leilani" in page


async def test_an_earlier_text_is_compared_and_brought_back_and_the_later_one_is_kept(
    client: httpx.AsyncClient, teacher: User
) -> None:
    article_id = await write(client, "Stretch **slowly**.")
    await write(client, "Stretch **fast**.", article_id)
    first = (await kept(article_id))[0]
    page = (await client.get(f"/studio/articles/{article_id}/revisions/{first.id}")).text
    assert "<del>**slowly**.</del>" in page
    assert "<ins>**fast**.</ins>" in page
    done = await client.post(f"/studio/articles/{article_id}/revisions/{first.id}/restore")
    assert done.status_code == 303
    async with db.transaction() as session:
        article = await session.get_one(Article, article_id)
    assert "<strong>slowly</strong>" in article.body_html
    assert article.slug == "hip-pain"
    assert [one.body_md for one in await kept(article_id)] == [
        "Stretch **slowly**.",
        "Stretch **fast**.",
        "Stretch **slowly**.",
    ]
    newest = (await kept(article_id))[-1]
    assert (
        "This is what stands there now."
        in (await client.get(f"/studio/articles/{article_id}/revisions/{newest.id}")).text
    )


async def test_what_came_from_elsewhere_is_kept_before_the_first_change(
    client: httpx.AsyncClient, teacher: User
) -> None:
    async with db.transaction() as session:
        article = await factories.article(session, body_md="From WordPress.", slug="hip-pain")
    await write(client, "Mine.", article.id)
    assert [one.body_md for one in await kept(article.id)] == ["From WordPress.", "Mine."]


async def test_a_text_of_another_article_or_none_is_not_found(
    client: httpx.AsyncClient, teacher: User
) -> None:
    article_id = await write(client, "One.")
    (revision,) = await kept(article_id)
    async with db.transaction() as session:
        other = await factories.article(session)
    for path in (f"{other.id}/revisions/{revision.id}", f"{article_id}/revisions/{uuid4()}"):
        assert (await client.get(f"/studio/articles/{path}")).status_code == 404
        assert (await client.post(f"/studio/articles/{path}/restore")).status_code == 404


async def test_markup_in_a_text_is_shown_as_it_was_written(client: httpx.AsyncClient, teacher: User) -> None:
    article_id = await write(client, "Plain.")
    await write(client, "<script>alert(1)</script>", article_id)
    first = (await kept(article_id))[0]
    page = (await client.get(f"/studio/articles/{article_id}/revisions/{first.id}")).text
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
