"""Addresses of a WordPress site: brought into one form, and files told from pages. Pure."""

import re
import unicodedata
from urllib.parse import parse_qs, urlsplit

from app.articles.paths import forms as forms
from app.articles.paths import kept

_SIZED = re.compile(r"(?:-\d{1,5}x\d{1,5}|-scaled|-rotated)(?=\.\w{2,5}\Z)")
# Cut out or turned by hand in WordPress: another picture than the one of the same name without it.
_EDITED = re.compile(r"-e\d{10,13}(?=\.\w{2,5}\Z)")
_OF_NETWORK = re.compile(r"/wp-content/uploads/(sites/\d{1,9}/)")
_ABOVE_UPLOADS = re.compile(r".*/wp-content/uploads/")
_UPLOADS = re.compile(r"/(?:wp-content/uploads|wp-content/blogs\.dir/\d+/files|files)/(?:sites/\d+/)?(.+)\Z")
_DATED = re.compile(r"/((?:19|20)\d\d/(?:0[1-9]|1[0-2])/[^/]+\.\w{2,5})\Z")
# Jetpack's picture servers, which put the real host first in the path.
_PHOTON = re.compile(r"i[0-3]\.wp\.com\Z")
_IDS = ("p", "page_id", "attachment_id", "post")


def path_of(url: str) -> str:
    """The path of an address as `paths.kept` writes it; "" for a site's first page, and for what is no address."""
    try:
        return kept(urlsplit(url).path)
    except ValueError:
        return ""


def post_id(url: str) -> str | None:
    """The number in `/?p=12`, `?page_id=12` and their like."""
    try:
        query = parse_qs(urlsplit(url).query)
    except ValueError:
        return None
    for name in _IDS:
        for value in query.get(name, []):
            if re.fullmatch(r"\d{1,18}", value):
                return value
    return None


def host_of(url: str) -> str:
    """The host without "www."; "" for an address without one."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")


def source_of(base_url: str) -> str:
    """What a site is remembered by: host and path, whichever scheme."""
    return f"{host_of(base_url)}{path_of(base_url)}".lower()[:200] or "unknown"


def unproxied(url: str) -> str:
    """The address itself, where a picture server of WordPress's stands before it."""
    parts = urlsplit(url)
    if not _PHOTON.match(parts.hostname or ""):
        return url
    return f"https:/{parts.path}"


def upload_path(url: str, host: str) -> str | None:
    """Where a file lies below the uploads folder ("2019/05/hip.jpg"), or None for what is no upload of this site."""
    try:
        url = unproxied(url)
        parts = urlsplit(url)
    except ValueError:
        return None
    place = (parts.hostname or "").removeprefix("www.")
    is_own = not place or place == host
    # WordPress.com keeps a site's files on a host of their own, with nothing but the date before the name.
    is_hosted = place.endswith(".files.wordpress.com")
    if not is_own and not is_hosted:
        return None
    path = path_of(url)
    found = _UPLOADS.search(path) or (_DATED.search(path) if is_hosted else None)
    if found is None:
        return None
    name = found[1]
    return None if ".." in name.split("/") or "\\" in name else name


def below_uploads(name: str) -> str:
    """What WordPress has noted as a file's place, below the uploads folder; "" for what lies nowhere in it.

    Old versions noted the whole path on their server. A name that begins with two slashes would be another host's.
    """
    plain = unicodedata.normalize("NFC", name).replace("\0", "").replace("\\", "/")
    place = re.sub(r"/{2,}", "/", _ABOVE_UPLOADS.sub("", plain)).lstrip("/")
    return "" if ".." in place.split("/") or re.match(r"\w:|\w+://?", place) else place


def full_size(path: str) -> str:
    """The path of the picture of which this is a smaller copy: `hip-300x200.jpg` is one of `hip.jpg`."""
    before = ""
    while before != path:
        before, path = path, _SIZED.sub("", path)
    return path


def network_part(url: str) -> str:
    """What a site of a network has before the dates of its uploads ("sites/3/"), or "" for a site of its own."""
    found = _OF_NETWORK.search(url)
    return found[1] if found else ""


def is_edited(path: str) -> bool:
    """Whether this is what somebody made of a picture in WordPress's own editor, in whichever size."""
    return _EDITED.search(full_size(path)) is not None


def candidates(path: str, *, is_whole: bool = False) -> tuple[str, ...]:
    """The files that may hold this picture, the best first. `is_whole`: this name is a picture's own, no size's."""
    full = full_size(path)
    stem, dot, ending = full.rpartition(".")
    if not dot:
        return (path,)
    names = [full, f"{stem}-scaled{dot}{ending}", f"{stem}-rotated{dot}{ending}", path]
    if is_whole:
        names.insert(0, path)
    # Before it was edited it showed something else: that is better than nothing only.
    original = _EDITED.sub("", full)
    return tuple(dict.fromkeys([*names, *(candidates(original) if original != full else ())]))


def uploads_path(site_url: str) -> str:
    """Where the old site's files were, as a path."""
    return f"{path_of(site_url)}/wp-content/uploads"
