"""Shortcodes of page builders (WPBakery, Divi, Avada, Enfold, Shortcodes Ultimate) as the HTML they stood for. Pure.

Each builder has its own name for the same few things: a heading, a picture, a button, a box with a title, a film.
"""

import base64
import binascii
import html
import re
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import unquote

from app.moving.names import names
from app.moving.wordpress.shown import Attached, figure, linked, shown_link

HEADINGS = names("vc_custom_heading et_pb_heading fusion_title av_heading su_heading heading")
PICTURES = names("vc_single_image et_pb_image fusion_imageframe av_image")
GALLERIES = names("vc_gallery vc_images_carousel et_pb_gallery av_gallery")
BUTTONS = names("vc_btn vc_button vc_button2 et_pb_button fusion_button av_button su_button button btn")
# A title, words, and often a picture, a link or a button.
BOXES = names(
    "et_pb_blurb et_pb_toggle et_pb_accordion_item et_pb_tab et_pb_cta et_pb_testimonial et_pb_slide et_pb_team_member"
    " vc_toggle vc_tta_section vc_tab vc_accordion_tab vc_cta vc_message fusion_toggle fusion_tab fusion_content_box"
    " fusion_testimonial et_pb_fullwidth_header av_toggle av_tab av_icon_box su_spoiler su_tab su_box su_note"
    " su_quote toggle tab"
)
FILMS = names(
    "vc_video et_pb_video fusion_youtube fusion_vimeo av_video et_pb_audio su_youtube su_vimeo su_video su_audio"
)
CODES = names("vc_raw_html et_pb_code fusion_code av_codeblock")
LINES = names("vc_separator vc_text_separator et_pb_divider fusion_separator av_hr su_divider divider hr")
SPACES = names(
    "vc_empty_space vc_raw_js vc_icon su_spacer spacer clear clearboth et_pb_social_media_follow et_pb_sidebar"
    " fusion_fontawesome"
)
KNOWN = HEADINGS | PICTURES | GALLERIES | BUTTONS | BOXES | FILMS | CODES | LINES | SPACES

# Divi keeps line ends of code in comments, and some of its signs as entities of its own.
_LINE_BREAK_HOLDER = re.compile(r"<!--\s*\[et_pb_line_break_holder\]\s*-->")
_DIVI_SIGNS = {"%22": '"', "%91": "[", "%93": "]"}
_TITLES = ("title", "text", "heading", "name", "author", "label", "toggle_title")
_ADDRESSES = ("url", "link", "href", "button_url", "button_link", "link_url")


class Library(Protocol):
    """What builders ask of the rest of the export."""

    def attached(self, post_id: str) -> Attached | None: ...


def html_of(name: str, attrs: Mapping[str, str], inner: str, library: Library) -> str | None:
    """The HTML that a builder's shortcode stood for; `inner` is translated already. None: the file does not have it."""
    table: tuple[tuple[frozenset[str], Callable[[], str]], ...] = (
        (HEADINGS, lambda: _heading(attrs, inner)),
        (PICTURES, lambda: _picture(attrs, inner, library)),
        (GALLERIES, lambda: _gallery(attrs, library)),
        (BUTTONS, lambda: _button(attrs, inner)),
        (BOXES, lambda: _box(attrs, inner, library)),
        (FILMS, lambda: _film(name, attrs, inner)),
        (CODES, lambda: _code(inner)),
        (LINES, lambda: "<hr>" if not _title(attrs) else _heading(attrs, inner)),
    )
    if name in SPACES:
        return ""
    return next((made() for wanted, made in table if name in wanted), "") or None


def _title(attrs: Mapping[str, str]) -> str:
    words = next((attrs[key] for key in _TITLES if attrs.get(key)), "")
    for sign, meant in _DIVI_SIGNS.items():
        words = words.replace(sign, meant)
    return html.escape(html.unescape(words), quote=False).strip()


