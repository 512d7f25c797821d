"""sitemap.xml: an index, and its parts with the pictures and free clips of each page."""

from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, register_namespace

from fastapi import APIRouter
from fastapi.responses import Response

from app.accounts.permissions import Permission
from app.catalog.clips import ShownClip
from app.clock import utcnow
from app.db import Db
from app.errors import NotFound
from app.practice import front, sitemaps
from app.practice.sitemaps import PART, Listed, Part
from app.settings import get_settings
from app.web.feed_forms import instant
from app.web.feeds import xml_response
from app.web.guard import needs

router = APIRouter(dependencies=[needs(Permission.PUBLIC)], tags=["feeds"])

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
IMAGE = "http://www.google.com/schemas/sitemap-image/1.1"
VIDEO = "http://www.google.com/schemas/sitemap-video/1.1"
# Beyond it they are not read.
MOST_PICTURES = 1000


@router.get("/sitemap.xml")
async def index(db: Db) -> Response:
    """GET /sitemap.xml. Source: https://www.sitemaps.org/protocol.html#index"""
    now = utcnow()
    lessons = await sitemaps.lessons(db, now)
    parts = [Part("pages", None), *await sitemaps.article_parts(db, now)]
    # One for the whole process, which feeds use as well: nothing may happen between this and the writing.
    register_namespace("", SITEMAP)
    root = Element(f"{{{SITEMAP}}}sitemapindex")
    parts += [Part(f"lessons-{number + 1}", None) for number in range(-(-len(lessons) // PART))]
    for part in parts:
        entry = SubElement(root, f"{{{SITEMAP}}}sitemap")
        SubElement(entry, f"{{{SITEMAP}}}loc").text = f"{get_settings().base_url}/sitemaps/{part.name}.xml"
        if part.changed_at:
            SubElement(entry, f"{{{SITEMAP}}}lastmod").text = instant(part.changed_at)
    return xml_response(root, "application/xml")


@router.get("/sitemaps/{kind}-{number}.xml")
async def part(kind: str, number: str, db: Db) -> Response:
    """GET /sitemaps/{articles|lessons}-{n}.xml. Raises: NotFound: there is no such part."""
    if not (number.isascii() and number.isdigit() and len(number) < 7 and int(number)):
        raise NotFound
    if kind == "articles":
        listed = await sitemaps.articles(db, utcnow(), int(number))
    elif kind == "lessons":
        listed = (await sitemaps.lessons(db, utcnow()))[(int(number) - 1) * PART : int(number) * PART]
    else:
        raise NotFound
    if not listed:
        raise NotFound
    return _urlset(listed)


@router.get("/sitemaps/pages.xml")
async def pages(db: Db) -> Response:
    """GET /sitemaps/pages.xml: what is neither an article nor a lesson."""
    return _urlset([Listed(entry.path, entry.changed_at) for entry in await front.sitemap(db, utcnow())])


def _urlset(listed: list[Listed]) -> Response:
    """Source: https://www.sitemaps.org/protocol.html, and Google's extensions for images and videos"""
    register_namespace("", SITEMAP)
    register_namespace("image", IMAGE)
    register_namespace("video", VIDEO)
    root = Element(f"{{{SITEMAP}}}urlset")
    for page in listed:
        url = SubElement(root, f"{{{SITEMAP}}}url")
        SubElement(url, f"{{{SITEMAP}}}loc").text = _absolute(page.path)
        if page.changed_at:
            SubElement(url, f"{{{SITEMAP}}}lastmod").text = instant(page.changed_at)
        for picture in page.pictures[:MOST_PICTURES]:
            image = SubElement(url, f"{{{IMAGE}}}image")
            SubElement(image, f"{{{IMAGE}}}loc").text = _absolute(picture)
        for clip in page.clips:
            _video(url, clip)
    return xml_response(root, "application/xml")


def _video(url: Element, clip: ShownClip) -> None:
    """A free clip alone: every address here has to open without a sign-in, so no lesson's film can stand here."""
    where = f"{get_settings().base_url}/clips/{clip.id}/{clip.turn}"
    facts: list[tuple[str, str]] = [
        ("thumbnail_loc", f"{where}/poster.jpg"),
        ("title", clip.title),
        ("description", clip.lesson_title or clip.title),
        ("content_loc", f"{where}/clip.mp4"),
        ("duration", str(max(1, round(clip.length_s)))),
        ("publication_date", instant(clip.ready_at)),
        ("family_friendly", "yes"),
        ("requires_subscription", "no"),
    ]
    video = SubElement(url, f"{{{VIDEO}}}video")
    for name, value in facts:
        SubElement(video, f"{{{VIDEO}}}{name}").text = value


def _absolute(path: str) -> str:
    """Escaped as an address has to be; our paths are nearly always plain. Source: RFC 3986"""
    return get_settings().base_url + quote(path, safe="/?=&.-_~%:@!$'()*+,;")
