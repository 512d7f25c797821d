"""The responses under an article as its template draws them, one after the other, with the lists that open and close.

A page may have hundreds: sentences are looked up once for all of them, and each day is written once. What people wrote
is escaped here, once for each response, so that the template need not escape each of the seventeen values that it puts
together (`autoescape false`); nothing in a line is anything but text that may stand in a page as it is.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from markupsafe import escape

from app.articles.threads import Response
from app.clock import current_zone
from app.i18n import _
from app.templating import day

_CLOSE = "</ol>\n</li>\n"


class ResponseLine(NamedTuple):
    """One response. `gone`: what stands in the place of one that is not shown. `begins`: it is the first of a list at
    `depth`; `ends`: the tags that end it and the lists that it is the last of."""

    id: str
    name: str
    gone: str
    is_author: bool
    is_held: bool
    is_edited: bool
    can_edit: bool
    can_report: bool
    written_at: str
    day: str
    body_html: str
    answers: str
    label: str
    reply_label: str
    report_label: str
    depth: int
    begins: bool
    ends: str


def _escaped(words: str) -> str:
    return str(escape(words))


def lines(responses: Sequence[Response], now: datetime) -> list[ResponseLine]:
    """Every response of the tree, in the order of reading."""
    zone, days = current_zone(), dict[date, str]()
    # Escaped before the name is put in, which is escaped once for all of them.
    said, reply, report, answering = (
        _escaped(words)
        for words in (
            _("Response by %(name)s"),
            _("Reply to %(name)s"),
            _("Report the response by %(name)s"),
            _("In reply to %(name)s"),
        )
    )
    found = []
    for item, depth, begins, ends in _walk(responses):
        row = item.row
        at = row.created_at.astimezone(zone).date()
        if at not in days:
            days[at] = _escaped(day(at))
        shown = _escaped(row.name)
        name = {"name": shown}
        found.append(
            ResponseLine(
                id=row.id,
                name=shown,
                gone=_escaped(_gone(row.state)) if item.is_placeholder else "",
                is_author=row.is_author,
                is_held=item.is_held,
                is_edited=row.is_edited,
                can_edit=item.can_edit(now),
                can_report=not row.is_author and not row.is_mine,
                written_at=row.created_at.isoformat(),
                day=days[at],
                # Sanitised when it was written (`markdown.render_response`), so it may be shown as it is.
                body_html=row.body_html,
                answers=answering % {"name": _escaped(item.answers_name)} if item.answers_name else "",
                label=said % name,
                reply_label=reply % name,
                report_label=report % name,
                depth=depth,
                begins=begins,
                ends=ends,
            )
        )
    return found


def _gone(state: str) -> str:
    if state == "withdrawn":
        return _("A response that its writer took back.")
    if state == "pending":
        return _("A response that waits to be read.")
    return _("A response that was removed.")


def _walk(responses: Sequence[Response]) -> Iterator[tuple[Response, int, bool, str]]:
    """(response, depth, whether it begins a list, what it ends), depth first; a tree is at most four levels deep."""

    def level(items: Sequence[Response], depth: int, after: str) -> Iterator[tuple[Response, int, bool, str]]:
        for number, item in enumerate(items):
            is_last = number == len(items) - 1
            if item.replies:
                # The last of its replies closes their list and this item, and this item's list where it is the last.
                rest = _CLOSE + after if is_last else _CLOSE
                yield item, depth, number == 0, "\n"
                yield from level(item.replies, depth + 1, rest)
            else:
                end = "</li>\n"
                yield item, depth, number == 0, end + after if is_last else end

    yield from level(responses, 1, "</ol>\n")