def _heading(attrs: Mapping[str, str], inner: str) -> str:
    words = _title(attrs) or re.sub(r"</?(?:p|h[1-6])\b[^<>]*>", "", inner).strip()
    sizes = f"{attrs.get('font_container', '')} {attrs.get('tag', '')} h{attrs.get('size', '')}"
    level = found[1] if (found := re.search(r"\bh([1-6])\b", sizes)) else "2"
    return f"<h{level}>{words}</h{level}>" if words else ""


def _address(attrs: Mapping[str, str]) -> str:
    """Where a button leads; WPBakery writes `url:https%3A%2F%2F…|title:…` for it."""
    address = next((attrs[key] for key in _ADDRESSES if attrs.get(key)), "")
    packed = re.match(r"(?:url|custom):([^|]*)", address)
    address = unquote(packed[1]) if packed else address
    return address if address.startswith(("http://", "https://", "/", "#", "mailto:", "tel:")) else ""


def _picture(attrs: Mapping[str, str], inner: str, library: Library) -> str:
    number = next((attrs[key] for key in ("image", "image_id", "attachment") if attrs.get(key)), "")
    found = library.attached(number.partition("|")[0])
    address = attrs.get("src") or attrs.get("image") or ""
    if found is None and not address.startswith(("http://", "https://", "/")):
        # Avada's stands within.
        plain = html.unescape(inner).strip()
        return figure(plain, attrs.get("alt", "")) if plain.startswith(("http", "/")) else inner
    shown = found or Attached(address, attrs.get("alt", ""))
    caption = html.escape(attrs.get("caption", ""), quote=False)
    return figure(shown.url, shown.alt or attrs.get("alt", ""), caption, _address(attrs))


def _gallery(attrs: Mapping[str, str], library: Library) -> str:
    ids = re.findall(r"\d+", attrs.get("images") or attrs.get("gallery_ids") or attrs.get("ids") or "")
    found = [one for number in ids if (one := library.attached(number))]
    return "".join(figure(one.url, one.alt) for one in found)


def _button(attrs: Mapping[str, str], inner: str) -> str:
    address = _address(attrs)
    words = inner.strip() or html.escape(attrs.get("button_text") or "", quote=False) or _title(attrs)
    words = words or html.escape(address, quote=False)
    return f"<p>{linked(words, address)}</p>" if words else ""


def _box(attrs: Mapping[str, str], inner: str, library: Library) -> str:
    address, words = _address(attrs), html.escape(attrs.get("button_text", ""), quote=False)
    title = _title(attrs)
    picture = attrs.get("image", "") or attrs.get("portrait_url", "") or attrs.get("image_url", "")
    shown = _picture({"image": picture, "alt": attrs.get("alt", "")}, "", library) if picture else ""
    head = f"<h3>{title if words else linked(title, address)}</h3>" if title else ""
    extra = "".join(
        f"<p>{html.escape(attrs[key], quote=False)}</p>"
        for key in ("position", "job_title")
        if attrs.get(key)
    )
    button = f"<p>{linked(words, address)}</p>" if words else ""
    return f"{shown}{head}{extra}<div>{inner}</div>{button}"


def _film(name: str, attrs: Mapping[str, str], inner: str) -> str:
    keys = ("link", "src", "url", "id", "audio", "mp4")
    address = html.unescape(next((attrs[key] for key in keys if attrs.get(key)), "") or inner.strip())
    if address and not address.startswith(("http://", "https://", "/")):
        place = "https://vimeo.com/" if "vimeo" in name else "https://www.youtube.com/watch?v="
        address = f"{place}{address}"
    return shown_link(address)


def _code(inner: str) -> str:
    """HTML that a builder keeps in a code of its own."""
    text = _LINE_BREAK_HOLDER.sub("\n", inner)
    packed = re.sub(r"</?p>|\s", "", text)
    if re.fullmatch(r"[A-Za-z0-9+/]{8,}={0,2}", packed):
        try:
            return unquote(base64.b64decode(packed, validate=True).decode("utf-8"))
        except (binascii.Error, UnicodeDecodeError):
            pass
    return text
