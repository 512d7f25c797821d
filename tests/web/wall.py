"""The wall as one table: who comes, in which shape, to which kind of route, and what they are to meet there."""

import re
from dataclasses import dataclass
from enum import StrEnum
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx

from app.accounts.permissions import Permission
from tests.routes import Walked
from tests.web.viewers import Who

SIGN_IN = "Please log in to watch the paid videos."
SIGN_IN_HERE = "Please log in to see this page."
MEMBERSHIP = "This lesson is part of the membership."
ENDED = "Your membership has ended. Join again to go on watching."
NOT_ALLOWED = "Your account is not allowed to do this."
DEAD_LINK = "This link"


class Caller(StrEnum):
    HTML = "a browser's navigation"
    JSON = "a script that wants JSON"
    HTMX = "htmx"


ACCEPTS = {
    Caller.HTML: {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"},
    Caller.JSON: {"Accept": "application/json"},
    Caller.HTMX: {"Accept": "text/html", "HX-Request": "true"},
}


@dataclass(frozen=True)
class Met:
    """What somebody meets. Status 0: the wall lets them through, and the page behind it answers."""

    status: int
    sentence: str = ""


THROUGH = Met(0)
LOG_IN = Met(401, SIGN_IN)


def everybody(met: Met) -> dict[Who, Met]:
    return dict.fromkeys(Who, met)


# What each declared permission means to each of the five.
DOORS: dict[Permission, dict[Who, Met]] = {
    Permission.PUBLIC: everybody(THROUGH),
    Permission.MEMBER: {
        Who.ANONYMOUS: LOG_IN,
        Who.EXPIRED: LOG_IN,
        Who.NOT_ENTITLED: THROUGH,
        Who.ENDED: THROUGH,
        Who.BANNED: LOG_IN,
    },
    Permission.STAFF: {
        Who.ANONYMOUS: LOG_IN,
        Who.EXPIRED: LOG_IN,
        Who.NOT_ENTITLED: Met(403, NOT_ALLOWED),
        Who.ENDED: Met(403, NOT_ALLOWED),
        Who.BANNED: LOG_IN,
    },
    Permission.WEBHOOK_SIGNATURE: everybody(Met(400)),
    Permission.MEDIA_TOKEN: everybody(Met(403)),
    Permission.SIGNED_LINK: everybody(Met(410, DEAD_LINK)),
    # Here the operator's own machine asks: /metrics refuses every other, see test_ops.
    Permission.OPERATOR: everybody(THROUGH),
}
# What stands in the way of watching a paid lesson.
WATCHING: dict[Who, Met] = {
    Who.ANONYMOUS: LOG_IN,
    Who.EXPIRED: LOG_IN,
    Who.NOT_ENTITLED: Met(402, MEMBERSHIP),
    Who.ENDED: Met(402, ENDED),
    Who.BANNED: LOG_IN,
}
# Open to everybody by their declaration, because free lessons are; about a paid one they ask `decide`.
WATCHED_BY = {"/lessons/{lesson_id}/playback", "/playbacks/{playback_id}/renew"}


def expected(route: Walked, who: Who) -> Met:
    """The table's answer for a route and a viewer."""
    return WATCHING[who] if route.path in WATCHED_BY else DOORS[route.permission][who]


def hidden_next(page: str) -> str:
    """Where the page's login form leads after signing in."""
    form = re.search(r'<form[^>]*action="/login".*?</form>', page, re.DOTALL)
    assert form, "no login form"
    assert 'name="email"' in form[0]
    assert 'name="password"' in form[0]
    found = re.search(r'name="next" value="([^"]*)"', form[0])
    assert found, "the form leads nowhere"
    return unescape(found[1])


def next_of(url: str, page: str) -> str:
    """The `next` of an address that has to be this page of ours."""
    parts = urlsplit(url)
    assert (parts.netloc, parts.path) == ("", page)
    return parse_qs(parts.query)["next"][0]


def assert_refused(answer: httpx.Response, met: Met, caller: Caller, back: str) -> None:
    """Status, sentence, shape and the way back, as `caller` understands them."""
    said = f"{answer.request.method} {answer.request.url} for {caller}"
    assert answer.status_code == met.status, said
    assert "no-store" in answer.headers["cache-control"], said
    if met.status == 401:
        assert answer.headers["www-authenticate"].split()[0].lower() not in ("basic", "digest", "negotiate")
    else:
        assert "www-authenticate" not in answer.headers
    has_body = answer.request.method != "HEAD"
    if caller is Caller.JSON:
        assert answer.headers["content-type"] == "application/problem+json", said
        if has_body:
            _assert_problem(answer.json(), met, back)
    elif caller is Caller.HTMX:
        _assert_swapped(answer, met, back)
    else:
        assert answer.headers["content-type"].startswith("text/html"), said
        # An account or the studio is no film.
        is_own = met == LOG_IN and back.startswith(("/account", "/studio"))
        assert (SIGN_IN_HERE if is_own else met.sentence) in unescape(answer.text), said
        if met.status == 401:
            assert hidden_next(answer.text) == back, said
        if met.status == 402:
            offer = re.search(r'href="(/plans\?[^"]*)"', answer.text)
            assert offer, said
            assert next_of(unescape(offer[1]), "/plans") == back, said


def _assert_problem(body: dict[str, object], met: Met, back: str) -> None:
    assert (body["status"], body["detail"], body["title"]) == (met.status, met.sentence, met.sentence)
    assert str(body["type"]).startswith("urn:limber:problem:")
    for status, name, page in ((401, "login_url", "/login"), (402, "plans_url", "/plans")):
        assert (name in body) is (met.status == status)
        if met.status == status:
            assert next_of(str(body[name]), page) == back


def _assert_swapped(answer: httpx.Response, met: Met, back: str) -> None:
    """A whole new page, or a sentence in a place of its own: never a login form where a row of a table was."""
    page = {401: "/login", 402: "/plans"}.get(met.status)
    if page:
        assert next_of(answer.headers["hx-redirect"], page) == back
    else:
        assert answer.headers["hx-retarget"] == "#trouble"
        assert "hx-redirect" not in answer.headers
    if answer.request.method != "HEAD":
        assert met.sentence in unescape(answer.text)
    assert "<form" not in answer.text
