"""An article for a day to come: nobody sees it before, everybody from then on, and no worker has to run for it."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select

from app import db
from app.accounts.models import AuditEntry, User
from app.articles.models import Article, ArticleRelation, ArticleTag, OldAddress, Tag
from app.clock import utcnow
from app.practice.models import Practice
from tests import factories
from tests.articles.forms import words_of
from tests.web.sitemap import whole_sitemap

TITLE = "Sleeping on a sore shoulder"
FORM = {"title": TITLE, "slug": "shoulder", "summary": "About sleep.", "body_md": "On the other side."}


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    async with db.transaction() as session:
        session.add(Practice(id=1, site_name="Kapahulu", time_zone="Pacific/Honolulu"))
        user = await factories.staff(session)
    await factories.sign_in(client, user)
    return user


async def stored() -> Article:
    async with db.transaction() as session:
        return (await session.scalars(select(Article).where(Article.slug == "shoulder"))).one()


async def move(day: datetime) -> None:
    """The clock reaches the article's day: here its day comes to the clock."""
    async with db.transaction() as session:
        row = (await session.scalars(select(Article).where(Article.slug == "shoulder"))).one()
        row.published_at = day


async def everywhere() -> list[str]:
    """Publishes an article that has a tag, is related to another one, and has an old address; answers every public
    address at which it could be met."""
    async with db.transaction() as session:
        row = await factories.article(
            session, slug="shoulder", title=TITLE, published_at=utcnow() + timedelta(days=1)
        )
        other = await factories.article(session, slug="other")
        tag = await factories.save(session, Tag(slug="sleep", name="Sleep"))
        session.add(ArticleTag(article_id=row.id, tag_id=tag.id))
        session.add(ArticleTag(article_id=other.id, tag_id=tag.id))
        session.add(ArticleRelation(article_id=other.id, related_id=row.id))
        session.add(OldAddress(path="/2019/shoulder", article_id=row.id))
    return ["/", "/articles", "/articles/tag/sleep", "/articles/other", "/feed.xml"]


async def test_before_its_day_it_is_nowhere_and_from_then_on_everywhere(client: httpx.AsyncClient) -> None:
    places = await everywhere()
    for place in places:
        answer = await client.get(place)
        assert answer.status_code == 200
        assert "shoulder" not in answer.text, place
    assert "shoulder" not in await whole_sitemap(client)
    assert (await client.get("/articles/shoulder")).status_code == 404
    assert (await client.get("/2019/shoulder")).status_code == 404
    sent = await client.post("/articles/shoulder/responses", data={"name": "Ana"})
    assert sent.status_code == 404
    await move(utcnow())
    for place in places:
        assert "shoulder" in (await client.get(place)).text, place
    assert "shoulder" in await whole_sitemap(client)
    assert (await client.get("/articles/shoulder")).status_code == 200
    assert (await client.get("/2019/shoulder")).headers["location"] == "/articles/shoulder"


async def test_the_feed_says_that_it_is_new_however_long_ago_it_was_written(
    client: httpx.AsyncClient,
) -> None:
    day = datetime(2026, 3, 1, 8, tzinfo=UTC)
    async with db.transaction() as session:
        await factories.article(session, published_at=day, changed_at=day - timedelta(days=30))
    assert (await client.get("/feed.xml")).text.count("<updated>2026-03-01T08:00:00Z</updated>") == 2
    assert "<lastmod>2026-03-01T08:00:00Z</lastmod>" in (await client.get("/sitemap.xml")).text


async def test_the_editor_reads_and_shows_the_day_on_the_practices_clock(
    client: httpx.AsyncClient, teacher: User
) -> None:
    answer = await client.post("/studio/articles", data={**FORM, "day": "2031-01-31T09:00", "do": "publish"})
    row = await stored()
    assert (row.state, row.published_at) == ("published", datetime(2031, 1, 31, 19, tzinfo=UTC))
    page = (await client.get(answer.headers["location"])).text
    assert 'value="2031-01-31T09:00"' in page
    assert "It comes out on 31 Jan 2031, 09:00." in words_of(page)
    assert "Pacific/Honolulu" in page
    assert "Show the draft to somebody" in page
    assert "Comes out on 31 Jan 2031, 09:00" in words_of((await client.get("/studio/articles")).text)
    shown = (await client.get("/articles/shoulder")).text
    assert "until then only staff can see this page" in shown
    assert 'content="noindex"' in shown
    async with db.transaction() as session:
        deeds = list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
    assert deeds == ["article.create", "article.schedule"]
    client.cookies.clear()
    assert (await client.get("/articles/shoulder")).status_code == 404


async def test_the_day_is_moved_emptied_or_passed_over(client: httpx.AsyncClient, teacher: User) -> None:
    await client.post("/studio/articles", data={**FORM, "day": "2031-01-31T09:00", "do": "publish"})
    address = f"/studio/articles/{(await stored()).id}"
    await client.post(address, data={**FORM, "day": "2032-01-31T09:00"})
    assert (await stored()).published_at == datetime(2032, 1, 31, 19, tzinfo=UTC)
    # Back to a draft the day is a plan, and stays in the form.
    await client.post(f"{address}/unpublish")
    assert 'value="2032-01-31T09:00"' in (await client.get(address)).text
    await client.post(address, data={**FORM, "day": "2032-01-31T09:00", "do": "publish"})
    before = utcnow()
    await client.post(address, data={**FORM, "day": "2032-01-31T09:00", "do": "now"})
    row = await stored()
    assert row.published_at is not None
    assert before <= row.published_at <= utcnow()
    client.cookies.clear()
    assert (await client.get("/articles/shoulder")).status_code == 200


async def test_saving_what_is_out_keeps_its_moment_to_the_second(
    client: httpx.AsyncClient, teacher: User
) -> None:
    first = datetime(2026, 3, 1, 8, 30, 17, 123456, tzinfo=UTC)
    async with db.transaction() as session:
        row = await factories.article(session, slug="shoulder", published_at=first)
    await client.post(f"/studio/articles/{row.id}", data={**FORM, "day": "2026-02-28T22:30"})
    assert (await stored()).published_at == first


async def test_a_day_that_nobody_can_mean_is_refused(client: httpx.AsyncClient, teacher: User) -> None:
    answer = await client.post("/studio/articles", data={**FORM, "day": "9999-01-01T00:00"})
    assert answer.status_code == 422
    assert 'id="day-error"' in answer.text
    assert 'value="9999-01-01T00:00"' in answer.text


async def test_what_is_to_come_is_listed_the_next_first(client: httpx.AsyncClient, teacher: User) -> None:
    now = utcnow()
    async with db.transaction() as session:
        for title, days in (("Later", 9), ("Sooner", 2), ("Out", -1)):
            await factories.article(session, title=title, published_at=now + timedelta(days=days))
    page = (await client.get("/studio/articles?state=scheduled")).text
    assert "Out</a>" not in page
    assert page.index("Sooner</a>") < page.index("Later</a>")
    page = (await client.get("/studio/articles?state=published")).text
    assert "Out</a>" in page
    assert "Later</a>" not in page


async def test_the_link_shows_it_until_it_is_out(client: httpx.AsyncClient) -> None:
    from app.articles import drafts

    await everywhere()
    link = "/drafts?" + drafts.link(await stored(), utcnow()).partition("?")[2]
    assert TITLE in (await client.get(link)).text
    await move(utcnow())
    assert (await client.get(link)).headers["location"] == "/articles/shoulder"
