"""Pieces of HTML that shortcodes and blocks stand for, and what they ask of the rest of the export. Pure."""

from dataclasses import dataclass
from html import escape
from typing import Protocol


@dataclass(frozen=True)
class Attached:
    """A file of the media library: where it is, and the words that go with it."""

    url: str
    alt: str = ""
    caption: str = ""
    title: str = ""


class Library(Protocol):
    """What shortcodes ask of the rest of the export."""

    def attached(self, post_id: str) -> Attached | None: ...
    def attached_to(self, post_id: str) -> list[str]: ...


def shown_link(address: str) -> str:
    """An address alone, where a player or a card was."""
    return f'<figure class="embed">{escape(address)}</figure>' if address else ""


def linked(words: str, address: str) -> str:
    """HTML as a link, where there is an address."""
    return f'<a href="{escape(address)}">{words}</a>' if address and words else words


def figure(address: str, alt: str, caption: str = "", link: str = "") -> str:
    """A picture; `caption` is HTML."""
    picture = linked(f'<img src="{escape(address)}" alt="{escape(alt)}">', link)
    return f"<figure>{picture}{f'<figcaption>{caption}</figcaption>' if caption else ''}</figure>"
