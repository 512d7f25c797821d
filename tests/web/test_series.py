"""Series: "Part 2 of 5" with the ways before and after, their page, and the studio that arranges them."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from app import db
from app.accounts.models import User
from app.articles.models import Article, Series, SeriesPart
from app.clock import utcnow
from tests import factories
from tests.articles.forms import words_of
from tests.web.sitemap import whole_sitemap

ID = UUID(int=7)
PAGES = ["/studio/series", "/studio/series/new", f"/studio/series/{ID}"]
POSTS = [
    "/studio/series",
    f"/studio/series/{ID}",
    f"/studio/series/{ID}/delete",
    f"/studio/series/{ID}/parts",
    f"/studio/series/{ID}/parts/{ID}/up",
]
FORM = {"title": "Running again", "summary": "In steps."}


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    async with db.transaction() as session:
        user = await factories.staff(session)
    await factories.sign_in(client, user)
    return user


async def series(*titles: str, **of: object) -> list[Article]:
    """A series "running" of these articles; `of`: title → its values."""
    async with db.transaction() as session:
        row = await factories.save(session, Series(slug="running", title="Running again"))
        made = []
        for n, title in enumerate(titles):
            values = of.get(title, {})
            assert isinstance(values, dict)
            made.append(await factories.article(session, slug=title.lower(), title=title, **values))
            session.add(SeriesPart(article_id=made[-1].id, series_id=row.id, position=n))
        return made


async def order() -> list[str]:
    async with db.transaction() as session:
        return list(
            await session.scalars(
                select(Article.title)
                .join(SeriesPart, SeriesPart.article_id == Article.id)
                .order_by(SeriesPart.position)
            )
        )


async def test_an_article_says_which_part_it_is_and_leads_to_the_others(client: httpx.AsyncClient) -> None:
    await series("Walk", "Jog", "Run")
    for slug, place, ways in (
        ("walk", "Part 1 of 3", ["next"]),
        ("jog", "Part 2 of 3", ["prev", "next"]),
        ("run", "Part 3 of 3", ["prev"]),
    ):
        page = (await client.get(f"/articles/{slug}")).text
        assert place in words_of(page)
        assert [way for way in ("prev", "next") if f'rel="{way}"' in page] == ways
        assert 'href="/series/running"' in page
    jog = (await client.get("/articles/jog")).text
    assert 'href="/articles/walk" rel="prev"' in jog
    assert 'href="/articles/run" rel="next"' in jog


async def test_only_what_can_be_read_counts(client: httpx.AsyncClient, teacher: User) -> None:
    later = {"published_at": utcnow() + timedelta(days=3)}
    await series("Walk", "Jog", "Run", "Race", Jog={"state": "draft"}, Race=later)
    assert "Part 2 of 3" in words_of((await client.get("/articles/jog")).text), "the teacher's preview"
    client.cookies.clear()
    run = (await client.get("/articles/run")).text
    assert "Part 2 of 2" in words_of(run)
    assert 'href="/articles/walk" rel="prev"' in run
    page = (await client.get("/series/running")).text
    assert page.index('href="/articles/walk"') < page.index('href="/articles/run"')
    assert "Jog" not in page
    assert "Race" not in page
    assert "/series/running" in await whole_sitemap(client)


async def test_a_series_with_nothing_to_read_is_nowhere(client: httpx.AsyncClient) -> None:
    await series("Walk", Walk={"state": "draft"})
    assert (await client.get("/series/running")).status_code == 404
    assert (await client.get("/series/none")).status_code == 404
    assert "/series/running" not in (await client.get("/sitemap.xml")).text


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


async def test_the_studio_begins_fills_arranges_and_deletes_a_series(
    client: httpx.AsyncClient, teacher: User
) -> None:
    assert "No series yet" in (await client.get("/studio/series")).text
    async with db.transaction() as session:
        made = [await factories.article(session, title=title) for title in ("Walk", "Jog", "Run")]
    answer = await client.post("/studio/series", data=FORM)
    address = answer.headers["location"].partition("?")[0]
    for one in (*made, made[0]):
        await client.post(f"{address}/parts", data={"article": str(one.id)})
    await client.post(f"{address}/parts", data={"article": "nonsense"})
    await client.post(f"{address}/parts", data={"article": str(ID)})
    assert await order() == ["Walk", "Jog", "Run"]
    walk, jog, run = (f"{address}/parts/{one.id}" for one in made)
    await client.post(f"{run}/up")
    await client.post(f"{walk}/up")
    assert await order() == ["Walk", "Run", "Jog"]
    await client.post(f"{walk}/down")
    assert await order() == ["Run", "Walk", "Jog"]
    await client.post(f"{walk}/out")
    assert await order() == ["Run", "Jog"]
    assert (await client.post(f"{walk}/up")).status_code == 404
    assert (await client.post(f"{jog}/nonsense")).status_code == 404
    page = (await client.get(address)).text
    assert f'<option value="{made[0].id}">Walk</option>' in page
    await client.post(address, data={"title": "Running", "slug": "run"})
    assert (await client.get("/series/run")).status_code == 200
    assert (await client.post("/studio/series", data={"title": "x", "slug": "run"})).status_code == 422
    assert (await client.post(address, data={"title": ""})).status_code == 422
    await client.post(f"{address}/delete")
    assert (await client.get("/series/run")).status_code == 404
    assert await order() == []
