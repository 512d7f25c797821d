"""Kept pages: never an old word, never another reader's nonce or stamp, and nothing for those who are signed in."""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.accounts.models import User
from app.articles import stamps
from app.articles.models import Article, ArticleRelation, ArticleTag, Comment, Tag
from app.billing.plan_models import Plan, PlanPrice
from app.catalog.models import Course, Lesson, Section
from app.clock import utcnow
from app.practice.models import Location, Practice
from app.settings import get_settings
from app.video.captions_models import CaptionTrack, Chapter
from app.video.models import Video
from tests import factories
from tests.statements import statements

NONCE = re.compile(r"'nonce-([\w-]+)'")
STAMP = re.compile(r'name="stamp" value="([^"]+)"')
ARTICLE, LESSON, COURSE = "/articles/a", "/courses/c/l", "/courses/c"


async def fill() -> None:
    async with db.transaction() as session:
        session.add(Practice(id=1, site_name="Before"))
        author = await factories.staff(session, name="Before")
        course = await factories.course(session, slug="c", title="Before")
        section = await factories.section(session, course, title="Before")
        film = await factories.video(session, duration_s=61.0)
        lesson = await factories.lesson(
            session, section, slug="l", title="Before", is_free=True, video_id=film.id
        )
        await factories.lesson(session, section, slug="m", available_at=utcnow() + timedelta(days=1))
        article = await factories.article(session, slug="a", author_id=author.id, lesson_id=lesson.id)
        other = await factories.article(session, slug="b", title="Before")
        session.add(ArticleRelation(article_id=article.id, related_id=other.id))
        tag = await factories.save(session, Tag(slug="t", name="Before"))
        session.add(ArticleTag(article_id=article.id, tag_id=tag.id))
        words = {"body_md": "", "body_html": "<p>Before</p>", "name": "N", "email": ""}
        session.add(Comment(article_id=article.id, state="approved", **words))
        session.add(Comment(article_id=article.id, state="pending", **{**words, "body_html": "<p>After</p>"}))
        await factories.article(session, slug="about", title="After", is_listed=False, state="draft")


Change = Callable[[AsyncSession], Awaitable[Any]]


def setting(model: Any, **values: Any) -> Change:
    return lambda session: session.execute(update(model).values(**values))


def adding(make: Callable[[Any, Any], Any]) -> Change:
    """`make` gets the article and the video."""

    async def add(session: AsyncSession) -> None:
        article = await session.scalar(select(Article.id).where(Article.slug == "a"))
        video = await session.scalar(select(Lesson.video_id).where(Lesson.slug == "l"))
        session.add(make(article, video))

    return add


CHANGES: dict[str, tuple[str, Change]] = {
    "the site's name": (ARTICLE, setting(Practice, site_name="After")),
    "an address": (ARTICLE, adding(lambda _a, _v: Location(city="After"))),
    "a page at the foot": (
        ARTICLE,
        lambda s: s.execute(update(Article).where(~Article.is_listed).values(state="published")),
    ),
    "the text": (
        ARTICLE,
        lambda s: s.execute(update(Article).where(Article.slug == "a").values(body_html="<p>After</p>")),
    ),
    "a related one": (
        ARTICLE,
        lambda s: s.execute(update(Article).where(Article.slug == "b").values(title="After")),
    ),
    "the author": (ARTICLE, setting(User, name="After")),
    "a tag": (ARTICLE, setting(Tag, name="After")),
    "a response let in": (
        ARTICLE,
        lambda s: s.execute(update(Comment).where(Comment.state == "pending").values(state="approved")),
    ),
    "the lesson": (ARTICLE, setting(Lesson, title="After")),
    "the course is a draft": (ARTICLE, setting(Course, state="draft")),
    "the film": (ARTICLE, setting(Video, duration_s=3723.0)),
    "a response gone": (ARTICLE, lambda s: s.execute(delete(Comment))),
    "a tag gone": (ARTICLE, lambda s: s.execute(delete(ArticleTag))),
    "a lesson's title": (LESSON, setting(Lesson, title="After")),
    "a section": (LESSON, setting(Section, title="After")),
    "a course": (COURSE, setting(Course, title="After")),
    "captions": (
        LESSON,
        adding(
            lambda _a, v: CaptionTrack(
                video_id=v, language="en", label="After", vtt="WEBVTT\n\n00:00.000 --> 00:01.000\nAfter\n"
            )
        ),
    ),
    "a chapter": (LESSON, adding(lambda _a, v: Chapter(video_id=v, at_s=0, title="After"))),
}


