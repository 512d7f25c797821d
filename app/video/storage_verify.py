"""Compare storage with what the database knows: missing files, files that belong to nothing, and their repair."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from app import db, storage
from app.i18n import N_
from app.video import editing, objects, poster_choice, poster_rules, streams, upload_files, words
from app.video.models import Upload, Video
from app.video.objects import Stored
from app.video.removal import OLD_FOR
from app.video.upload_files import video_id_of

# An encode in progress writes beside the stream that is shown, and a finished upload is stored before its video is.
ORPHAN_FOR = timedelta(days=1)
VIDEOS_AT_ONCE = 100
FOLDERS = ("videos", "sources")
LOST = N_(
    "Files of this video's stream are lost, and its uploaded file with them. Please upload the film again."
)

Say = Callable[[str], None]


@dataclass
class Findings:
    """Counts of one run. `wrong` is what is still wrong at its end; `young` what may yet belong to something."""

    videos: int = 0
    objects: int = 0
    broken: int = 0
    orphans: int = 0
    young: int = 0
    repaired: int = 0
    wrong: int = 0


class WrongDatabase(Exception):
    """The database knows no video while storage is full of them: removing them would be the end of all."""


@dataclass(frozen=True)
class Known:
    """What the database says of one video id. `is_upload`: an upload that is about to become it."""

    version: int = 0
    attempt: int = 0
    is_busy: bool = False
    has_source: bool = True
    ready_at: datetime | None = None
    is_upload: bool = False
    poster_own: str = ""


def why_orphan(entry: Stored, known: Known | None, now: datetime) -> str | None:
    """Why an object under `videos/` or `sources/` belongs to nothing, or None when it does belong."""
    folder, _id, *rest = entry.key.split("/")
    if known is None:
        return "no video has this id"
    if any(part.startswith(".") for part in rest):
        return "half written"
    if known.is_upload:
        return None
    if folder == "sources":
        return None if known.has_source else "the original is not kept"
    if rest[:1] == [poster_rules.OWN]:
        return None if rest[1:2] == [known.poster_own] else "another picture replaced it"
    if not rest or not rest[0].isdecimal() or int(rest[0]) == known.version:
        return None
    version = int(rest[0])
    if version > known.version:
        return None if known.is_busy and version == known.attempt else "no stream came of it"
    is_watched = known.ready_at is not None and known.ready_at > now - OLD_FOR
    return None if is_watched else "a newer stream replaced it"


async def verify(now: datetime, say: Say, *, repair: bool = False) -> Findings:
    """Look at every video's stream and source, then at every object. Memory is bounded by batches.

    Each thing that is wrong is said in one line. With `repair`, orphans older than ORPHAN_FOR are deleted, and a
    video whose stream lacks files is queued again from its source, or fails in words when that is lost too.

    Raises:
        WrongDatabase: asked to repair with a database that knows no video at all.
    """
    found = Findings()
    if repair:
        await _check_database()
    async for video in _videos():
        found.videos += 1
        await _check_video(video, found, now, say, repair=repair)
        await _check_poster(video, found, now, say, repair=repair)
    for folder in FOLDERS:
        async for batch in objects.batches(folder):
            found.objects += len(batch)
            await _check_batch(batch, found, now, say, repair=repair)
    await _check_uploads(found, now, say, repair=repair)
    return found


async def _check_database() -> None:
    async with db.transaction() as session:
        knows = await session.scalar(select(Video.id).limit(1))
    if knows is None:
        async for _batch in objects.batches("videos"):
            raise WrongDatabase


async def _videos() -> AsyncIterator[Video]:
    last = UUID(int=0)
    while True:
        async with db.transaction() as session:
            some = list(
                await session.scalars(
                    select(Video).where(Video.id > last).order_by(Video.id).limit(VIDEOS_AT_ONCE)
                )
            )
        for video in some:
            yield video
        if len(some) < VIDEOS_AT_ONCE:
            return
        last = some[-1].id


async def _check_video(video: Video, found: Findings, now: datetime, say: Say, *, repair: bool) -> None:
    lacking = await streams.missing(f"videos/{video.id}/{video.version}") if video.version else []
    has_source = bool(video.source_key) and await storage.size(video.source_key) == video.source_bytes
    if video.source_key and not has_source:
        say(f"missing  {video.source_key} (the uploaded file of “{video.title}”)")
    for key in lacking:
        say(f"missing  {key}")
    if not lacking and (has_source or not video.source_key):
        return
    found.broken += 1
    if not (repair and lacking and await _mend(video.id, has_source, now, say)):
        found.wrong += 1
    else:
        found.repaired += 1


async def _check_poster(video: Video, found: Findings, now: datetime, say: Say, *, repair: bool) -> None:
    """The chosen picture, where it is none that every stream has; repaired by letting Limber choose again."""
    place = poster_rules.folder(video.id, video)
    if not video.version or place == f"videos/{video.id}/{video.version}":
        return
    lacking = [key for name in poster_rules.NAMES if not await storage.size(key := f"{place}/{name}")]
    for key in lacking:
        say(f"missing  {key}")
    if not lacking:
        return
    found.broken += 1
    if not repair:
        found.wrong += 1
        return
    async with db.transaction() as session:
        await poster_choice.give_up(session, video.id, now)
    found.repaired += 1
    say(f"repaired Limber chooses the poster of “{video.title}”")


async def _mend(video_id: UUID, has_source: bool, now: datetime, say: Say) -> bool:
    """Queue the video again, or let it fail in words; whether it will be whole."""
    async with db.transaction() as session:
        video = await session.get(Video, video_id, with_for_update=True)
        if video is None:
            return True
        if video.state in words.BUSY:
            say(f"         “{video.title}” is being encoded already")
            return True
        if has_source:
            await editing.retry(session, None, video_id, now)
            say(f"repaired “{video.title}” waits to be encoded again")
            return True
        video.state, video.stage, video.changed_at = "failed", "", now
        video.failure, video.failure_words = LOST, {"message": LOST, "params": {}}
    say(f"         “{video.title}” cannot be repaired: {LOST}")
    return False


async def _check_batch(
    batch: Sequence[Stored], found: Findings, now: datetime, say: Say, *, repair: bool
) -> None:
    ids = {video_id for entry in batch if (video_id := id_in(entry.key))}
    known = await _known(ids)
    gone: list[str] = []
    for entry in batch:
        video_id = id_in(entry.key)
        why = why_orphan(entry, known.get(video_id) if video_id else None, now)
        if why is None:
            continue
        if entry.changed_at > now - ORPHAN_FOR:
            found.young += 1
            continue
        found.orphans += 1
        say(f"{'removed ' if repair else 'orphan  '} {entry.key} ({why})")
        gone.append(entry.key)
    if repair and gone:
        await objects.delete(gone)
        found.repaired += len(gone)
    else:
        found.wrong += len(gone)


async def _check_uploads(found: Findings, now: datetime, say: Say, *, repair: bool) -> None:
    """Files of uploads that no row knows, on this machine."""
    for path in await asyncio.to_thread(_upload_files):
        upload_id = id_in(f"uploads/{path.name}/")
        async with db.transaction() as session:
            upload = None if upload_id is None else await session.get(Upload, upload_id)
        if upload is not None:
            continue
        if await asyncio.to_thread(_changed_at, path) > now - ORPHAN_FOR:
            found.young += 1
            continue
        found.orphans += 1
        say(f"{'removed ' if repair else 'orphan  '} uploads/{path.name} (no upload has this id)")
        if repair:
            await asyncio.to_thread(path.unlink, missing_ok=True)
            found.repaired += 1
        else:
            found.wrong += 1


def _upload_files() -> list[Path]:
    folder = upload_files.folder()
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []


def _changed_at(path: Path) -> datetime:
    """Of a file that is gone meanwhile: just now."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return datetime.now(UTC)


def id_in(key: str) -> UUID | None:
    """The video's id in `videos/{id}/…` or `sources/{id}/…`."""
    parts = key.split("/")
    try:
        return UUID(parts[1]) if len(parts) > 2 else None
    except ValueError:
        return None


async def _known(ids: set[UUID]) -> dict[UUID, Known]:
    async with db.transaction() as session:
        rows = await session.scalars(select(Video).where(Video.id.in_(ids)))
        known = {
            video.id: Known(
                version=video.version,
                attempt=video.attempt,
                is_busy=video.state in words.BUSY,
                has_source=bool(video.source_key),
                ready_at=video.ready_at,
                poster_own=video.poster_own,
            )
            for video in rows
        }
        # Few: those that expire are swept away.
        async for upload_id in await session.stream_scalars(select(Upload.id)):
            video_id = video_id_of(upload_id)
            if video_id in ids:
                known.setdefault(video_id, Known(is_upload=True))
    return known
