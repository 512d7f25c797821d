"""Put the encoding of a video into the queue: one piece of durable work for each video and attempt."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import jobs


def workflow_id(video_id: UUID, attempt: int) -> str:
    return f"transcode:{video_id}:{attempt}"


async def enqueue_transcode(session: AsyncSession, video_id: UUID, attempt: int) -> None:
    """Durable work that makes the stream, in the caller's transaction; a second call for an attempt does nothing."""
    await jobs.enqueue(
        session,
        "transcode",
        {"video_id": str(video_id), "attempt": attempt},
        queue=jobs.FILMS,
        workflow_id=workflow_id(video_id, attempt),
    )
