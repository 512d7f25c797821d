"""WordPress's shortcodes: found, the known ones turned into HTML, the others left where they stand. Pure.

Source: WordPress, wp-includes/shortcodes.php and media.php.
"""

import html
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from app.i18n import _
from app.moving.names import names
from app.moving.wordpress import builders, embeds
from app.moving.wordpress.shown import Library, figure, linked, shown_link

_TOKEN = re.compile(
    # A comment that nobody closes goes on to the end, as in a browser.
    r"<!--.*?(?:-->|\Z)|<[^<>\[\]]*>"
    r"|(?P<escaped>\[\[[A-Za-z][^\[\]]*\]\])"
    r"|\[(?P<close>/)?(?P<name>[A-Za-z][\w-]*)(?P<attrs>(?:[\s=](?:[^\[\]\"']|\"[^\"]*\"|'[^']*')*)?)(?P<alone>/)?\]",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(
    r"([\w-]+)\s*=\s*\"([^\"]*)\"|([\w-]+)\s*=\s*'([^']*)'|([\w-]+)\s*=\s*([^\s\"']+)|\"([^\"]*)\"|(\S+)"
)
_PICTURE = re.compile(r"\s*((?:<a\b[^>]*>\s*)?<img\b[^>]*>(?:\s*</a>)?)(.*)\Z", re.DOTALL | re.IGNORECASE)
_BREAKS = re.compile(r"<br\s*/?>\n?|</?p\b[^>]*>\n?", re.IGNORECASE)
_NESTED_AT_MOST = 20
# From name, attributes and translated content to HTML; None where what it stood for is not in the file.
_Handler = Callable[[str, dict[str, str], str], str | None]

NOTES = names("ref footnote efn_note mfn fn")
PLAYERS = names("audio video playlist wpvideo videopress")
# Only the place of their content on the page, which Limber's pages decide themselves.
WRAPPERS = names(
    "vc_row vc_row_inner vc_column vc_column_inner vc_column_text vc_section vc_tta_tabs vc_tta_accordion vc_tta_tour"
    " vc_tta_pageable vc_tabs vc_tour vc_accordion et_pb_section et_pb_row et_pb_row_inner et_pb_column"
    " et_pb_column_inner et_pb_text et_pb_accordion et_pb_tabs et_pb_slider et_pb_fullwidth_section"
    " fusion_builder_container fusion_builder_row fusion_builder_row_inner fusion_builder_column"
    " fusion_builder_column_inner fusion_text fusion_accordion fusion_tabs fusion_content_boxes fusion_testimonials"
    " av_textblock av_one_full av_one_half av_one_third av_two_third av_one_fourth av_three_fourth av_section"
    " av_tab_container av_toggle_container su_row su_column su_accordion su_tabs su_list su_highlight su_animate"
    " row column columns col one_half one_half_last one_third one_third_last two_third two_third_last one_fourth"
    " one_fourth_last three_fourth three_fourth_last dropcap highlight accordion accordions tabs tabgroup"
)
FORMS = names(
    "contact-form contact-form-7 contact-field wpforms gravityform ninja_form ninja_forms formidable fluentform"
)
FILES = ("src", "mp4", "m4v", "webm", "ogv", "wmv", "flv", "mp3", "m4a", "ogg", "wav", "wma")


@dataclass
class Translation:
    """The HTML, the shortcodes found (name → how many) by what became of them, and the footnotes' HTML by label."""

    text: str
    known: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    # Numbers of pictures that the file does not have.
    lacking: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Code:
    name: str
    attrs: str
    start: int
    end: int
    is_close: bool
    is_alone: bool


def count(text: str) -> int:
    """How many shortcodes begin in the text, known or not; those that show source code as `source_code.protect` leaves
    them."""
    return sum(not code.is_close for code in _codes(text)) + text.count("<pre data-shortcode=")


def attributes(text: str) -> dict[str, str]:
    """`key=value` in all the ways in which people write them; values without a key are numbered "0", "1", …"""
    found: dict[str, str] = {}
    bare = 0
    for match in _ATTRIBUTE.finditer(html.unescape(text).replace("\u201d", '"').replace("\u00a0", " ")):
        key = match[1] or match[3] or match[5]
        if key:
            found[key.lower()] = match[2] or match[4] or match[6] or ""
        else:
            found[str(bare)] = (match[7] or match[8] or "").lstrip("=")
            bare += 1
    return found


class Translator:
    """Turns the shortcodes of one item's text into HTML."""

    def __init__(self, library: Library, post_id: str) -> None:
        self._library = library
        self._post_id = post_id

    def translate(self, text: str) -> Translation:
        """Known shortcodes as HTML, escaped ones (`[[so]]`) as words, all others as they are."""
        self._result = Translation("")
        for found in re.findall(r'<pre data-shortcode="(\w+)">', text):
            self._result.known[found] = self._result.known.get(found, 0) + 1
        self._result.text = self._translated(text, 0)
        return self._result

    def _translated(self, text: str, depth: int) -> str:
        codes = list(_codes(text))
        ends = _ends(codes)
        pieces: list[str] = []
        at = index = 0
        while index < len(codes):
            code = codes[index]
            index += 1
            if code.is_close:
                # The end of a wrapper that was opened elsewhere, in another block say.
                if code.name in WRAPPERS:
                    pieces.append(text[at : code.start])
                    at = code.end
                continue
            handler = self._handler(code.name) if depth <= _NESTED_AT_MOST else None
            if handler is None:
                self._count(code.name, is_known=False)
                continue
            end, inner, ending = code.end, "", ""
            if (closing := ends.get(index - 1)) is not None:
                inner = self._translated(text[code.end : codes[closing].start], depth + 1)
                end, ending = codes[closing].end, text[codes[closing].start : codes[closing].end]
                index = closing + 1
            made = handler(code.name, attributes(code.attrs), inner)
            self._count(code.name, is_known=made is not None)
            # What cannot be told stays visible, with what could be told in it.
            shown = f"{text[code.start : code.end]}{inner}{ending}" if made is None else made
            pieces += [text[at : code.start], shown]
            at = end
        pieces.append(text[at:])
        return (
            re.sub(r"\[(\[[A-Za-z][^\[\]]*\])\]", r"\1", "".join(pieces)) if depth == 0 else "".join(pieces)
        )

    def _count(self, name: str, *, is_known: bool) -> None:
        counts = self._result.known if is_known else self._result.unknown
        counts[name] = counts.get(name, 0) + 1

    def _handler(self, name: str) -> _Handler | None:
        table: tuple[tuple[frozenset[str], _Handler], ...] = (
            (frozenset({"caption", "wp_caption"}), self._caption),
            (frozenset({"gallery"}), self._gallery),
            (PLAYERS, self._player),
            (embeds.EMBEDS, self._embed),
            (NOTES, self._note),
            (WRAPPERS, lambda _name, _attrs, inner: inner),
            (FORMS, self._form),
            (builders.KNOWN, lambda name, attrs, inner: builders.html_of(name, attrs, inner, self._library)),
        )
        return next((handler for names, handler in table if name.lower() in names), None)

    def _caption(self, _name: str, attrs: dict[str, str], inner: str) -> str:
        found = _PICTURE.match(_BREAKS.sub(" ", inner) if "<img" in inner else inner)
        picture, words = (found[1], found[2].strip()) if found else (inner, "")
        words = attrs.get("caption") or words
        side = html.escape(attrs.get("align", ""))
        return f'<figure class="{side}">{picture}<figcaption>{words}</figcaption></figure>'

    def _gallery(self, _name: str, attrs: dict[str, str], _inner: str) -> str | None:
        ids = _ids(attrs.get("ids") or attrs.get("include") or "")
        if not ids:
            left_out = set(_ids(attrs.get("exclude", "")))
            ids = [
                one
                for one in self._library.attached_to(attrs.get("id") or self._post_id)
                if one not in left_out
            ]
        return "".join(self._figure(one) for one in ids) or None

    def _figure(self, attachment_id: str) -> str:
        found = self._library.attached(attachment_id)
        if found is None:
            self._result.lacking.append(attachment_id)
            return ""
        return figure(found.url, found.alt, found.caption)

    def _player(self, name: str, attrs: dict[str, str], inner: str) -> str | None:
        address = next((attrs[key] for key in FILES if attrs.get(key)), "")
        if ids := _ids(attrs.get("ids", "")):
            files = [found for one in ids if (found := self._library.attached(one))]
            links = (linked(html.escape(one.title or one.url), one.url) for one in files)
            return "".join(f"<p>{link}</p>" for link in links) or None
        address = address or embeds.url_in(inner) or attrs.get("0", "")
        if name in ("wpvideo", "videopress") and address and not address.startswith("http"):
            address = f"https://videopress.com/v/{address}"
        return shown_link(address) or None

    def _embed(self, name: str, attrs: dict[str, str], inner: str) -> str | None:
        return shown_link(embeds.address_of(name, attrs, inner)) or None

    def _note(self, _name: str, attrs: dict[str, str], inner: str) -> str:
        label = str(len(self._result.notes) + 1)
        self._result.notes[label] = inner or attrs.get("0", "")
        return f'<sup data-note="{label}">{label}</sup>'

    def _form(self, name: str, _attrs: dict[str, str], _inner: str) -> str:
        words = html.escape(_("Send me an email"))
        return "" if name == "contact-field" else f'<p><a href="/contact" data-here="">{words}</a></p>'


def _ids(text: str) -> list[str]:
    return re.findall(r"\d+", text)


def _codes(text: str) -> Iterator[_Code]:
    for found in _TOKEN.finditer(text):
        if found["name"]:
            yield _Code(
                found["name"],
                found["attrs"] or "",
                found.start(),
                found.end(),
                bool(found["close"]),
                bool(found["alone"]) or (found["attrs"] or "").endswith("/"),
            )


def _ends(codes: list[_Code]) -> dict[int, int]:
    """Where each shortcode ends that was opened, by their places in the list; one of the same name inside has its own
    end. One pass, whatever is left open."""
    found: dict[int, int] = {}
    opened: dict[str, list[int]] = {}
    closes: dict[str, list[int]] = {}
    for at, code in enumerate(codes):
        if code.is_close and not code.is_alone:
            closes.setdefault(code.name, []).append(at)
            if before := opened.get(code.name):
                found[before.pop()] = at
        elif not code.is_alone:
            opened.setdefault(code.name, []).append(at)
    # Without an end for each: WordPress takes the nearest.
    for name, left in opened.items():
        for at in left:
            ends = closes.get(name, [])
            nearest = bisect_right(ends, at)
            if nearest < len(ends):
                found[at] = ends[nearest]
    return found
