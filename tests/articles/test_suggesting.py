"""Suggested articles: those that share rare words and tags, never drafts, pages or the article itself, and quickly."""

import time
from collections.abc import Callable

import pytest
from sqlalchemy import text

from app import db
from app.articles import queries, reading, suggesting
from app.articles.models import Article, ArticleRelation, ArticleTag, Tag
from app.clock import utcnow
from app.question import ask
from tests import factories


async def put(title: str, summary: str = "", **values: object) -> Article:
    async with db.transaction() as session:
        return await factories.article(session, title=title, summary=summary, **values)


async def related(article: Article) -> list[str]:
    async with db.transaction() as session:
        told = await ask(session, reading.ARTICLE, slug=article.slug, now=utcnow())
        around = reading.article_of(told)
        assert around is not None
        found = around.related or await queries.alike(session, article.id, utcnow())
    return [card.title for card in found]


async def test_rare_words_in_common_count_more_than_common_ones(database: db.Database) -> None:
    own = await put("Piriformis: stretching for runners", "The pain in the buttock and what to do.")
    await put("Pain and running", "The runner's pain.")
    await put("Running without pain", "For runners.")
    await put("Piriformis syndrome", "A runner's buttock, stretched.")
    await put("Elbows")
    assert (await related(own))[0] == "Piriformis syndrome"
    assert sorted((await related(own))[1:]) == ["Pain and running", "Running without pain"]


async def test_a_tag_in_common_counts_and_one_word_alone_does_not(database: db.Database) -> None:
    own, near = await put("Hip rotators"), await put("Rotators of the shoulder")
    await put("Rotators in a car")
    async with db.transaction() as session:
        tag = await factories.save(session, Tag(slug="seated", name="Seated"))
        session.add_all(ArticleTag(article_id=row.id, tag_id=tag.id) for row in (own, near))
    assert await related(own) == ["Rotators of the shoulder"]


async def test_drafts_and_pages_are_not_suggested_and_the_authors_choice_comes_first(
    database: db.Database,
) -> None:
    own, chosen = await put("Hip rotators, seated"), await put("Elbows")
    await put("Hip rotators in a draft", state="draft")
    await put("Hip rotators on a page", is_listed=False)
    other = await put("Hip rotators, standing")
    assert await related(own) == ["Hip rotators, standing"]
    async with db.transaction() as session:
        (await session.get_one(Article, other.id)).state = "draft"
    # What was found an hour ago may be a draft by now.
    assert await related(own) == []
    async with db.transaction() as session:
        session.add(ArticleRelation(article_id=own.id, related_id=chosen.id))
    assert await related(own) == ["Elbows"]


@pytest.mark.parametrize(
    "title", [r"It's a \ 'quote' & more: (a|b) <-> !c", "股関節 ストレッチ 股関節", "", "' OR 1=1 --"]
)
async def test_no_title_breaks_the_question(database: db.Database, title: str) -> None:
    own = await put(title, title)
    await put(title, title)
    assert await related(own) in ([], [title])


async def test_at_five_thousand_articles_it_is_quick_and_asked_once(
    database: db.Database, record_property: Callable[[str, object], None]
) -> None:
    own = await put("Hip pain from running", "Why the hip hurts when you run, and what to stretch about it.")
    async with db.transaction() as session:
        await session.execute(
            text("""
            INSERT INTO article (id, slug, title, summary, body_md, body_html, word_count, state, is_listed, created_at,
                                 changed_at, published_at)
            SELECT gen_random_uuid(), 'a-' || n, w.t, 'Why the ' || w.t || ' hurts when you ' || v.t || ', case ' || n,
                   '', '', 0, 'published', true, now(), now(), now()
            FROM generate_series(1, 5000) n,
                 LATERAL (SELECT (ARRAY['hip','knee','back','neck','foot'])[1 + n % 5] AS t) w,
                 LATERAL (SELECT (ARRAY['run','sit','stand','lift','sleep','walk','ride'])[1 + n % 7] AS t) v
        """)
        )
        await session.execute(text("ANALYZE article"))
    async with db.transaction() as session:
        started = time.perf_counter()
        found = await suggesting.suggested(session, own.id)
        took_ms = 1000 * (time.perf_counter() - started)
        started = time.perf_counter()
        assert await suggesting.suggested(session, own.id) == found
        again_ms = 1000 * (time.perf_counter() - started)
    record_property(
        "note", f"suggestions among 5,000 articles: {took_ms:.0f} ms, {again_ms:.2f} ms from memory"
    )
    assert len(found) == suggesting.MOST
    assert took_ms < 2000
    assert again_ms < took_ms / 10
