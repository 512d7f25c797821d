"""A permitted viewing begins and goes on: the decision is taken anew each time a token is given out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.rules import Allowed, Denied, Reason, ViewerFacts, decide
from app.accounts import throttle
from app.accounts.permissions import Viewer
from app.accounts.rules import Bucket, Limit, network, shortened
from app.db import Querying, transaction
from app.errors import Conflict, Gone, LimberError, NotFound, PaymentRequired, SignInRequired, TooMany
from app.i18n import _
from app.playback import grants, places, tokens
from app.playback.facts import Facts, facts, facts_with_holder
from app.playback.keyring import media_ring as media_ring
from app.playback.models import Playback
from app.playback.places import Most
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
    """What a player needs. `position_s`: where to go on; 0 for the beginning. `grant`: to renew this viewing with."""

    playback_id: UUID
    playlist_url: str
    expires_at: datetime
    position_s: float
    grant: str


async def two() -> int:
    """What holds where nobody has said otherwise."""
    return 2


async def start(
    db: Querying,
    cookie: str | None,
    lesson_id: UUID,
    now: datetime,
    *,
    most: Most = two,
    is_native: bool = False,
    tab: str = "",
    ip: str = "",
) -> Granted:
    """Let whoever holds a sign-in's `cookie` (None: nobody) watch: a Playback row, a token, and where they stopped.

    `db` may commit each statement by itself: one writes the row and takes its place.

    `most`: how many films a member may watch at the same time; `tab` tells one page of a browser from the others.

    Raises:
        SignInRequired, PaymentRequired: why not, in the sentence.
        NotFound: when there is no such lesson in the viewer's sight.
        Conflict: when it is not out, or has no video yet.
        StreamsFull: when as many are playing on other pages.
        TooMany: after 300 viewings without sign-in in an hour from one network.
    """
    viewer, known = await facts_with_holder(db, cookie, lesson_id, now)
    found = _permitted(viewer, known, now)
    if viewer is None:
        await _count_stranger(ip, now)
    values = _row(viewer, found, lesson_id, tab, ip, now)
    if viewer is None or viewer.is_staff:
        playback_id = await places.begin_without_place(db, values)
    else:
        playback_id = await places.begin(db, values, found.held, most, now)
    position_s = found.stopped_at_s
    if found.duration_s:
        # It may have been saved in another, longer film.
        position_s = mark(position_s, found.duration_s).position_s
    session_id = viewer.session_id if viewer else None
    return _grant(playback_id, session_id, found, now, position_s, is_native=is_native)


async def _count_stranger(ip: str, now: datetime) -> None:
    bucket = Bucket(f"{WITHOUT_SIGN_IN.name}:{network(ip)}", WITHOUT_SIGN_IN)
    # The lock that counts tries one after the other lasts as long as a transaction.
    async with transaction() as counting:
        if not await throttle.allow(counting, [bucket], now):
            raise TooMany


def _row(
    viewer: Viewer | None, found: Facts, lesson_id: UUID, tab: str, ip: str, now: datetime
) -> dict[str, object]:
    return {
        "lesson_id": lesson_id,
        "video_id": found.video_id,
        "video_version": found.version,
        "user_id": viewer.user_id if viewer else None,
        "session_id": viewer.session_id if viewer else None,
        "created_at": now,
        "renewed_at": now,
        "seen_at": now,
        "position_s": found.stopped_at_s,
        "tab": tab,
        # Whoever has no account has no networks to be spread over.
        "network": shortened(ip) if viewer else "",
    }


async def renew(
    db: AsyncSession,
    viewer: Viewer | None,
    playback_id: UUID,
    grant: str,
    now: datetime,
    *,
    most: int = 2,
    is_native: bool = False,
) -> Granted:
    """A new token for a playback that goes on. Whoever signed in again meanwhile goes on with the new sign-in.

    Raises:
        NotFound: when there is no such playback, or it is somebody else's.
        Gone: when it was stopped, or the lesson has another film now.
        GrantRefused: when `grant` is not what this viewing's player was given last.
        SignInRequired, PaymentRequired, Conflict, StreamsFull: as `start`.
    """
    playback = await db.get(Playback, playback_id)
    if playback is None:
        raise NotFound
    if playback.user_id is not None and viewer is None:
        raise SignInRequired
    if viewer is not None and playback.user_id not in (None, viewer.user_id):
        raise NotFound
    if playback.revoked_at is not None:
        raise Gone(how_it_ended(playback.ended_by))
    film = playback.video_id, playback.video_version
    known = await facts(db, viewer.user_id if viewer else None, playback.lesson_id, now)
    found = _permitted(viewer, known, now)
    if (found.video_id, found.version) != film:
        raise Gone(_("This lesson has a new film. Load the page again to watch it."))
    # Last: why somebody may not watch says more than that a grant is too old.
    grants.check(media_ring(), grant, playback_id, playback.session_id, *film, now)
    if viewer is not None:
        playback.user_id, playback.session_id = viewer.user_id, viewer.session_id
    playback.renewed_at = now
    await db.flush()
    if viewer is not None and not viewer.is_staff:
        await places.go_on(db, playback, most, now)
    return _grant(playback.id, playback.session_id, found, now, 0.0, is_native=is_native)


def how_it_ended(ended_by: str | None) -> str:
    """Why a viewing that was revoked does not go on, in a sentence for whoever watched."""
    if ended_by == places.STOPPED:
        return _("This film was stopped from another device. Load the page again to go on here.")
    if ended_by == places.AGAIN:
        return _("This film goes on in another window. Load the page again to go on here.")
    return _("This viewing was stopped. Load the page again to go on.")


def _permitted(viewer: Viewer | None, found: Facts | None, now: datetime) -> Facts:
    is_staff = viewer is not None and viewer.is_staff
    if found is None or not (found.is_visible or is_staff):
        raise NotFound
    verdict = decide(ViewerFacts(is_staff) if viewer else None, found.lesson, found.rights, now)
    if isinstance(verdict, Allowed):
        return found
    raise refusal(verdict)


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


def _grant(
    playback_id: UUID,
    session_id: UUID | None,
    found: Facts,
    now: datetime,
    position_s: float,
    *,
    is_native: bool,
) -> Granted:
    assert found.video_id is not None
    ttl = TTL
    if is_native:
        ttl = min(max(timedelta(seconds=1.5 * (found.duration_s or 0)), NATIVE_SHORTEST), NATIVE_LONGEST)
    expires_at = (now + ttl).replace(microsecond=0)
    expires = int(expires_at.timestamp())
    ring = media_ring()
    token = tokens.sign(ring, playback_id, found.video_id, found.version, expires)
    grant = grants.sign(ring, playback_id, session_id, found.video_id, found.version, now)
    url = f"/media/{token}/{found.video_id}/{found.version}/{MASTER}"
    return Granted(playback_id, url, expires_at, position_s, grant)
