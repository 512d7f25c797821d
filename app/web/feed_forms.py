"""One feed in the three forms that readers know: Atom, RSS and JSON Feed. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement, register_namespace

ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
XML = "http://www.w3.org/XML/1998/namespace"
JSON_FEED = "https://jsonfeed.org/version/1.1"
KINDS = {"xml": "application/atom+xml", "rss": "application/rss+xml", "json": "application/feed+json"}


@dataclass(frozen=True)
class FeedEntry:
    """Addresses are absolute. `html` empty: the summary is all that everybody may have."""

    url: str
    title: str
    summary: str
    html: str
    published_at: datetime
    changed_at: datetime
    tags: Sequence[str] = ()
    image_url: str | None = None


@dataclass(frozen=True)
class Feed:
    """`page_url` is where people read the same; `url_stem` the feed's own address without its ending."""

    title: str
    subtitle: str
    page_url: str
    url_stem: str
    author: str
    language: str
    changed_at: datetime
    entries: Sequence[FeedEntry]


def instant(value: datetime) -> str:
    """An instant as Atom, JSON Feed and sitemaps write it. Source: RFC 3339"""
    return value.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def add(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element:
    """A child in Atom's namespace."""
    child = SubElement(parent, f"{{{ATOM}}}{name}", attributes)
    child.text = text
    return child


def atom(feed: Feed) -> Element:
    """Source: RFC 4287"""
    register_namespace("", ATOM)
    root = Element(f"{{{ATOM}}}feed", {f"{{{XML}}}lang": feed.language})
    add(root, "id", feed.page_url)
    add(root, "title", feed.title)
    if feed.subtitle:
        add(root, "subtitle", feed.subtitle)
    add(root, "link", rel="self", type=KINDS["xml"], href=f"{feed.url_stem}.xml")
    add(root, "link", rel="alternate", type="text/html", href=feed.page_url)
    add(root, "updated", instant(feed.changed_at))
    add(add(root, "author"), "name", feed.author)
    for one in feed.entries:
        entry = add(root, "entry")
        add(entry, "id", one.url)
        add(entry, "title", one.title)
        add(entry, "link", rel="alternate", type="text/html", href=one.url)
        add(entry, "published", instant(one.published_at))
        add(entry, "updated", instant(one.changed_at))
        for tag in one.tags:
            add(entry, "category", term=tag)
        add(entry, "summary", one.summary)
        if one.html:
            add(entry, "content", one.html, type="html")
    return root


def rss(feed: Feed) -> Element:
    """Source: RSS 2.0, https://www.rssboard.org/rss-specification"""
    # Ours are the only ones in it, so the names say what they are.
    register_namespace("atom", ATOM)
    register_namespace("content", CONTENT)
    root = Element("rss", version="2.0")
    channel = SubElement(root, "channel")
    SubElement(channel, "title").text = feed.title
    SubElement(channel, "link").text = feed.page_url
    SubElement(channel, "description").text = feed.subtitle or feed.title
    SubElement(channel, "language").text = feed.language
    SubElement(channel, "lastBuildDate").text = _rfc_822(feed.changed_at)
    link = {"rel": "self", "type": KINDS["rss"], "href": f"{feed.url_stem}.rss"}
    SubElement(channel, f"{{{ATOM}}}link", link)
    for one in feed.entries:
        item = SubElement(channel, "item")
        SubElement(item, "title").text = one.title
        SubElement(item, "link").text = one.url
        SubElement(item, "guid", isPermaLink="true").text = one.url
        SubElement(item, "pubDate").text = _rfc_822(one.published_at)
        for tag in one.tags:
            SubElement(item, "category").text = tag
        SubElement(item, "description").text = one.summary
        if one.html:
            SubElement(item, f"{{{CONTENT}}}encoded").text = one.html
    return root


def _rfc_822(value: datetime) -> str:
    return format_datetime(value.astimezone(UTC), usegmt=True)


def json_feed(feed: Feed) -> dict[str, Any]:
    """Source: https://www.jsonfeed.org/version/1.1/"""
    return {
        "version": JSON_FEED,
        "title": feed.title,
        "description": feed.subtitle or feed.title,
        "home_page_url": feed.page_url,
        "feed_url": f"{feed.url_stem}.json",
        "language": feed.language,
        "authors": [{"name": feed.author}],
        "items": [_item(one) for one in feed.entries],
    }


def _item(one: FeedEntry) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": one.url,
        "url": one.url,
        "title": one.title,
        "summary": one.summary,
        "date_published": instant(one.published_at),
        "date_modified": instant(one.changed_at),
    }
    # One of the two has to be there.
    item |= {"content_html": one.html} if one.html else {"content_text": one.summary or one.title}
    if one.tags:
        item["tags"] = list(one.tags)
    if one.image_url:
        item["image"] = one.image_url
    return item
