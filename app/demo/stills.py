"""What the demo's articles show: drawn figures as pictures, and a free clip of a paid lesson."""

import asyncio
import io
import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.accounts.permissions import Viewer
from app.articles import picture_sizes, pictures
from app.demo import stage
from app.demo.exercises import ROOMS
from app.video import clipping
from app.video.clip_rules import Span
from app.video.models import Video

# `![…](still:gluteals)` in a text.
_STILL = re.compile(r"\(still:([a-z-]+)")
# Near the end of the movement, where one sees what it is about.
SHARE = 0.92
CLIP = ("two-seconds", "There, two seconds, and back again", "gluteals", Span(1_600, 8_100))


async def stored(texts: list[str]) -> dict[str, str]:
    """The address of each still that one of the texts names, by its name; drawn and stored."""
    names = sorted({name for text in texts for name in _STILL.findall(text)})
    made = {}
    for name in names:
        picture = await pictures.make(await asyncio.to_thread(_drawn, name))
        await pictures.store(picture)
        made[name] = picture.path
        async with db.transaction() as session:
            await picture_sizes.begin(session, picture.name)
    return made


def shown(text: str, addresses: dict[str, str]) -> str:
    """The text with the stills' addresses in it."""
    return _STILL.sub(lambda found: f"({addresses[found[1]]}", text)


async def add_clip(session: AsyncSession, teacher: Viewer, now: datetime) -> None:
    """Have the clip cut that an article names."""
    name, title, film, span = CLIP
    video_id = await session.scalar(select(Video.id).where(Video.source_filename == f"{film}.mp4"))
    if video_id is not None and not await clipping.names_like(session, name):
        await clipping.add(session, teacher.user_id, video_id, name, title, span, now)


def _drawn(name: str) -> bytes:
    room, figure = ROOMS[name]
    picture = stage.background(room)
    patch, at = stage.paint(picture, figure(SHARE))
    picture.paste(patch, at)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
