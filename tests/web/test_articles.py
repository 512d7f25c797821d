"""Articles as readers and search engines meet them: list, page, drafts, related articles, and what the head tells."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

from app import db
from app.accounts.models import User
from app.articles.markdown import render_article
from app.articles.models import Article, ArticleRelation, Comment
from app.catalog.models import Lesson
from app.clock import utcnow
from app.practice.models import Location, Practice
from tests import factories
from tests.articles.forms import json_ld, words_of
from tests.statements import statements


async def article(**values: object) -> Article:
    body = str(values.pop("body_md", "Words."))
    rendered = render_article(body)
    async with db.transaction() as session:
        return await factories.article(
            session,
            **{
                "slug": "hips",
                "title": "Hips & “knees”",
                "summary": "About <hips>.",
                "body_md": body,
                "body_html": rendered.html,
                "word_count": rendered.word_count,
                **values,
            },
        )


async def comment(article_id: UUID, **values: object) -> Comment:
    async with db.transaction() as session:
        defaults = {
            "name": "Dana",
            "email": "dana@secret.example",
            "body_md": "Hm.",
            "body_html": "<p>Hm.</p>",
        }
        row: Comment = await factories.save(
            session, Comment(**{"article_id": article_id, "state": "approved", **defaults, **values})
        )
        return row


async def someone(client: httpx.AsyncClient, *, staff: bool) -> User:
    async with db.transaction() as session:
        user = await (factories.staff if staff else factories.user)(session)
    await factories.sign_in(client, user)
    return user


async def test_the_list_shows_published_articles_the_newest_first(client: httpx.AsyncClient) -> None:
    now = utcnow()
    await article(slug="old", title="Old one", published_at=now - timedelta(days=9))
    await article(slug="new", title="New one", published_at=now)
    await article(slug="draft", title="Secret one", state="draft")
    page = await client.get("/articles")
    assert page.status_code == 200
    assert page.text.index("New one") < page.text.index("Old one")
    assert "Secret one" not in page.text


async def test_an_empty_list_offers_another_way(client: httpx.AsyncClient) -> None:
    page = await client.get("/articles")
    assert "The first article is being written." in page.text
    assert 'href="/contact"' in page.text


async def test_the_list_is_cut_into_pages_and_forgives_odd_numbers(client: httpx.AsyncClient) -> None:
    now = utcnow()
    for n in range(21):
        await article(slug=f"a-{n}", title=f"Number {n:02}", published_at=now - timedelta(days=n))
    first, second = await client.get("/articles"), await client.get("/articles?page=2")
    assert "Number 19" in first.text
    assert "Number 20" not in first.text
    assert "Number 20" in second.text
    assert 'rel="canonical" href="https://limber.test/articles?page=2"' in second.text
    for odd in ("0", "-1", "x", "²", "9" * 30, "99"):
        assert (await client.get("/articles", params={"page": odd})).status_code == 200


async def test_a_draft_is_not_there_for_visitors_and_members_and_marked_for_staff(
    client: httpx.AsyncClient,
) -> None:
    await article(state="draft", published_at=None)
    assert (await client.get("/articles/hips")).status_code == 404
    await someone(client, staff=False)
    assert (await client.get("/articles/hips")).status_code == 404
    assert (await client.post("/articles/hips/responses", data={"body": "Hi"})).status_code == 404
    await someone(client, staff=True)
    page = await client.get("/articles/hips")
    assert page.status_code == 200
    assert "A draft: only staff can see this page." in page.text
    assert '<meta name="robots" content="noindex">' in page.text


@pytest.mark.parametrize("slug", ["nobody", "%00", "Hips", "..%2fx", "x" * 3_000, "%f0%9f%98%80"])
async def test_an_unknown_address_is_not_found(client: httpx.AsyncClient, slug: str) -> None:
    await article()
    assert (await client.get(f"/articles/{slug}")).status_code in (404, 414)


async def test_the_head_tells_title_description_canonical_and_open_graph(client: httpx.AsyncClient) -> None:
    await article()
    page = (await client.get("/articles/hips?reply=nonsense")).text
    assert "<title>Hips &amp; “knees” · Limber</title>" in page
    assert '<meta name="description" content="About &lt;hips&gt;.">' in page
    assert '<link rel="canonical" href="https://limber.test/articles/hips">' in page
    for name, value in (
        ("og:type", "article"),
        ("og:url", "https://limber.test/articles/hips"),
        ("og:title", "Hips &amp; “knees”"),
        ("og:description", "About &lt;hips&gt;."),
        ("og:site_name", "Limber"),
    ):
        assert f'<meta property="{name}" content="{value}">' in page
    assert '<link rel="alternate" type="application/atom+xml"' in page


async def test_json_ld_is_json_and_says_what_it_is(client: httpx.AsyncClient) -> None:
    row = await article(title="</script><b>x", body_md="Two words.")
    await comment(row.id)
    about, crumbs = json_ld((await client.get("/articles/hips")).text)
    assert about["@type"] == "Article"
    assert about["headline"] == "</script><b>x"
    assert about["isAccessibleForFree"] is True
    assert (about["commentCount"], about["wordCount"]) == (1, 2)
    assert about["url"] == "https://limber.test/articles/hips"
    assert about["datePublished"] == row.published_at.isoformat() if row.published_at else False
    assert [item["item"] for item in crumbs["itemListElement"]] == [
        "https://limber.test/",
        "https://limber.test/articles",
        "https://limber.test/articles/hips",
    ]


async def test_an_article_has_one_script_of_ours_for_who_responds_and_no_other_servers(
    client: httpx.AsyncClient,
) -> None:
    row = await article(body_md="## One\n\n## Two\n\n## Three\n\nWords.")
    await comment(row.id)
    page = (await client.get("/articles/hips")).text
    assert "<script src" not in page
    assert page.count("<script") == page.count('<script type="application/ld+json"') + 1
    assert page.count('<script type="module" src="/static/forms.') == 1
    assert 'src="http' not in page
    assert "style=" not in page


async def test_three_headings_make_a_table_of_contents(client: httpx.AsyncClient) -> None:
    await article(body_md="## One\n\n### Detail\n\n## Two\n\n## Three")
    page = (await client.get("/articles/hips")).text
    assert 'aria-labelledby="contents-title"' in page
    for anchor in ("one", "two", "three"):
        assert f'href="#{anchor}"' in page
        assert f'id="{anchor}"' in page
    assert 'href="#detail"' not in page
    await article(slug="short", body_md="## One\n\n## Two")
    assert "contents-title" not in (await client.get("/articles/short")).text


async def test_author_reading_time_and_numbers_to_tap_stand_on_the_page(client: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        teacher = await factories.staff(session, name="Leilani Akana")
        session.add(
            Practice(id=1, site_name="Kapahulu", teacher_role="teacher", teacher_bio="Nineteen years.")
        )
        session.add(Location(city="Honolulu", phone="(808) 555-0142", position=0))
        session.add(Location(city="Kailua", phone="", position=1))
    await article(author_id=teacher.id, word_count=660)
    page = (await client.get("/articles/hips")).text
    said = words_of(page)
    assert "By Leilani Akana" in said
    assert "3 minutes to read" in said
    assert "Nineteen years." in said
    assert "Call in Honolulu (808) 555-0142" in said
    assert 'href="tel:8085550142"' in page or 'href="tel:+18085550142"' in page
    assert "Call in Kailua" not in said
    assert "Send me an email" in said


async def test_related_articles_are_a_numbered_list_in_the_authors_order_without_drafts(
    client: httpx.AsyncClient,
) -> None:
    row = await article()
    others = [await article(slug=f"b-{n}", title=f"Other {n}") for n in range(3)]
    draft = await article(slug="b-9", title="Hidden", state="draft")
    async with db.transaction() as session:
        for position, other in enumerate([others[2], draft, others[0]]):
            session.add(ArticleRelation(article_id=row.id, related_id=other.id, position=position))
    page = (await client.get("/articles/hips")).text
    part = page[page.index("This article can also be helpful to you") :]
    assert "<ol>" in part
    assert part.index("Other 2") < part.index("Other 0")
    assert "Hidden" not in page
    assert "Other 1" not in page


async def test_the_lesson_stands_where_the_text_wants_it_while_everybody_may_see_it(
    client: httpx.AsyncClient,
) -> None:
    async with db.transaction() as session:
        course = await factories.course(session, slug="lower-body")
        section = await factories.section(session, course)
        lesson = await factories.lesson(session, section, slug="deep", title="Deep rotators")
    await article(body_md="Before.\n\n::: lesson\n:::\n\nAfter.", lesson_id=lesson.id)
    page = (await client.get("/articles/hips")).text
    assert (
        page.index("Before.") < page.index('href="/courses/lower-body/deep?from=hips"') < page.index("After.")
    )
    async with db.transaction() as session:
        await session.execute(update(Lesson).values(state="draft"))
    page = (await client.get("/articles/hips")).text
    assert "Deep rotators" not in page
    assert "After." in page


async def test_staff_get_a_link_to_edit_and_nobody_else(client: httpx.AsyncClient) -> None:
    row = await article()
    link = f'href="/studio/articles/{row.id}"'
    assert link not in (await client.get("/articles/hips")).text
    await someone(client, staff=True)
    assert link in (await client.get("/articles/hips")).text


async def test_an_articles_page_asks_the_database_no_more_when_it_has_many_responses(
    client: httpx.AsyncClient, database: db.Database
) -> None:
    row = await article()
    await comment(row.id)
    with statements(database) as asked:
        # The first time in an hour it also asks which articles are alike. A page asked for with a query is not kept.
        await client.get("/articles/hips?n=1")
        asked.clear()
        await client.get("/articles/hips?n=1")
        few = len(asked)
        for state in ("approved", "pending", "removed", "withdrawn") * 5:
            await comment(row.id, state=state)
        asked.clear()
        await client.get("/articles/hips?n=1")
    assert len(asked) == few <= 8
