"""The responses under one article: which are taken over, in which state, and whom each answers."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from app.accounts.rules import clean_email
from app.articles.arriving import ArrivingComment
from app.articles.markdown import render_response
from app.errors import BadInput
from app.i18n import N_, _
from app.moving.wordpress import content, report, rules, wxr
from app.moving.wordpress.report import Report

PINGS = frozenset({"pingback", "trackback"})
STATES = {
    "approved": N_("approved"),
    "pending": N_("held for you to decide"),
    "spam": N_("spam"),
    "removed": N_("from the trash, kept as removed"),
}
HERE = N_("here already")
NOT_TAKEN = N_("under what is not taken over")
PING_NOTE = N_("Pingbacks and trackbacks: other sites that linked here; not taken over")
ORPHANS = N_("Responses to one that is not in the file: they begin a thread of their own")
# What editors say to each other beside a text (WordPress 6.9).
NOTE = "note"
PLUGINS_NOTE = N_("Comments of kinds that plugins made: not taken over")
LONGEST_CHARS = 60_000


@dataclass
class People:
    """Who wrote there. `users`: number of a WordPress user → account here."""

    users: dict[str, UUID] = field(default_factory=dict)
    numbers: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)

    def add_author(self, number: str, email: str) -> None:
        """One of those who wrote articles."""
        self.numbers |= {number} - {"", "0"}
        self.emails |= {email} - {""}

    def is_author(self, comment: wxr.Comment) -> bool:
        """Whether a comment is of somebody who wrote articles. WordPress marks nobody.

        An address is looked at only where the file has no numbers: anybody can type one.
        """
        if self.numbers:
            return comment.user_id in self.numbers
        try:
            return clean_email(comment.email) in self.emails
        except BadInput:
            return False


def email_hash(email: str) -> str:
    """What is kept of a guest's address (docs/adr/0020): the SHA-256 of its usual form, or "" of what is none."""
    try:
        return hashlib.sha256(clean_email(email).encode()).hexdigest()
    except BadInput:
        return ""


def wanted(item: wxr.Item, told: Report) -> list[wxr.Comment]:
    """The comments that people wrote, once each; the others are counted and listed."""
    found: dict[str, wxr.Comment] = {}
    for comment in item.comments:
        if comment.kind in PINGS:
            told.count(report.COMMENTS, comment.kind, N_("listed below, not taken over"))
            told.note(PING_NOTE, f"{comment.url or comment.name} → “{item.title}”")
        elif comment.kind == NOTE:
            told.count(report.COMMENTS, comment.kind, N_("between editors, not for readers: not taken over"))
        elif comment.kind != "comment":
            told.count(report.COMMENTS, comment.kind, N_("of a plugin: not taken over"))
            words = wxr.plain(comment.body)[:200]
            told.note(PLUGINS_NOTE, f"{comment.kind}, {comment.name}, “{item.title}”: {words}")
        elif comment.id in found or not comment.id:
            told.count(report.COMMENTS, N_("responses"), N_("with the number of another one: not taken over"))
        else:
            found[comment.id] = comment
    return list(found.values())


def arriving(
    comments: Sequence[wxr.Comment],
    known: Mapping[str, UUID],
    item: wxr.Item,
    people: People,
    told: Report,
    now: datetime,
) -> dict[str, ArrivingComment]:
    """Those that are not here yet, by their number there, each after the one that it answers.

    `known`: number there → id here of those that are.
    """
    new = {one.id: one for one in comments if one.id not in known}
    told.count(report.COMMENTS, N_("responses"), HERE, len(comments) - len(new))
    ids = {**known, **{number: uuid4() for number in new}}
    made: dict[str, ArrivingComment] = {}
    for one in _parents_first(new):
        parent = ids.get(one.parent) if one.parent not in ("", "0") else None
        if one.parent not in ("", "0") and (parent is None or (one.parent in new and one.parent not in made)):
            parent = None
            told.note(ORPHANS, f"{one.name or one.id}, under “{item.title}”")
        made[one.id] = _made(one, ids[one.id], parent, item, people, now)
        told.count(report.COMMENTS, N_("responses"), STATES[made[one.id].state])
    return made


def _parents_first(new: Mapping[str, wxr.Comment]) -> list[wxr.Comment]:
    """In the order of the file as far as that goes; of a ring of answers, one has to begin."""
    ordered: dict[str, wxr.Comment] = {}
    for one in new.values():
        chain = []
        at: wxr.Comment | None = one
        waiting = set()
        while at is not None and at.id not in ordered and at.id not in waiting:
            waiting.add(at.id)
            chain.append(at)
            at = new.get(at.parent)
        for step in reversed(chain):
            ordered[step.id] = step
    return list(ordered.values())


def _made(
    one: wxr.Comment,
    comment_id: UUID,
    parent: UUID | None,
    item: wxr.Item,
    people: People,
    now: datetime,
) -> ArrivingComment:
    words = content.read_comment(one.body).text[:LONGEST_CHARS]
    return ArrivingComment(
        id=comment_id,
        parent_id=parent,
        user_id=people.users.get(one.user_id),
        name=rules.name_of(one.name, _("Anonymous")),
        email_hash=email_hash(one.email),
        is_author=people.is_author(one),
        body_md=words,
        body_html=render_response(words),
        state=rules.comment_state(one.approved),
        created_at=one.at or item.at or now,
    )
