"""The wall as one table: who comes, in which shape, to which kind of route, and what they are to meet there."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
from sqlalchemy import update

from app import db
from app.accounts import sessions
from app.accounts.models import User, UserSession
from app.accounts.permissions import Permission
from app.articles.markdown import LESSON_HERE
from app.catalog.models import Course, Lesson
from app.clock import utcnow
from app.playback.models import Playback
from app.settings import get_settings
from app.video.models import Video
from app.web.guard import cookie_name
from tests import factories
from tests.routes import Walked

SIGN_IN = "Please log in to watch the paid videos."
MEMBERSHIP = "This lesson is part of the membership."
ENDED = "Your membership has ended. Join again to go on watching."
NOT_ALLOWED = "Your account is not allowed to do this."
DEAD_LINK = "This link"
ORIGIN = "https://limber.test"


class Who(StrEnum):
    """Expired and banned ones are staff, with a right to every course: had they come in, all would be open."""

    ANONYMOUS = "anonymous"
    EXPIRED = "session expired"
    NOT_ENTITLED = "signed in without entitlement"
    ENDED = "entitlement ended"
    BANNED = "banned"


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


@dataclass(frozen=True)
class Scene:
    """A course with a free, a paid, a coming and a hidden lesson, each with a film that can be played."""

    course: Course
    free: Lesson
    paid: Lesson
    soon: Lesson
    draft: Lesson
    article_slug: str
    videos: tuple[Video, ...]

    @property
    def paid_url(self) -> str:
        return f"/courses/{self.course.slug}/{self.paid.slug}"

    def secrets(self) -> Iterator[str]:
        """Every spelling in which a film could be told, and words that only some may read."""
        for video in self.videos:
            yield from (str(video.id), video.id.hex, urlsafe_b64encode(video.id.bytes).decode().rstrip("="))
            yield from (video.source_key, video.source_filename)
        yield from (".m3u8", ".m4s", "Words of the transcript.", self.draft.title, self.draft.slug)

    def assert_untold(self, answer: httpx.Response) -> None:
        said = unescape(answer.text) + "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        found = [secret for secret in self.secrets() if secret.lower() in said.lower()]
        found += re.findall(r"/media/\w[^\"\s]*", said)
        assert found == [], f"{answer.request.method} {answer.request.url} tells {found}"


async def build() -> Scene:
    """Make the scene, with files where the transcoder would put them."""
    async with db.transaction() as session:
        course = await factories.course(session, slug="lower-body", title="The lower body")
        section = await factories.section(session, course)
        kinds: dict[str, dict[str, Any]] = {
            "free": {"title": "First steps", "is_free": True},
            "paid": {"title": "Hamstrings", "transcript_md": "Words of the transcript."},
            "soon": {"title": "Rotators", "available_at": utcnow() + timedelta(days=9)},
            "draft": {"title": "Unfinished thoughts", "slug": "unfinished", "state": "draft"},
        }
        lessons, videos = {}, []
        for position, (name, values) in enumerate(kinds.items()):
            video = await factories.video(
                session, source_filename=f"IMG-{name}-4711.mov", source_key=f"sources/key-of-{name}"
            )
            videos.append(video)
            given = {"slug": f"{name}-one", "position": position, "video_id": video.id, **values}
            lessons[name] = await factories.lesson(session, section, **given)
        article = await factories.article(
            session, lesson_id=lessons["paid"].id, body_html=f"<p>Words.</p>{LESSON_HERE}"
        )
    for video in videos:
        folder = get_settings().media_dir / "videos" / str(video.id) / "1"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "master.m3u8").write_text("#EXTM3U\n")
        for name in ("poster.jpg", "poster-small.jpg"):
            (folder / name).write_bytes(b"\xff\xd8picture")
    return Scene(course, **lessons, article_slug=article.slug, videos=tuple(videos))


@dataclass
class Visitor:
    """One of the five with the cookie their browser sends, and a viewing that they began when they still might."""

    who: Who
    user: User | None
    cookie: str | None
    playback_id: UUID

    async def sign_in_again(self) -> None:
        """A new cookie of the same worth, after a request that ended the old one."""
        if self.user is not None:
            self.cookie = (await _cookie(self.user, is_expired=self.who is Who.EXPIRED))[0]


async def _cookie(user: User, *, is_expired: bool) -> tuple[str, UUID]:
    async with db.transaction() as session:
        token = await sessions.start(session, user, user_agent="test", ip="127.0.0.1", now=utcnow())
        wanted = UserSession.token_hash == sessions.hash_token(token)
        ends = utcnow() + timedelta(days=-1 if is_expired else 1)
        found = await session.execute(
            update(UserSession).where(wanted).values(expires_at=ends).returning(UserSession.id)
        )
        return token, found.scalar_one()


async def visitor(who: Who, scene: Scene) -> Visitor:
    """Make one of the five."""
    now, user = utcnow(), None
    async with db.transaction() as session:
        had_all = who in (Who.EXPIRED, Who.BANNED)
        if who is not Who.ANONYMOUS:
            user = await factories.user(session, role="staff" if had_all else "member")
            # Set by hand, without ending the sign-in: the ban alone has to be enough.
            user.banned_at = now if who is Who.BANNED else None
        if user is not None and had_all:
            await factories.entitlement(session, user)
        if user is not None and who is Who.ENDED:
            await factories.entitlement(session, user, ends_at=now - timedelta(hours=1))
    cookie, session_id = await _cookie(user, is_expired=who is Who.EXPIRED) if user else (None, None)
    async with db.transaction() as session:
        viewing = Playback(
            lesson_id=scene.paid.id,
            video_id=scene.paid.video_id,
            video_version=1,
            user_id=user.id if user else None,
            session_id=session_id,
            created_at=now,
            renewed_at=now,
        )
        await factories.save(session, viewing)
    return Visitor(who, user, cookie, viewing.id)


async def ask(
    client: httpx.AsyncClient,
    scene: Scene,
    visitor: Visitor,
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    """One request of this visitor, from the paid lesson's page; whatever is answered must tell nothing."""
    client.cookies.clear()
    page = ORIGIN + scene.paid_url
    sent = {"Referer": page, **(headers or {})}
    if "HX-Request" in sent:
        sent["HX-Current-URL"] = page
    if visitor.cookie:
        sent["Cookie"] = f"{cookie_name()}={visitor.cookie}"
    answer = await client.request(method, path, headers=sent)
    scene.assert_untold(answer)
    return answer


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
        assert met.sentence in unescape(answer.text), said
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
