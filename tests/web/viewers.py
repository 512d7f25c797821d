"""The five viewers, and the course with paid films that they meet: made anew for each test, asked as one of them."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from html import unescape
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

from app import db
from app.accounts import sessions
from app.accounts.models import User, UserSession
from app.articles.directives import LESSON_HERE
from app.catalog.models import Course, Lesson
from app.clock import utcnow
from app.playback.models import Playback
from app.playback.standing import standing
from app.settings import get_settings
from app.video.captions_models import CaptionTrack, Chapter
from app.video.models import Video
from app.web.guard import cookie_name
from tests import factories
from tests.web.test_billing import on_sale

ORIGIN = "https://limber.test"


class Who(StrEnum):
    """Expired and banned ones are staff, with a right to every course: had they come in, all would be open."""

    ANONYMOUS = "anonymous"
    EXPIRED = "session expired"
    NOT_ENTITLED = "signed in without entitlement"
    ENDED = "entitlement ended"
    BANNED = "banned"


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
        yield from (
            ".m3u8",
            ".m4s",
            "Words of the transcript.",
            "Words that were said.",
            "A part of it.",
            self.draft.title,
            self.draft.slug,
        )

    def assert_untold(self, answer: httpx.Response) -> None:
        said = unescape(answer.text) + "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        found = [secret for secret in self.secrets() if secret.lower() in said.lower()]
        found += re.findall(r"/media/\w[^\"\s]*", said)
        assert found == [], f"{answer.request.method} {answer.request.url} tells {found}"


async def build() -> Scene:
    """Make the scene, with files where the transcoder would put them; nothing of an earlier one is remembered."""
    standing.forget()
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
        paid = lessons["paid"].video_id
        said = "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nWords that were said.\n"
        session.add(CaptionTrack(video_id=paid, language="en", label="English", vtt=said))
        session.add(Chapter(video_id=paid, at_s=5, title="A part of it."))
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


async def entitled(client: httpx.AsyncClient) -> User:
    """Somebody who may watch everything, signed in on the client."""
    async with db.transaction() as session:
        user = await factories.user(session)
        await factories.entitlement(session, user)
    await factories.sign_in(client, user)
    return user


async def sell(monkeypatch: pytest.MonkeyPatch) -> None:
    """One plan, and the keys that turn buying on."""
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_limber")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_test")
    get_settings.cache_clear()
    await on_sale("Monthly", 1850)


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
