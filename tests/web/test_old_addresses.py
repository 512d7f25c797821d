"""Former addresses lead on for good, and tags have pages."""

import httpx
import pytest
from sqlalchemy import select

from app import db
from app.articles import old_addresses, pictures
from app.articles.models import Article, ArticleTag, OldAddress, Tag
from tests import factories


async def moved(slug: str, *paths: str, state: str = "published") -> Article:
    async with db.transaction() as session:
        article: Article = await factories.article(session, slug=slug, state=state)
        await old_addresses.remember(session, paths, article_id=article.id)
    return article


@pytest.mark.parametrize(
    "asked",
    [
        "/2019/05/hip-pain",
        "/2019/05/hip-pain/",
        "/2019/05/hip-pain/?utm_source=x",
        "/2019/05/hip-pain/comment-page-2/",
        "/2019/05/hip-pain/feed/",
        "/2019/05/hip-pain/2/",
        "/2019/05/hip-pain/amp",
        "/2019//05/hip-pain/",
        "/?p=7",
        "/?page_id=7",
        "/index.php?p=7",
    ],
)
async def test_an_old_address_leads_to_the_article_for_good(client: httpx.AsyncClient, asked: str) -> None:
    await moved("hip", "/2019/05/hip-pain", "/?p=7", "/index.php?p=7")
    answer = await client.get(asked)
    assert (answer.status_code, answer.headers["location"]) == (301, "/articles/hip")


async def test_an_address_in_another_script_is_found(client: httpx.AsyncClient) -> None:
    await moved("hip", "/блог/бедро")
    answer = await client.get("/%D0%B1%D0%BB%D0%BE%D0%B3/%D0%B1%D0%B5%D0%B4%D1%80%D0%BE/")
    assert answer.headers["location"] == "/articles/hip"


async def test_a_draft_is_not_led_to(client: httpx.AsyncClient) -> None:
    await moved("hip", "/hip-pain", "/?p=7", state="draft")
    assert (await client.get("/hip-pain")).status_code == 404
    assert (await client.get("/?p=7")).status_code == 200


@pytest.mark.parametrize(
    "asked", ["/nothing", "/nothing/", "/?p=8", "/?p=x", "/articles/none", "/%00", "/" + "a" * 5000]
)
async def test_what_never_was_leads_nowhere(client: httpx.AsyncClient, asked: str) -> None:
    await moved("hip", "/hip-pain")
    assert (await client.get(asked, follow_redirects=True)).status_code in (200, 404)


async def test_a_smaller_picture_leads_to_the_whole_one(client: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        await old_addresses.remember_target(session, ["/wp-content/uploads/a.jpg"], "/pictures/x.jpg")
    answer = await client.get("/wp-content/uploads/a-300x200.jpg")
    assert answer.headers["location"] == "/pictures/x.jpg"


async def test_whoever_had_an_address_first_keeps_it(client: httpx.AsyncClient) -> None:
    await moved("first", "/x")
    await moved("second", "/x")
    assert (await client.get("/x")).headers["location"] == "/articles/first"


async def test_an_article_that_moves_takes_its_old_address_along(client: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        teacher = await factories.staff(session)
        article = await factories.article(session, slug="old", title="Hip", summary="S", body_md="B")
    await factories.sign_in(client, teacher)
    form = {"title": "Hip", "slug": "new", "summary": "S", "body_md": "B"}
    assert (await client.post(f"/studio/articles/{article.id}", data=form)).status_code == 303
    assert (await client.get("/articles/old")).headers["location"] == "/articles/new"
    assert (await client.get("/articles/new")).status_code == 200


async def test_a_tag_has_a_page_with_its_articles(client: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        article = await factories.article(session, title="About hips")
        await factories.article(session, title="About feet")
        tag = Tag(slug="hips", name="Hips & more")
        session.add(tag)
        await session.flush()
        session.add(ArticleTag(article_id=article.id, tag_id=tag.id))
    page = (await client.get("/articles/tag/hips")).text
    assert "Articles about Hips &amp; more" in page
    assert "About hips" in page
    assert "About feet" not in page
    assert 'href="/articles/tag/hips"' in (await client.get(f"/articles/{article.slug}")).text
    assert (await client.get("/articles/tag/none")).status_code == 404


async def test_the_editor_sets_tags_and_takes_them_away(client: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        teacher = await factories.staff(session)
        article = await factories.article(session, slug="hip", title="Hip", summary="S", body_md="B")
    await factories.sign_in(client, teacher)
    form = {
        "title": "Hip",
        "slug": "hip",
        "summary": "S",
        "body_md": "B",
        "tags": " Hips,  knee pain ,, Hips, !",
    }
    assert (await client.post(f"/studio/articles/{article.id}", data=form)).status_code == 303
    assert 'value="Hips, knee pain"' in (await client.get(f"/studio/articles/{article.id}")).text
    assert (await client.get("/articles/tag/knee-pain")).status_code == 200
    await client.post(f"/studio/articles/{article.id}", data={**form, "tags": "Hips"})
    assert (await client.get("/articles/tag/knee-pain")).status_code == 404
    wrong = await client.post(f"/studio/articles/{article.id}", data={**form, "tags": "x" * 81})
    assert wrong.status_code == 422
    assert "at most 20 tags" in wrong.text


async def test_a_tag_of_drafts_only_has_no_page(client: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        article = await factories.article(session, state="draft")
        tag = Tag(slug="hips", name="Hips")
        session.add(tag)
        await session.flush()
        session.add(ArticleTag(article_id=article.id, tag_id=tag.id))
    assert (await client.get("/articles/tag/hips")).status_code == 404


async def test_pictures_and_handouts_are_handed_out_by_their_names_only(client: httpx.AsyncClient) -> None:
    made = await pictures.make(b"%PDF-1.4 handout")
    await pictures.store(made)
    answer = await client.get(made.path)
    assert (answer.status_code, answer.content) == (200, b"%PDF-1.4 handout")
    assert answer.headers["content-type"] == "application/pdf"
    assert "immutable" in answer.headers["cache-control"]
    for wrong in (
        "/files/../../etc/passwd",
        "/files/x.pdf",
        "/pictures/" + "0" * 32 + "-1x1.jpg",
        "/files/" + "0" * 32 + ".exe",
    ):
        assert (await client.get(wrong)).status_code == 404


async def test_nothing_is_kept_twice(client: httpx.AsyncClient) -> None:
    await moved("hip", "/a", "/a/", "//a")
    async with db.transaction() as session:
        rows = await session.scalars(select(OldAddress.path))
        assert list(rows) == ["/a"]
