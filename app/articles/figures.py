"""Pictures in a page: the sizes that a browser chooses from, and the colours that stand there until it has. Pure.

All of it follows from a picture's address, so that a text always makes the same page, wherever it came from
(docs/adr/0024).
"""

import html
import re
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from struct import pack

from app.articles.paths import PICTURE_NAME, SIZE_NAME

FOLDER = "/pictures/"
# What an author writes for a picture that says nothing: `![decorative](…)`.
DECORATIVE = "decorative"
WIDTHS_PX = (400, 800, 1200, 1600)
# For browsers that know neither AVIF nor WebP, and for previews elsewhere: fewer are enough.
PLAIN_WIDTHS_PX = (800, 1200)
# The column of text (frontend/css/reading.css): 65 characters, or the screen without its margins.
SIZES = "(min-width: 42rem) 38rem, calc(100vw - 2.5rem)"
GLANCE = (4, 3)

_IMG = re.compile(r'<img((?: [\w-]+="[^"]*")*)>')
# As PostgreSQL reads it, too: the address of each picture that a text shows, in the form that others can show.
IMAGE_SOURCE = '<img src="(/pictures/[^"]+)"'
_OURS_ALONE = re.compile(
    r'<img class="glance"[^>]*>|<source [^>]*>|</?picture>|<div class="(?:lesson|clip)-here"[^>]*></div>\n?'
)
_RELATIVE = re.compile(r' (src|href)="(/(?!/)|#)')
_ATTRIBUTE = re.compile(r' ([\w-]+)="([^"]*)"')


def widths_of(name: str) -> tuple[int, ...]:
    """The widths in px, rising, in which a picture of that name is made; none for what moves."""
    found = PICTURE_NAME.fullmatch(name)
    if found is None or found["kind"] == "gif":
        return ()
    own = int(found["width"])
    # Nearly the same twice would be of no use.
    smaller = tuple(width for width in WIDTHS_PX if width < own * 0.9)
    return (*smaller, own) if own <= WIDTHS_PX[-1] else smaller


def sizes_of(name: str) -> tuple[str, ...]:
    """The names of the files that are made of a picture: "800.avif", …"""
    found, widths = PICTURE_NAME.fullmatch(name), widths_of(name)
    if found is None or not widths:
        return ()
    plain = "jpg" if found["kind"] == "jpg" else "png"
    kinds = [f"{width}.{kind}" for kind in ("avif", "webp") for width in widths]
    return (*kinds, *(f"{width}.{plain}" for width in widths if width in PLAIN_WIDTHS_PX))


def preview_of(path: str) -> tuple[str, int, int] | None:
    """(address, width, height) of a picture of ours as other sites show it: JPEG or PNG, about 1,200 px wide."""
    name = path.removeprefix(FOLDER)
    found = PICTURE_NAME.fullmatch(name)
    if found is None:
        return None
    width, height = int(found["width"]), int(found["height"])
    for size in reversed(sizes_of(name)):
        made = SIZE_NAME.fullmatch(size)
        if made is not None and made["kind"] in ("jpg", "png"):
            scaled = int(made["width"])
            return f"{FOLDER}{name}/{size}", scaled, round(height * scaled / width)
    return path, width, height


def glance_code(pixels: Sequence[tuple[int, int, int]]) -> str:
    """Twelve colours of four bits a channel as 24 letters of an address."""
    bits = 0
    for pixel in pixels:
        for channel in pixel:
            bits = bits << 4 | channel >> 4
    return urlsafe_b64encode(bits.to_bytes(18)).decode()


def glance_of(name: str) -> str | None:
    """A picture's colours as an address that needs no request: a bitmap of 4 by 3 pixels, or 3 by 4.

    Source: BITMAPINFOHEADER, https://learn.microsoft.com/windows/win32/api/wingdi/ns-wingdi-bitmapinfoheader
    """
    found = PICTURE_NAME.fullmatch(name)
    if found is None or found["glance"] is None:
        return None
    bits = int.from_bytes(urlsafe_b64decode(found["glance"]))
    channels = [(bits >> shift & 15) * 17 for shift in range(140, -1, -4)]
    width, height = glance_size(int(found["width"]), int(found["height"]))
    rows = []
    for row in range(height):
        line = b"".join(
            bytes(reversed(channels[(row * width + column) * 3 :][:3])) for column in range(width)
        )
        rows.append(line + bytes(-len(line) % 4))
    body = b"".join(reversed(rows))
    head = pack("<2sIHHI", b"BM", 54 + len(body), 0, 0, 54)
    facts = pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(body), 2835, 2835, 0, 0)
    return f"data:image/bmp;base64,{b64encode(head + facts + body).decode()}"


