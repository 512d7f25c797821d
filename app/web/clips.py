"""Free clips, for everybody: the files, and their place in an article's text."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.permissions import Permission
from app.articles.markdown import CLIP_HERE
from app.catalog import clips as queries
from app.catalog.clips import ShownClip
from app.db import Db
from app.errors import NotFound
from app.templating import environment
from app.video import clip_rules
from app.video.captioning import language_name
from app.web import stored
from app.web.guard import needs

router = APIRouter(prefix="/clips", dependencies=[needs(Permission.PUBLIC)], tags=["articles"])

# A file under an address is always the same one; a day, because a clip can be deleted.
CACHE = "public, max-age=86400"


@dataclass(frozen=True)
class ClipView:
    """A clip as `articles/_clip.html` shows it."""

    clip: ShownClip

    @property
    def url(self) -> str:
        return f"/clips/{self.clip.id}/{self.clip.turn}"

    @property
    def language_name(self) -> str:
        return language_name(self.clip.language)


@router.get("/{clip_id}/{turn}/{name}")
async def file(clip_id: UUID, turn: int, name: str, request: Request, db: Db) -> Response:
    """GET /clips/{id}/{turn}/{clip.mp4|poster.jpg|captions.vtt}: in ranges where they are asked for."""
    clip = await queries.ready(db, clip_id)
    if clip is None or clip.turn != turn or name not in clip_rules.KINDS:
        raise NotFound
    kind = clip_rules.KINDS[name]
    if name == clip_rules.CAPTIONS:
        if not clip.vtt:
            raise NotFound
        return Response(clip.vtt, media_type=kind, headers={"Cache-Control": CACHE})
    return await stored.ranged(request, f"{clip_rules.folder(clip)}/{name}", kind, CACHE)


def names_in(body_html: str) -> list[str]:
    """The clips that a text names, in order, once each."""
    return list(dict.fromkeys(CLIP_HERE.findall(body_html)))


async def shown_in(db: AsyncSession, body_html: str) -> list[ClipView]:
    """The clips that a text names and that are ready, in order."""
    names = names_in(body_html)
    known = {clip.name: clip for clip in await queries.named(db, names)} if names else {}
    return [ClipView(known[name]) for name in names if name in known]


def with_clips(body_html: str, shown: Collection[ClipView]) -> str:
    """The text with each clip where it is named; one that is not among them leaves nothing."""
    by_name = {view.clip.name: view for view in shown}
    macro = environment().get_template("articles/_clip.html").module

    def put(found: re.Match[str]) -> str:
        view = by_name.get(found[1])
        return str(macro.clip(view)) if view else ""  # type: ignore[attr-defined]

    return CLIP_HERE.sub(put, body_html)
