"""For machines that read the site: robots.txt, and feeds of the articles, of each tag, and of the lessons."""

from datetime import datetime
from xml.etree.ElementTree import Element, tostring

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from app import i18n
from app.accounts.permissions import Permission
from app.articles import figures, queries
from app.articles.queries import FullArticle
from app.catalog import newest
from app.clock import utcnow
from app.db import Db
from app.errors import NotFound
from app.i18n import _
from app.practice.queries import PracticeView, practice
from app.settings import get_settings
from app.web.feed_forms import KINDS, Feed, FeedEntry, atom, json_feed, rss
from app.web.guard import needs

router = APIRouter(dependencies=[needs(Permission.PUBLIC)], tags=["feeds"])

IN_FEED = 20
# Pages that are of no use to a search engine, or closed to it anyway.
CLOSED = (
    "/studio",
    "/account",
    "/library",
    "/login",
    "/join",
    "/forgot",
    "/media/",
    "/search",
    "/*?reply=",
    "/*?held=",
    "/*?withdrawn=",
    "/*?from=",
    "/*?told=",
)
CACHE = {"Cache-Control": "public, max-age=300"}


def xml_response(root: Element, media_type: str) -> Response:
    """An XML document, for a few minutes anybody's.

    Its type names the letters too: a browser that shows a feed as plain text does not read the declaration.
    """
    body = tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(body, media_type=f"{media_type}; charset=utf-8", headers=CACHE)


@router.get("/robots.txt")
async def robots() -> Response:
    """GET /robots.txt."""
    closed = "\n".join(f"Disallow: {path}" for path in CLOSED)
    address = f"{get_settings().base_url}/sitemap.xml"
    return PlainTextResponse(f"User-agent: *\n{closed}\n\nSitemap: {address}\n", headers=CACHE)


@router.get("/feed")
@router.get("/feed/")
async def old_feed() -> Response:
    """GET /feed: where WordPress has it, and where readers of a site that moved here still ask."""
    return RedirectResponse("/feed.rss", 301)


@router.get("/feed.{form}")
async def feed(form: str, db: Db) -> Response:
    """GET /feed.{xml|rss|json}: the newest articles in full."""
    facts = await practice(db)
    i18n.use_locale(facts.language)
    articles = await queries.newest_in_full(db, utcnow(), limit=IN_FEED)
    entries = [_article(article) for article in articles]
    return _answer(form, _feed(facts, facts.site_name, "/articles", "/feed", entries))


@router.get("/articles/tag/{slug}/feed.{form}")
async def tag_feed(slug: str, form: str, db: Db) -> Response:
    """GET /articles/tag/{slug}/feed.{xml|rss|json}: the newest articles about one thing.

    Raises:
        NotFound: when no published article is.
    """
    tag = await queries.tag_by_slug(db, slug)
    articles = await queries.newest_in_full(db, utcnow(), limit=IN_FEED, tag=tag.slug) if tag else []
    if tag is None or not articles:
        raise NotFound
    facts, where = await practice(db), f"/articles/tag/{tag.slug}"
    i18n.use_locale(facts.language)
    entries = [_article(article) for article in articles]
    return _answer(form, _feed(facts, f"{facts.site_name}: {tag.name}", where, f"{where}/feed", entries))


@router.get("/courses/feed.{form}")
async def lesson_feed(form: str, db: Db) -> Response:
    """GET /courses/feed.{xml|rss|json}: the newest lessons, by what everybody may know of them."""
    facts, base = await practice(db), get_settings().base_url
    i18n.use_locale(facts.language)
    entries = [
        FeedEntry(
            url=base + lesson.url,
            title=lesson.title,
            summary=lesson.summary or lesson.course_title,
            html="",
            published_at=lesson.out_at,
            changed_at=lesson.out_at,
            image_url=f"{base}/posters/{lesson.id}.jpg" if lesson.has_poster else None,
        )
        for lesson in await newest.lessons(db, utcnow(), limit=IN_FEED)
    ]
    title = f"{facts.site_name}: {_('Lessons')}"
    return _answer(form, _feed(facts, title, "/courses", "/courses/feed", entries))


def _feed(facts: PracticeView, title: str, page: str, stem: str, entries: list[FeedEntry]) -> Feed:
    base = get_settings().base_url
    changed: list[datetime] = [entry.changed_at for entry in entries]
    return Feed(
        title=title,
        subtitle=facts.tagline,
        page_url=base + page,
        url_stem=base + stem,
        author=facts.teacher_name or facts.site_name,
        language=i18n.language_tag(i18n.current_locale()),
        changed_at=max(changed, default=utcnow()),
        entries=entries,
    )


def _article(article: FullArticle) -> FeedEntry:
    base = get_settings().base_url
    address = f"{base}/articles/{article.slug}"
    preview = figures.first_preview(article.body_html)
    return FeedEntry(
        url=address,
        title=article.title,
        summary=article.summary,
        html=figures.for_readers_elsewhere(article.body_html, base, address),
        published_at=article.published_at,
        changed_at=article.changed_at,
        tags=article.tags,
        image_url=base + preview[0] if preview else None,
    )


def _answer(form: str, feed: Feed) -> Response:
    """Raises: NotFound: there is no such form."""
    if form == "json":
        return JSONResponse(json_feed(feed), media_type=KINDS[form], headers=CACHE)
    if form not in KINDS:
        raise NotFound
    return xml_response(atom(feed) if form == "xml" else rss(feed), KINDS[form])
