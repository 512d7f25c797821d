"""Atom feeds of responses: of the whole site, and of one article, with who answers whom."""

from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, register_namespace

from fastapi import APIRouter
from fastapi.responses import Response

from app import i18n
from app.accounts.permissions import Permission
from app.articles import queries
from app.articles.queries import FeedResponse
from app.clock import utcnow
from app.db import Db
from app.errors import NotFound
from app.i18n import _
from app.practice.queries import practice
from app.settings import get_settings
from app.web.feed_forms import ATOM, XML, add, instant
from app.web.feeds import xml_response
from app.web.guard import needs

router = APIRouter(dependencies=[needs(Permission.PUBLIC)], tags=["feeds"])

THREAD = "http://purl.org/syndication/thread/1.0"
IN_FEED = 50


@router.get("/responses.xml")
async def all_responses(db: Db) -> Response:
    """GET /responses.xml: the newest responses of the site. Sources: RFC 4287, RFC 4685"""
    facts = await practice(db)
    rows = await queries.newest_responses(db, utcnow(), limit=IN_FEED)
    title = _("Responses on %(site)s") % {"site": facts.site_name}
    return _feed(title, "/responses.xml", "/articles", rows, None)


@router.get("/articles/{slug}/responses.xml")
async def responses_of(slug: str, db: Db) -> Response:
    """GET /articles/{slug}/responses.xml.

    Raises:
        NotFound: also for drafts.
    """
    article = await queries.by_slug(db, slug, utcnow())
    if article is None:
        raise NotFound
    rows = await queries.newest_responses(db, utcnow(), limit=IN_FEED, article_id=article.id)
    page = f"/articles/{article.slug}"
    title = _("Responses to “%(title)s”") % {"title": article.title}
    return _feed(title, f"{page}/responses.xml", page, rows, article.published_at)


def _feed(title: str, own: str, page: str, rows: Sequence[FeedResponse], since: datetime | None) -> Response:
    base = get_settings().base_url
    register_namespace("", ATOM)
    register_namespace("thr", THREAD)
    root = Element(f"{{{ATOM}}}feed", {f"{{{XML}}}lang": i18n.current_locale()})
    add(root, "id", f"{base}{own}")
    add(root, "title", title)
    add(root, "link", rel="self", type="application/atom+xml", href=f"{base}{own}")
    add(root, "link", rel="alternate", type="text/html", href=f"{base}{page}")
    changed = max((row.changed_at for row in rows), default=since or datetime(2026, 1, 1, tzinfo=UTC))
    add(root, "updated", instant(changed))
    for row in rows:
        _entry(root, row, base)
    return xml_response(root, "application/atom+xml")


def _entry(root: Element, row: FeedResponse, base: str) -> None:
    article = f"{base}/articles/{row.article_slug}"
    entry = add(root, "entry")
    add(entry, "id", row.id.urn)
    add(entry, "title", _("%(name)s on “%(title)s”") % {"name": row.name, "title": row.article_title})
    add(entry, "link", rel="alternate", type="text/html", href=f"{article}#response-{row.id}")
    add(add(entry, "author"), "name", row.name)
    add(entry, "published", instant(row.created_at))
    add(entry, "updated", instant(row.changed_at))
    answers = (
        {"ref": row.parent_id.urn, "href": f"{article}#response-{row.parent_id}"}
        if row.parent_id
        else {
            "ref": article,
            "href": article,
        }
    )
    SubElement(entry, f"{{{THREAD}}}in-reply-to", answers)
    words = add(entry, "content", row.body_html, type="html")
    words.set(f"{{{XML}}}base", article)
