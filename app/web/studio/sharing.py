"""The studio's page of members who watched from unusually many networks: to have a look, never to end anything."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from app.accounts.rules import network_name
from app.clock import utcnow
from app.db import Db
from app.playback import dismissing, queries
from app.playback.queries import SpreadMember
from app.playback.spread import MOST, Watched
from app.web.guard import SignedIn
from app.web.pages import Page

router = APIRouter(prefix="/members/sharing")


@dataclass(frozen=True)
class NetworkLine:
    """One network of that day: on which devices, from when until when viewings began there, and how many."""

    name: str
    devices: tuple[str, ...]
    first_at: datetime
    last_at: datetime
    viewings: int


@dataclass(frozen=True)
class MemberLines:
    """A member to have a look at. `devices`: how many sign-ins."""

    user_id: UUID
    name: str
    email: str
    networks: int
    devices: int
    first_at: datetime
    lines: tuple[NetworkLine, ...]


@dataclass(frozen=True)
class SharingPage:
    """`most`: networks in a day that are nothing unusual. `is_done`: one was found fine a moment ago."""

    members: list[MemberLines]
    most: int
    is_done: bool


@router.get("")
async def sharing(page: Page, db: Db, done: str = "") -> Response:
    """GET /studio/members/sharing."""
    found = await queries.spread_members(db, utcnow())
    shown = SharingPage([_lines(one) for one in found], MOST, done == "fine")
    return await page.show("studio/members/sharing.html", shown)


@router.post("/{user_id}/fine")
async def fine(user_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/members/sharing/{id}/fine: not shown again for what was until now."""
    await dismissing.dismiss(db, viewer.user_id, user_id, utcnow())
    return RedirectResponse("/studio/members/sharing?done=fine", 303)


def _lines(member: SpreadMember) -> MemberLines:
    watched = member.spread.watched
    networks = dict.fromkeys(one.network for one in watched)
    lines = tuple(_line(name, [one for one in watched if one.network == name]) for name in networks)
    return MemberLines(
        user_id=member.user_id,
        name=member.name,
        email=member.email,
        networks=len(networks),
        devices=member.spread.devices,
        first_at=watched[0].at,
        lines=lines,
    )


def _line(network: str, seen: list[Watched]) -> NetworkLine:
    devices = tuple(dict.fromkeys(one.device for one in seen))
    return NetworkLine(network_name(network), devices, seen[0].at, seen[-1].at, len(seen))
