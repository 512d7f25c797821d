"""Server-sent events about videos and drafts of captions: what a studio page shows is true a second later."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.exc import SQLAlchemyError

from app.accounts.permissions import MAY, Permission
from app.clock import utcnow
from app.video.events import DraftNews, Listener, News
from app.web import closing
from app.web.guard import brief_viewer

log = logging.getLogger("limber.web")
router = APIRouter()
LOOK_S = 1.0
# A comment keeps proxies from closing a silent line; at the same time the sign-in is looked at again.
BEAT_LOOKS = 10
# What a page just loaded may have missed while it was on its way.
BEFORE = timedelta(seconds=30)


@router.get("/events")
async def events(request: Request) -> StreamingResponse:
    """GET /studio/videos/events: an event `video` or `draft` for each change; ends with sign-in and server.

    Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
    """
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_lines(request), media_type="text/event-stream", headers=headers)


async def _lines(request: Request) -> AsyncIterator[str]:
    """Each look is one short transaction; nothing is held between two."""
    listener = Listener(_since(request.headers.get("last-event-id", "")))
    yield "retry: 2000\n\n"
    looks = 0
    while not closing.is_closing():
        try:
            if looks % BEAT_LOOKS == 0:
                if looks and not MAY[Permission.STAFF](await brief_viewer(request)):
                    return
                yield ":\n\n"
            for news in await listener.news():
                yield _event("video", news, listener.since)
            for draft in await listener.drafts():
                yield _event("draft", draft, listener.since)
        except SQLAlchemyError as fault:
            # The database is away: the browser comes back by itself, and says where it was.
            log.warning("video events end: %s", type(fault).__name__)
            return
        looks += 1
        await asyncio.sleep(LOOK_S)


def _event(kind: str, news: News | DraftNews, at: datetime) -> str:
    return f"id: {int(at.timestamp() * 1000)}\nevent: {kind}\ndata: {json.dumps(news.to_json())}\n\n"


def _since(last_id: str) -> datetime:
    """Where a listener that was cut off goes on; a day back at most."""
    now = utcnow()
    if last_id.isascii() and last_id.isdigit() and len(last_id) < 16:
        then = datetime.fromtimestamp(int(last_id) / 1000, UTC)
        return min(max(then, now - timedelta(days=1)), now)
    return now - BEFORE
