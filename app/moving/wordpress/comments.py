"""The responses under one article: which are taken over, in which state, and whom each answers."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
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
LONGEST_CHARS = 60_000


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
        elif comment.kind != "comment":
            told.count(report.COMMENTS, comment.kind, N_("of a plugin: not taken over"))
        elif comment.id in found or not comment.id:
            told.count(report.COMMENTS, N_("responses"), N_("with the number of another one: not taken over"))
        else:
            found[comment.id] = comment
    return list(found.values())


def arriving(
    comments: Sequence[wxr.Comment],
    known: Mapping[str, UUID],
    item: wxr.Item,
    users: Mapping[str, UUID],
    authors: Collection[str],
    told: Report,
    now: datetime,
) -> dict[str, ArrivingComment]:
    """Those that are not here yet, by their number there, each after the one that it answers.

    `known`: number there → id here of those that are; `users`: number of a WordPress user → account here; `authors`:
    the numbers of all who wrote articles there.
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
        made[one.id] = _made(one, ids[one.id], parent, item, users, authors, now)
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
    users: Mapping[str, UUID],
    authors: Collection[str],
    now: datetime,
) -> ArrivingComment:
    words = content.read_comment(one.body).text[:LONGEST_CHARS]
    return ArrivingComment(
        id=comment_id,
        parent_id=parent,
        user_id=users.get(one.user_id),
        name=rules.name_of(one.name, _("Anonymous")),
        email_hash=email_hash(one.email),
        # WordPress marks nobody; whoever wrote articles there answers here as an author.
        is_author=one.user_id in authors,
        body_md=words,
        body_html=render_response(words),
        state=rules.comment_state(one.approved),
        created_at=one.at or item.at or now,
    )