@pytest.mark.parametrize("what", list(CHANGES))
async def test_a_kept_page_is_drawn_anew_when_anything_on_it_changes(
    client: httpx.AsyncClient, database: db.Database, what: str
) -> None:
    await fill()
    path, change = CHANGES[what]
    before = holes_closed((await client.get(path)).text)
    with statements(database) as asked:
        assert holes_closed((await client.get(path)).text) == before
    assert len(asked) == 1, "it was kept"
    async with db.transaction() as session:
        await change(session)
    after = holes_closed((await client.get(path)).text)
    assert after != before
    assert after == holes_closed((await client.get(f"{path}?fresh=1")).text), "as a page that is never kept"


def tables(statements: list[str]) -> set[str]:
    return {name for one in statements for name in re.findall(r"(?:FROM|JOIN) ([a-z_]+)", one)}


@pytest.mark.parametrize("path", [ARTICLE, LESSON, COURSE])
async def test_the_mark_asks_every_table_that_the_page_is_drawn_from(
    client: httpx.AsyncClient, database: db.Database, path: str
) -> None:
    await fill()
    with statements(database) as asked:
        await client.get(path)
    mark, *drawn = asked
    assert "xmin" in mark
    assert drawn
    assert tables(drawn) <= tables([mark])


def holes_closed(page: str) -> str:
    """Without what is another on each page: nonces and stamps."""
    return re.sub(r'nonce="[^"]+"', "", STAMP.sub("", page))


async def test_a_lesson_comes_out_on_its_day(client: httpx.AsyncClient) -> None:
    await fill()
    assert "Out on" in (await client.get(COURSE)).text
    async with db.transaction() as session:
        soon = utcnow() + timedelta(seconds=1)
        await session.execute(update(Lesson).where(Lesson.slug == "m").values(available_at=soon))
    assert "Out on" in (await client.get(COURSE)).text
    while utcnow() <= soon:
        pass
    assert "Out on" not in (await client.get(COURSE)).text


async def test_each_reader_gets_a_nonce_and_a_stamp_of_their_own(client: httpx.AsyncClient) -> None:
    await fill()
    pages = [await client.get(ARTICLE) for _n in range(3)]
    nonces = [NONCE.findall(page.headers["content-security-policy"])[0] for page in pages]
    assert len(set(nonces)) == 3
    for page, nonce in zip(pages, nonces, strict=True):
        assert set(re.findall(r'nonce="([^"]+)"', page.text)) == {nonce}
        assert int(page.headers["content-length"]) == len(page.content)
        (stamp,) = STAMP.findall(page.text)
        async with db.transaction() as session:
            article = await session.scalar(select(Article.id).where(Article.slug == "a"))
        assert stamps.read(get_settings().link_ring, f"respond:{article}", stamp) is not None


async def test_who_is_signed_in_or_wrote_here_gets_a_page_of_their_own(
    client: httpx.AsyncClient, database: db.Database
) -> None:
    await fill()
    await client.get(ARTICLE)
    async with db.transaction() as session:
        member = await factories.user(session, name="Mele")
    await factories.sign_in(client, member)
    page = await client.get(ARTICLE)
    assert "You write as Mele." in page.text
    assert page.headers["cache-control"] == "private, no-store"
    client.cookies.clear()
    assert "Mele" not in (await client.get(ARTICLE)).text
    with statements(database) as asked:
        await client.get(ARTICLE, headers={"Cookie": "__Host-limber-writer=x"})
    assert len(asked) > 1


async def test_what_is_missing_moved_or_a_draft_is_not_kept(client: httpx.AsyncClient) -> None:
    assert (await client.get(ARTICLE)).status_code == 404
    await fill()
    assert (await client.get(ARTICLE)).status_code == 200
    async with db.transaction() as session:
        await session.execute(update(Article).values(state="draft"))
    assert (await client.get(ARTICLE)).status_code == 404


async def test_prices_on_a_course_page_are_never_old(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_x")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_x")
    get_settings.cache_clear()
    await fill()
    assert "$19" not in (await client.get(COURSE)).text
    async with db.transaction() as session:
        plan = await factories.save(session, Plan(slug="p", name="P", interval="month", amount_cents=1900))
        session.add(PlanPrice(stripe_price_id="price_1", plan_id=plan.id, amount_cents=1900, currency="usd"))
    assert "$19" in (await client.get(COURSE)).text
    async with db.transaction() as session:
        await session.execute(update(PlanPrice).values(amount_cents=2100))
    assert "$21" in (await client.get(COURSE)).text
    get_settings.cache_clear()
