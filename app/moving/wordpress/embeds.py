"""Shortcodes that put somebody else's film, sound, map or page into a text: where they lead. Pure."""

import html
import re
from collections.abc import Mapping

from app.moving.names import names

EMBEDS = names(
    "embed youtube vimeo dailymotion soundcloud spotify ted googlemaps instagram tweet twitter facebook flickr"
    " slideshare scribd giphy pinterest tiktok bandcamp mixcloud gist hulu archiveorg googleapps twitchtv ustream"
    " kickstarter medium codepen houzz loom wistia"
)
# Before what their shortcodes name by number only.
_PLACES = {
    "youtube": "https://www.youtube.com/watch?v=",
    "vimeo": "https://vimeo.com/",
    "dailymotion": "https://www.dailymotion.com/video/",
    "ted": "https://www.ted.com/talks/view/id/",
    "archiveorg": "https://archive.org/details/",
    "scribd": "https://www.scribd.com/document/",
    "gist": "https://gist.github.com/",
    "slideshare": "https://www.slideshare.net/slideshow/embed_code/",
}
_URL = re.compile(r"https?://[^\s<>\"'\[\]]+")
_TAGS = re.compile(r"<[^<>]*>")


def url_in(text: str) -> str:
    """The first address in a text, or ""."""
    found = _URL.search(text)
    return html.unescape(found[0]) if found else ""


def address_of(name: str, attrs: Mapping[str, str], inner: str) -> str:
    """Where an embed leads, or "" where that cannot be told."""
    if found := url_in(inner) or url_in(" ".join(attrs.values())):
        return found
    short = attrs.get("id") or attrs.get("0") or _TAGS.sub("", inner).strip()
    number = re.match(r"[\w-]+", short)
    return f"{_PLACES[name]}{number[0]}" if number and name in _PLACES else ""
