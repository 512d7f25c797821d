"""The studio's articles: writing, previewing, publishing, and who may not."""

from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from app import db
from app.accounts.models import AuditEntry, User
from app.articles.models import Article, ArticleRelation
from tests import factories
from tests.articles.forms import words_of

ID = UUID(int=7)
PAGES = ["/studio/articles", "/studio/articles/new", f"/studio/articles/{ID}"]
POSTS = [
    "/studio/articles",
    "/studio/articles/preview",
    "/studio/articles/related",
    f"/studio/articles/{ID}",
    f"/studio/articles/{ID}/unpublish",
    f"/studio/articles/{ID}/delete",
]
FORM = {"title": "Hip pain", "summary": "About hips.", "body_md": "## Why\n\nWords."}


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    async with db.transaction() as session:
        user = await factories.staff(session, name="Leilani")
    await factories.sign_in(client, user)
    return user


async def trail() -> list[str]:
    async with db.transaction() as session:
        return list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


async def stored() -> list[Article]:
    async with db.transaction() as session:
        return list(await session.scalars(select(Article).order_by(Article.slug)))


async def put(**values: object) -> Article:
    async with db.transaction() as session:
        return await factories.article(session, **values)


@pytest.mark.parametrize(
    ("method", "path"), [*(("GET", path) for path in PAGES), *(("POST", path) for path in POSTS)]
)
async def test_visitors_are_asked_to_sign_in_and_members_refused(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    assert (await client.request(method, path)).status_code == 401
    async with db.transaction() as session:
        member = await factories.user(session)
    await factories.sign_in(client, member)
    assert (await client.request(method, path, data=FORM if method == "POST" else None)).status_code == 403
    assert await stored() == []


@pytest.mark.parametrize("path", [*PAGES[2:], *POSTS[3:]])
async def test_an_unknown_article_is_not_found(client: httpx.AsyncClient, teacher: User, path: str) -> None:
    method = "GET" if path in PAGES else "POST"
    assert (await client.request(method, path)).status_code == 404


async def test_a_new_article_is_a_draft_with_an_address_made_of_its_title(
    client: httpx.AsyncClient, teacher: User
) -> None:
    answer = await client.post("/studio/articles", data=FORM)
    (row,) = await stored()
    assert (answer.status_code, answer.headers["location"]) == (303, f"/studio/articles/{row.id}?did=save")
    assert (row.slug, row.state, row.author_id, row.published_at) == ("hip-pain", "draft", teacher.id, None)
    assert row.body_html == '<h2 id="why">Why</h2>\n<p>Words.</p>\n'
    assert await trail() == ["article.create"]
    page = (await client.get(answer.headers["location"])).text
    assert "Saved." in page
    assert "## Why\n\nWords.</textarea>" in page
    assert "data-guard" in page


async def test_the_same_title_twice_gets_another_address(client: httpx.AsyncClient, teacher: User) -> None:
    for _n in range(3):
        await client.post("/studio/articles", data=FORM)
    assert [row.slug for row in await stored()] == ["hip-pain", "hip-pain-2", "hip-pain-3"]


@pytest.mark.parametrize(
    ("title", "slug"), [("¿Què? Més!", "que-mes"), ("股関節", "article"), ("!!!", "article")]
)
async def test_any_title_makes_an_address(
    client: httpx.AsyncClient, teacher: User, title: str, slug: str
) -> None:
    assert (await client.post("/studio/articles", data={"title": title})).status_code == 303
    assert [row.slug for row in await stored()] == [slug]


async def test_an_address_that_is_taken_is_refused_and_nothing_typed_is_lost(
    client: httpx.AsyncClient, teacher: User
) -> None:
    await put(slug="hip-pain", title="The old one")
    answer = await client.post("/studio/articles", data={**FORM, "slug": "hip-pain"})
    assert answer.status_code == 422
    assert "“The old one” has this address already." in words_of(answer.text)
    assert "## Why\n\nWords.</textarea>" in answer.text
    assert len(await stored()) == 1


async def test_publishing_names_what_is_missing(client: httpx.AsyncClient, teacher: User) -> None:
    answer = await client.post("/studio/articles", data={"title": "Hips", "do": "publish"})
    assert answer.status_code == 422
    assert 'id="summary-error"' in answer.text
    assert 'id="body_md-error"' in answer.text
    assert await stored() == []


async def test_publish_unpublish_and_publish_again_keep_the_first_day(
    client: httpx.AsyncClient, teacher: User
) -> None:
    await client.post("/studio/articles", data={**FORM, "do": "publish"})
    (row,) = await stored()
    assert (await client.get("/articles/hip-pain")).status_code == 200
    first = row.published_at
    answer = await client.post(f"/studio/articles/{row.id}/unpublish")
    assert "It is a draft again" in (await client.get(answer.headers["location"])).text
    client.cookies.clear()
    assert (await client.get("/articles/hip-pain")).status_code == 404
    await factories.sign_in(client, teacher)
    await client.post(f"/studio/articles/{row.id}", data={**FORM, "slug": "hip-pain", "do": "publish"})
    (row,) = await stored()
    assert (row.state, row.published_at) == ("published", first)
    assert await trail() == [
        "article.create",
        "article.publish",
        "article.unpublish",
        "article.save",
        "article.publish",
    ]


async def test_a_published_article_cannot_be_saved_empty(client: httpx.AsyncClient, teacher: User) -> None:
    row = await put()
    answer = await client.post(f"/studio/articles/{row.id}", data={"title": "Hips", "slug": row.slug})
    assert answer.status_code == 422
    answer = await client.post(f"/studio/articles/{row.id}", data={**FORM, "slug": ""})
    assert 'id="slug-error"' in answer.text
    assert (await stored())[0].body_md == "Words."


async def test_only_drafts_can_be_deleted(client: httpx.AsyncClient, teacher: User) -> None:
    row, draft = await put(), await put(state="draft")
    assert (await client.post(f"/studio/articles/{row.id}/delete")).status_code == 409
    answer = await client.post(f"/studio/articles/{draft.id}/delete")
    assert "The draft was deleted." in (await client.get(answer.headers["location"])).text
    assert [kept.id for kept in await stored()] == [row.id]
    assert await trail() == ["article.delete"]


async def test_preview_shows_clean_text_and_saves_nothing(client: httpx.AsyncClient, teacher: User) -> None:
    words = {**FORM, "body_md": "*Slowly* <script>alert(1)</script>"}
    fragment = await client.post("/studio/articles/preview", data=words)
    assert "<em>Slowly</em>" in fragment.text
    assert "<script" not in fragment.text
    assert "<html" not in fragment.text
    page = await client.post("/studio/articles", data={**words, "do": "preview"})
    assert "<em>Slowly</em>" in page.text
    assert "*Slowly* &lt;script&gt;" in page.text
    row = await put()
    page = await client.post(f"/studio/articles/{row.id}", data={**words, "do": "preview"})
    assert "<em>Slowly</em>" in page.text
    assert [kept.body_md for kept in await stored()] == ["Words."]
    assert await trail() == []


async def test_related_articles_keep_their_order_without_repetition_itself_or_strangers(
    client: httpx.AsyncClient, teacher: User
) -> None:
    row, one, two = await put(title="Own"), await put(title="One"), await put(title="Two")
    related = [str(two.id), "", str(row.id), str(two.id), str(uuid4()), "x", str(one.id)]
    await client.post(f"/studio/articles/{row.id}", data={**FORM, "slug": "own", "related": related})
    async with db.transaction() as session:
        chosen: list[UUID] = list(
            await session.scalars(select(ArticleRelation.related_id).order_by(ArticleRelation.position))
        )
    assert chosen == [two.id, one.id]
    page = (await client.get(f"/studio/articles/{row.id}")).text
    assert page.index(f'value="{two.id}" checked') < page.index(f'value="{one.id}" checked')


async def test_related_articles_are_found_by_their_titles_and_nothing_typed_is_lost(
    client: httpx.AsyncClient, teacher: User
) -> None:
    row = await put(title="Knees and hips")
    hips, chosen = await put(title="Hips after 50%", state="draft"), await put(title="Hips and backs")
    await put(title="Elbows")
    words = {**FORM, "slug": "mine", "find": "HIPS ", "related": [str(chosen.id)]}
    # Enter in the search field must not save what was begun.
    for do in ("find", "enter"):
        page = (await client.post(f"/studio/articles/{row.id}", data={**words, "do": do})).text
        assert page.index(f'value="{chosen.id}" checked') < page.index(f'value="{hips.id}"><label')
        assert 'value="mine"' in page
        assert "Elbows" not in page
        assert f'value="{row.id}"><label' not in page
    fragment = (await client.post("/studio/articles/related", data={**words, "own": str(row.id)})).text
    assert "<html" not in fragment
    assert f'value="{hips.id}"' in fragment
    assert (await client.post("/studio/articles/related", data={"find": "50%"})).text.count("<li") == 1
    nothing = (await client.post("/studio/articles/related", data={"find": "toes"})).text
    assert "No other article has these words" in nothing
    assert [kept.slug for kept in await stored() if kept.id == row.id] == [row.slug]
    saved = await client.post(f"/studio/articles/{row.id}", data={**words, "find": "", "do": "enter"})
    assert saved.headers["location"].endswith("?did=save")


async def test_a_related_article_moves_up_before_anything_is_saved(
    client: httpx.AsyncClient, teacher: User
) -> None:
    one, two = await put(title="One"), await put(title="Two")
    words = {**FORM, "related": [str(one.id), str(two.id)]}
    page = (await client.post("/studio/articles", data={**words, "do": f"up-{two.id}"})).text
    assert page.index(f'value="{two.id}" checked') < page.index(f'value="{one.id}" checked')
    assert (await client.post("/studio/articles", data={**words, "do": "up-x"})).status_code == 303


async def test_a_long_list_has_pages_and_says_which(client: httpx.AsyncClient, teacher: User) -> None:
    async with db.transaction() as session:
        for n in range(103):
            await factories.article(session, title=f"Hips {n:03}", state="draft" if n % 2 else "published")
    first = (await client.get("/studio/articles")).text
    assert first.count('<th scope="row">') == 50
    assert "Page 1 of 3" in words_of(first)
    last = (await client.get("/studio/articles?page=3")).text
    assert last.count('<th scope="row">') == 3
    drafts = (await client.get("/studio/articles?state=draft&q=hips&page=9")).text
    assert drafts.count('<th scope="row">') == 1
    assert 'href="/studio/articles?q=hips&amp;state=draft&amp;page=1"' in drafts


async def test_the_list_is_searched_and_filtered(client: httpx.AsyncClient, teacher: User) -> None:
    await put(title="Hips 100%")
    await put(title="Knees", summary="Not hips at all")
    await put(title="Shoulders", state="draft")

    async def found(**query: str) -> list[str]:
        page = (await client.get("/studio/articles", params=query)).text
        return [title for title in ("Hips 100%", "Knees", "Shoulders") if title in page]

    assert await found() == ["Hips 100%", "Knees", "Shoulders"]
    assert await found(q="hips") == ["Hips 100%", "Knees"]
    assert await found(q="100%") == ["Hips 100%"]
    assert await found(q="_") == []
    assert await found(state="draft") == ["Shoulders"]
    assert await found(state="published", q="knees") == ["Knees"]
    assert await found(q="\x00") == ["Hips 100%", "Knees", "Shoulders"]
    assert "No article matches." in (await client.get("/studio/articles?q=elbow")).text


async def test_an_empty_list_names_the_next_step(client: httpx.AsyncClient, teacher: User) -> None:
    page = (await client.get("/studio/articles")).text
    assert "No articles yet" in page
    assert 'href="/studio/articles/new"' in page
