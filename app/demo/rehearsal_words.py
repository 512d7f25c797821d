"""What a step of a rehearsal must lead to, what it showed, and both in words."""

import re
from dataclasses import asdict, dataclass
from html.parser import HTMLParser
from typing import Any

from app.access.queries import LedgerEntry

# A burst of events is many ids, of which the first one is enough to find them at Stripe.
LONGEST_CAUSE = 70


@dataclass(frozen=True)
class Wanted:
    """What a step must lead to. `page`: words on the account page; `mail`: words of a subject, None: whatever;
    `ledger`: what happens in the ledger, None: whatever."""

    may_watch: bool
    page: str = ""
    mail: str | None = None
    ledger: tuple[str, ...] | None = ()


@dataclass(frozen=True)
class Told:
    """One step, in words; `wrong`: what should have been and was not."""

    title: str
    saw: str
    may_watch: bool
    mails: tuple[str, ...]
    ledger: tuple[str, ...]
    wrong: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """To be read."""
        said = [self.title, f"  The member sees: {self.saw}"]
        said.append(f"  The lesson: {'open' if self.may_watch else 'closed'}")
        said += [f"  Mail: {one}" for one in self.mails] or ["  Mail: none"]
        said += [f"  Ledger: {one}" for one in self.ledger] or ["  Ledger: nothing new"]
        return said + [f"  WRONG: {one}" for one in self.wrong]

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        return asdict(self)


class _Reader(HTMLParser):
    """The text of one section of a page, by the id that labels it, and of the banner above every page."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self.label, self.parts, self.unread = label, list[str](), ""
        self.inside = ""
        self.depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_wanted = given.get("aria-labelledby") == self.label or "payment-banner" in (
            given.get("class") or ""
        )
        if not self.depth and is_wanted:
            self.inside = tag
        self.depth += tag == self.inside
        # Headings and what can be pressed are on every page alike; what is told is between them.
        self.unread = self.unread or (tag if tag in ("h2", "a", "button") else "")

    def handle_endtag(self, tag: str) -> None:
        self.unread = "" if tag == self.unread else self.unread
        if self.depth and tag == self.inside:
            self.depth -= 1
            self.inside = self.inside if self.depth else ""

    def handle_data(self, data: str) -> None:
        if self.depth and not self.unread and data.strip():
            self.parts.append(" ".join(data.split()))


def section_of(html: str, label: str) -> str:
    """What is to be read in the section of a page that `label` names, and in the banner above it, in one line."""
    reader = _Reader(label)
    reader.feed(html)
    return re.sub(r"\s+([,.])", r"\1", " ".join(reader.parts))


def ledger_words(entry: LedgerEntry) -> str:
    """One line of the ledger, to be read."""
    after = entry.after or {}
    until = f" until {str(after['ends_at'])[:10]}" if after.get("ends_at") else ""
    cause = entry.cause if len(entry.cause) <= LONGEST_CAUSE else f"{entry.cause[:LONGEST_CAUSE]}…"
    return f"{entry.change}{until}, because of {cause}"
