"""What has changed about videos, and drafts of captions, since a listener last asked: any process may tell it."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from app import db
from app.video import words
from app.video.captions_models import CaptionDraft
from app.video.models import Upload, Video

# A change is seen when its transaction commits, which may be a little after the time written into it.
OVERLAP = timedelta(seconds=5)
MOST = 200
WRITTEN = ("queued", "running")
GONE = "gone"


@dataclass(frozen=True)
class News:
    """How one video stands; `stage`, `failure` and `beginning` are sentences in the listener's language."""

    id: UUID
    upload_id: UUID | None
    state: str
    stage: str
    percent: int
    failure: str | None
    beginning: str

    def to_json(self) -> dict[str, Any]:
        facts = asdict(self)
        return {
            **facts,
            "id": str(self.id),
            "upload_id": str(self.upload_id) if self.upload_id else None,
        }


@dataclass(frozen=True)
class DraftNews:
    """How the draft of a video's captions stands; GONE when it was stopped while a worker wrote it."""

    id: UUID
    state: str
    percent: int

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "id": str(self.id)}


class Listener:
    """One open page. It is told all once: what is under way or changed since `since`, then what changes."""

    def __init__(self, since: datetime) -> None:
        self.since = since
        self._told: dict[UUID, News] = {}
        self._drafts: dict[UUID, DraftNews] = {}
        self._is_first = True

    async def news(self) -> list[News]:
        """What this listener does not know yet, in one short transaction."""
        recent = Video.changed_at > self.since - OVERLAP
        wanted = recent if not self._is_first else or_(recent, Video.state.in_(words.BUSY))
        async with db.transaction() as session:
            rows = (
                await session.execute(
                    select(Video, Upload.id)
                    .outerjoin(Upload, Upload.video_id == Video.id)
                    .where(wanted)
                    .order_by(Video.changed_at)
                    .limit(MOST)
                )
            ).all()
        self._is_first = False
        fresh = []
        for video, upload_id in rows:
            self.since = max(self.since, video.changed_at)
            news = news_of(video, upload_id)
            if self._told.get(video.id) != news:
                self._told[video.id] = news
                fresh.append(news)
        return fresh

    async def drafts(self) -> list[DraftNews]:
        """The same of drafts of captions: those that are being written, and what became of them."""
        wanted = or_(CaptionDraft.changed_at > self.since - OVERLAP, CaptionDraft.state.in_(WRITTEN))
        async with db.transaction() as session:
            rows = (
                await session.scalars(
                    select(CaptionDraft).where(wanted).order_by(CaptionDraft.changed_at).limit(MOST)
                )
            ).all()
        found = {row.video_id: DraftNews(row.video_id, row.state, row.percent) for row in rows}
        gone = [
            replace(known, state=GONE)
            for known in self._drafts.values()
            if known.state in WRITTEN and known.id not in found
        ]
        fresh = [news for news in [*found.values(), *gone] if self._drafts.get(news.id) != news]
        self._drafts.update((news.id, news) for news in fresh)
        return fresh


def news_of(video: Video, upload_id: UUID | None) -> News:
    is_busy = video.state in words.BUSY
    return News(
        id=video.id,
        upload_id=upload_id,
        state=video.state,
        stage=words.stage(video) if is_busy else "",
        percent=video.percent,
        failure=words.failure(video),
        beginning=words.beginning(video),
    )
