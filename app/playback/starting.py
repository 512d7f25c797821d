"""A permitted viewing begins and goes on: the decision is taken anew each time a token is given out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.queries import facts_for
from app.access.rules import Allowed, Denied, LessonFacts, Reason, ViewerFacts, decide
from app.accounts import throttle
from app.accounts.permissions import Viewer
from app.accounts.rules import Bucket, Limit, network
from app.catalog.queries import Film, film_of
from app.errors import Conflict, Gone, LimberError, NotFound, PaymentRequired, SignInRequired, TooMany
from app.i18n import _
from app.playback import tokens
from app.playback.keyring import media_ring as media_ring
from app.playback.models import Playback
from app.playback.progress import resume_at
from app.playback.rules import mark
from app.video.packaging import MASTER

TTL = timedelta(minutes=5)
# A browser that plays HLS by itself cannot swap tokens: it gets one for the whole film. Its playback is checked
# all the same.
NATIVE_SHORTEST = timedelta(hours=2)
NATIVE_LONGEST = timedelta(hours=6)
# Far above a class that shares one network, far below what would fill a disk.
WITHOUT_SIGN_IN = Limit("play", 300, timedelta(hours=1))


@dataclass(frozen=True)
class Granted:
    """What a player needs. `position_s`: where to go on; 0 for the beginning."""

    playback_id: UUID
    playlist_url: str
    expires_at: datetime
    position_s: float


async def start(
    db: AsyncSession,
    viewer: Viewer | None,
    lesson_id: UUID,
    now: datetime,
    *,
    is_native: bool = False,
    ip: str = "",
) -> Granted:
    """Let the viewer watch the lesson: a Playback row, a token for it, and where they stopped.

    Raises:
        SignInRequired, PaymentRequired: why not, in the sentence.
        NotFound: when there is no such lesson in the viewer's sight.
        Conflict: when it is not out, or has no video yet.
        TooMany: after 300 viewings without sign-in in an hour from one network.
    """
    film = await _permitted(db, viewer, lesson_id, now)
    if viewer is None:
        bucket = Bucket(f"{WITHOUT_SIGN_IN.name}:{network(ip)}", WITHOUT_SIGN_IN)
        if not await throttle.allow(db, [bucket], now):
            raise TooMany
    assert film.video_id is not None
    playback = Playback(
        lesson_id=lesson_id,
        video_id=film.video_id,
        video_version=film.version,
        user_id=viewer.user_id if viewer else None,
        session_id=viewer.session_id if viewer else None,
        created_at=now,
        renewed_at=now,
    )
    db.add(playback)
    await db.flush()
    position_s = await resume_at(db, viewer.user_id, lesson_id) if viewer else 0.0
    if film.duration_s:
        # It may have been saved in another, longer film.
        position_s = mark(position_s, film.duration_s).position_s
    return _grant(playback, film, now, position_s, is_native=is_native)


async def renew(
    db: AsyncSession, viewer: Viewer | None, playback_id: UUID, now: datetime, *, is_native: bool = False
) -> Granted:
    """A new token for a playback that goes on. Whoever signed in again meanwhile goes on with the new sign-in.

    Raises:
        NotFound: when there is no such playback, or it is somebody else's.
        Gone: when it was stopped, or the lesson has another film now.
        SignInRequired, PaymentRequired, Conflict: as `start`.
    """
    playback = await db.get(Playback, playback_id)
    if playback is None:
        raise NotFound
    if playback.user_id is not None and viewer is None:
        raise SignInRequired
    if viewer is not None and playback.user_id not in (None, viewer.user_id):
        raise NotFound
    if playback.revoked_at is not None:
        raise Gone(_("This viewing was stopped. Load the page again to go on."))
    film = await _permitted(db, viewer, playback.lesson_id, now)
    if (film.video_id, film.version) != (playback.video_id, playback.video_version):
        raise Gone(_("This lesson has a new film. Load the page again to watch it."))
    if viewer is not None:
        playback.user_id, playback.session_id = viewer.user_id, viewer.session_id
    playback.renewed_at = now
    await db.flush()
    return _grant(playback, film, now, 0.0, is_native=is_native)


async def _permitted(db: AsyncSession, viewer: Viewer | None, lesson_id: UUID, now: datetime) -> Film:
    film = await film_of(db, lesson_id, now)
    is_staff = viewer is not None and viewer.is_staff
    if film is None or not (film.is_visible or is_staff):
        raise NotFound
    entitlements = await facts_for(db, viewer.user_id) if viewer else []
    verdict = decide(ViewerFacts(is_staff) if viewer else None, facts_of(film), entitlements, now)
    if isinstance(verdict, Allowed):
        return film
    raise refusal(verdict)


def facts_of(film: Film) -> LessonFacts:
    return LessonFacts(film.lesson_id, film.course_id, film.is_free, film.is_out, film.is_ready)


def refusal(verdict: Denied) -> LimberError:
    """The error that says why, in a sentence for the reader."""
    match verdict.reason:
        case Reason.SIGN_IN:
            return SignInRequired()
        case Reason.ENDED:
            return PaymentRequired(_("Your membership has ended. Join again to go on watching."))
        case Reason.NOT_OUT:
            return Conflict(_("This lesson is not out yet."))
        case Reason.NO_VIDEO:
            return Conflict(_("The video of this lesson is not ready yet. Please come back a little later."))
        case _:
            return PaymentRequired()


def _grant(playback: Playback, film: Film, now: datetime, position_s: float, *, is_native: bool) -> Granted:
    ttl = TTL
    if is_native:
        ttl = min(max(timedelta(seconds=1.5 * (film.duration_s or 0)), NATIVE_SHORTEST), NATIVE_LONGEST)
    expires_at = (now + ttl).replace(microsecond=0)
    token = tokens.sign(
        media_ring(), playback.id, playback.video_id, playback.video_version, int(expires_at.timestamp())
    )
    url = f"/media/{token}/{playback.video_id}/{playback.video_version}/{MASTER}"
    return Granted(playback.id, url, expires_at, position_s)
