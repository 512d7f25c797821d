"""A language that nobody speaks: every sentence of the interface, in other letters and between brackets.

Whatever a page then says in plain Latin letters never went through gettext. It calls itself Greek, so that Babel's days
and amounts have no Latin letter either.
"""

import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALE = "el"
# What a translation must not touch: values, entities, tags, addresses.
_KEPT = re.compile(r"(%\(\w+\)[sd]|%%|\{\w*\}|<[^>]+>|&\w+;|https?://\S+)")
_LETTERS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "αвсδєfgнιјкłмηορqяѕтυνωχуzΑΒСΔЕҒGНΙЈКŁМΝОРQЯЅТUVΩХҮΖ".translate(
        str.maketrans("fgqzGQUVŁł", "ϝɠգʐԌԚՍѴⱢɫ")
    ),
)
_SAID = re.compile(r"⟦[^⟦⟧]*⟧")
_WORD = re.compile(r"[A-Za-z]{2,}")
_ATTRIBUTES = {"alt", "title", "placeholder", "aria-label", "aria-description", "data-confirm", "label"}
_SILENT = {"script", "style", "code", "pre", "textarea"}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


def said(sentence: str) -> str:
    """The sentence in the language."""
    parts = _KEPT.split(sentence)
    return "⟦" + "".join(part if n % 2 else part.translate(_LETTERS) for n, part in enumerate(parts)) + "⟧"


@cache
def catalogue() -> Catalog:
    """Every sentence of app/ and templates/, found as `make translations` finds them, with its translation."""
    with (ROOT / "locale/babel.cfg").open() as mapping:
        methods, options = parse_mapping_cfg(mapping)  # type: ignore[no-untyped-call]  # Babel has no type for it
    made = Catalog(locale=LOCALE, fuzzy=False)
    keywords = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "trans": None}
    for folder in ("app", "templates"):
        found = extract_from_dir(
            ROOT / folder, methods, options, keywords, directory_filter=lambda _path: True
        )
        for _file, _line, message, _comments, _context in found:
            if isinstance(message, tuple):
                made.add(message, tuple(said(message[-1]) for _form in range(made.num_plurals)))
            elif message:
                made.add(message, said(message))
    return made


def write(folder: Path) -> Path:
    """The translation, as a file that Limber reads."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{LOCALE}.po"
    with path.open("wb") as file:
        write_po(file, catalogue())
    return path


class _Reader(HTMLParser):
    """Gathers what people see or hear of a page, and where it leads."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.links: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self._open.append(tag)
        given = {name: value or "" for name, value in attrs}
        self.texts += [value for name, value in given.items() if name in _ATTRIBUTES]
        if tag == "meta" and (
            given.get("name") == "description" or given.get("property", "").startswith("og:d")
        ):
            self.texts.append(given.get("content", ""))
        if tag == "input" and given.get("type") in ("submit", "button"):
            self.texts.append(given.get("value", ""))
        for name in ("data-words", "data-labels"):
            if name in given:
                self.texts += json.loads(given[name]).values()
        if tag == "a" and "href" in given:
            self.links.append(given["href"])

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not _SILENT & set(self._open):
            self.texts.append(data)


def read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader


def untranslated(text: str) -> list[str]:
    """The words of a text that no translation surrounds."""
    before = ""
    while before != text:
        before, text = text, _SAID.sub(" ", text)
    return _WORD.findall(text)
