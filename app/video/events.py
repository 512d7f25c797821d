"""What has changed about videos since a listener last asked, read from the database: any process may tell it."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from app import db
from app.video import words
from app.video.models import Upload, Video

# A change is seen when its transaction commits, which may be a little after the time written into it.
OVERLAP = timedelta(seconds=5)
MOST = 200


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


class Listener:
    """One open page. It is told all once: what is under way or changed since `since`, then what changes."""

    def __init__(self, since: datetime) -> None:
        self.since = since
        self._told: dict[UUID, News] = {}
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