def glance_size(width: int, height: int) -> tuple[int, int]:
    return GLANCE if width >= height else (GLANCE[1], GLANCE[0])


def pictures_in(body_html: str) -> list[tuple[str, str]]:
    """(address, description) of each picture of ours in clean HTML, in order; no description of what only decorates."""
    found = []
    for match in _IMG.finditer(body_html):
        given = dict(_ATTRIBUTE.findall(match[1]))
        name = given.get("src", "").removeprefix(FOLDER).partition("/")[0]
        if given.get("src", "").startswith(FOLDER) and PICTURE_NAME.fullmatch(name):
            found.append((f"{FOLDER}{name}", html.unescape(given.get("alt", ""))))
    return found


def responsive(clean_html: str) -> str:
    """Clean HTML with each picture in the sizes that there are of it; all but the first wait until they are near."""
    number = 0

    def dressed(match: re.Match[str]) -> str:
        nonlocal number
        number += 1
        return _dressed(dict(_ATTRIBUTE.findall(match[1])), is_first=number == 1)

    return _IMG.sub(dressed, clean_html)


def first_preview(body_html: str) -> tuple[str, int, int] | None:
    """The first picture of a text, as `preview_of` has it."""
    found = pictures_in(body_html)
    return preview_of(found[0][0]) if found else None


def for_readers_elsewhere(body_html: str, base_url: str, page_url: str) -> str:
    """The same for those who know nothing of our styles and lessons: one size of each picture, whole addresses."""
    plain = _OURS_ALONE.sub("", body_html)

    def whole(found: re.Match[str]) -> str:
        return f' {found[1]}="{page_url if found[2] == "#" else base_url}{found[2]}'

    return _RELATIVE.sub(whole, plain)


def _dressed(given: dict[str, str], *, is_first: bool) -> str:
    """`given`: attributes as they stand in clean HTML, so their values need no escaping again."""
    if given.get("alt", "").strip().lower() == DECORATIVE:
        given["alt"] = ""
    path = given.get("src", "")
    name = path.removeprefix(FOLDER)
    found = PICTURE_NAME.fullmatch(name) if path.startswith(FOLDER) else None
    if found is not None:
        given["width"], given["height"] = found["width"], found["height"]
    given.pop("loading", None)
    given |= {"fetchpriority": "high"} if is_first else {"loading": "lazy"}
    given["decoding"] = "async"
    if found is None or not widths_of(name):
        return _tag("img", given)
    sources = "".join(
        _tag("source", {"type": f"image/{kind}", "srcset": _set(path, kind), "sizes": SIZES})
        for kind in ("avif", "webp")
    )
    given["src"] = preview[0] if (preview := preview_of(path)) else path
    glance = glance_of(name)
    size = glance_size(int(found["width"]), int(found["height"]))
    under = (
        _tag(
            "img",
            {"class": "glance", "src": glance, "alt": "", "width": str(size[0]), "height": str(size[1])},
        )
        if glance
        else ""
    )
    return f'<span class="shot">{under}<picture>{sources}{_tag("img", given)}</picture></span>'


def _set(path: str, kind: str) -> str:
    return ", ".join(f"{path}/{width}.{kind} {width}w" for width in widths_of(path.removeprefix(FOLDER)))


def _tag(name: str, attributes: dict[str, str]) -> str:
    words = [name, *(f'{key}="{value}"' for key, value in attributes.items())]
    return f"<{' '.join(words)}>"


def line(description: str, path: str, caption: str) -> str:
    """The line of Markdown that shows a picture; an empty description means that it only decorates."""
    alt = re.sub(r"([\\\[\]])", r"\\\1", " ".join(description.split())) or DECORATIVE
    title = re.sub(r'(["\\])', r"\\\1", " ".join(caption.split()))
    return f'![{alt}]({path} "{title}")' if title else f"![{alt}]({path})"
