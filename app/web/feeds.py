"""For machines that read the site: sitemap.xml, robots.txt and the Atom feed of articles."""

from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from app import i18n
from app.accounts.permissions import Permission
from app.articles import queries
from app.articles.directives import without_places
from app.clock import utcnow
from app.db import Db
from app.practice.front import sitemap
from app.practice.queries import practice
from app.settings import get_settings
from app.web.guard import needs

router = APIRouter(dependencies=[needs(Permission.PUBLIC)], tags=["feeds"])

ATOM = "http://www.w3.org/2005/Atom"
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
XML = "http://www.w3.org/XML/1998/namespace"
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
    return Response(
        tostring(root, encoding="utf-8", xml_declaration=True), media_type=media_type, headers=CACHE
    )


@router.get("/robots.txt")
async def robots() -> Response:
    """GET /robots.txt."""
    closed = "\n".join(f"Disallow: {path}" for path in CLOSED)
    address = f"{get_settings().base_url}/sitemap.xml"
    return PlainTextResponse(f"User-agent: *\n{closed}\n\nSitemap: {address}\n", headers=CACHE)


@router.get("/sitemap.xml")
async def sitemap_xml(db: Db) -> Response:
    """GET /sitemap.xml. Source: https://www.sitemaps.org/protocol.html"""
    register_namespace("", SITEMAP)
    root = Element(f"{{{SITEMAP}}}urlset")
    for entry in await sitemap(db, utcnow()):
        url = SubElement(root, f"{{{SITEMAP}}}url")
        SubElement(url, f"{{{SITEMAP}}}loc").text = get_settings().base_url + entry.path
        if entry.changed_at:
            SubElement(url, f"{{{SITEMAP}}}lastmod").text = instant(entry.changed_at)
    return xml_response(root, "application/xml")


def instant(value: datetime) -> str:
    return value.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def add(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element:
    child = SubElement(parent, f"{{{ATOM}}}{name}", attributes)
    child.text = text
    return child


@router.get("/feed.xml")
async def feed(db: Db) -> Response:
    """GET /feed.xml: the newest articles in full, as Atom. Source: RFC 4287"""
    base = get_settings().base_url
    facts = await practice(db)
    i18n.use_locale(facts.language)
    articles = await queries.newest_in_full(db, utcnow(), limit=IN_FEED)
    register_namespace("", ATOM)
    root = Element(f"{{{ATOM}}}feed", {f"{{{XML}}}lang": i18n.language_tag(i18n.current_locale())})
    add(root, "id", f"{base}/")
    add(root, "title", facts.site_name)
    if facts.tagline:
        add(root, "subtitle", facts.tagline)
    add(root, "link", rel="self", type="application/atom+xml", href=f"{base}/feed.xml")
    add(root, "link", rel="alternate", type="text/html", href=f"{base}/articles")
    changed = max((article.changed_at for article in articles), default=utcnow())
    add(root, "updated", instant(changed))
    add(add(root, "author"), "name", facts.teacher_name or facts.site_name)
    for article in articles:
        address = f"{base}/articles/{article.slug}"
        entry = add(root, "entry")
        add(entry, "id", address)
        add(entry, "title", article.title)
        add(entry, "link", rel="alternate", type="text/html", href=address)
        add(entry, "published", instant(article.published_at))
        add(entry, "updated", instant(article.changed_at))
        add(entry, "summary", article.summary)
        words = add(entry, "content", without_places(article.body_html), type="html")
        words.set(f"{{{XML}}}base", address)
    return xml_response(root, "application/atom+xml")
