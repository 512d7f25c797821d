"""`limber restore`: the site of an archive on an empty server; files one by one, the database whole or not at all."""

import hashlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import db, storage
from app.accounts import audit
from app.errors import Conflict, Unavailable
from app.i18n import N_, _
from app.moving.archive import contents, loading, rules
from app.moving.archive.reader import Archive, Entry
from app.settings import get_settings
from app.video import objects, storage_move
from app.video.captions_models import CaptionDraft
from app.video.models import Video
from app.video.queueing import enqueue_transcode
from app.video.storage_verify import LOST

LOCK = "restore"
SAID_EVERY = 500_000_000
DRAFT_LOST = N_("This was being written when the site moved. Please begin again.")

Say = Callable[[str], None]


class NotEmpty(Conflict):
    """This server has a site already."""

    code = "not-empty"


@dataclass
class Plan:
    """What restoring would do."""

    site: str
    address: str
    made_at: str
    rows: int
    tables: int
    files: int
    file_bytes: int
    with_streams: bool
    with_passwords: bool
    columns: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Done:
    """`kept`: files that were there already, from a run that was stopped."""

    rows: dict[str, int] = field(default_factory=dict)
    written: int = 0
    kept: int = 0
    encoding: int = 0
    lost: list[str] = field(default_factory=list)


async def restore(path: Path, now: datetime, say: Say, go_on: Callable[[Plan], bool]) -> Done | None:
    """Check all of the archive, tell `go_on` what would be done, and do it. None: it said no.

    Stopped among the files, the next run goes on there; the database is written in one transaction at the end.

    Raises:
        BadArchive: the file is not a whole archive; nothing was written.
        NotEmpty: there is a site here already; nothing was written.
        Conflict: another restore is running.
        Unavailable: there is no room.
    """
    with (
        tempfile.TemporaryDirectory(prefix="limber-restore-") as scratch,
        Archive(path, Path(scratch)) as archive,
    ):
        plan = _plan(archive)
        async with db.try_lock(LOCK) as is_ours:
            if not is_ours:
                raise Conflict(_("Another restore is running."))
            async with db.transaction() as session:
                await _check_empty(session)
            await _check_storage(archive)
            _check_room(plan)
            check(archive, say)
            if not go_on(plan):
                return None
            await _try(archive, plan, now)
            done = Done()
            await _files(archive, plan, done, say)
            say(_("The database is being written."))
            async with db.transaction() as session:
                await _database(session, archive, plan, done, now)
                await loading.count_on(session)
    return done


class _OnlyTried(Exception):
    """Ends a transaction that nobody wants to keep."""


async def _try(archive: Archive, plan: Plan, now: datetime) -> None:
    """Rows that do not fit are found before the first of perhaps many gigabytes is copied."""
    with suppress(_OnlyTried):
        async with db.transaction() as session:
            await _database(session, archive, plan, Done(), now)
            raise _OnlyTried


def check(archive: Archive, say: Say) -> None:
    """Read all of it and compare the sums.

    Raises:
        BadArchive: something differs.
    """
    said = 0

    def tell(done: int) -> None:
        nonlocal said
        if done - said >= SAID_EVERY:
            said = done
            say(
                _("Checked %(done)s of %(all)s MB.")
                % {"done": f"{done / 1e6:,.0f}", "all": f"{archive.bytes / 1e6:,.0f}"}
            )

    archive.check(tell)


def check_file(path: Path, say: Say) -> Plan:
    """What an archive holds, once all of it was found whole. Needs no database.

    Raises:
        BadArchive: it is not.
    """
    with (
        tempfile.TemporaryDirectory(prefix="limber-restore-") as scratch,
        Archive(path, Path(scratch)) as archive,
    ):
        plan = _plan(archive)
        check(archive, say)
        return plan


def _plan(archive: Archive) -> Plan:
    archive.look()
    columns = loading.planned(archive)
    about, told = archive.about, archive.json(rules.CONTENTS)
    rows = [one.get("rows") for one in told.values()]
    media = [entry.size for entry in archive.entries("media")]
    return Plan(
        site=str(about.get("site", "")),
        address=str(about.get("address", "")),
        made_at=str(about.get("made_at", ""))[:16].replace("T", " "),
        rows=sum(count for count in rows if isinstance(count, int)),
        tables=len(columns),
        files=len(media),
        file_bytes=sum(media),
        with_streams=bool(about.get("with_streams")),
        with_passwords=bool(about.get("with_passwords")),
        columns=columns,
    )


async def _check_empty(session: AsyncSession) -> None:
    for table in contents.tables():
        if await session.scalar(text(f'SELECT EXISTS (SELECT 1 FROM "{table.name}")')):  # noqa: S608
            raise NotEmpty(
                _(
                    "This server has a site already (the table %(table)s is not empty). Restore into an empty database:"
                    " nothing here was changed."
                )
                % {"table": table.name}
            )


async def _check_storage(archive: Archive) -> None:
    """Only files of this very archive may be there: those that a run which was stopped has written."""
    async for batch in objects.batches():
        for entry in filter(storage_move.is_carried, batch):
            if archive.find(f"media/{entry.key}") is None:
                raise NotEmpty(
                    _(
                        "The storage holds files of another site (%(key)s). Restore into an empty one: nothing here"
                        " was changed."
                    )
                    % {"key": entry.key}
                )


def _check_room(plan: Plan) -> None:
    place = storage.local_path("media")
    if place is None:
        return
    folder = get_settings().data_dir
    folder.mkdir(parents=True, exist_ok=True)
    there = sum(path.stat().st_size for path in get_settings().media_dir.rglob("*") if path.is_file())
    if shutil.disk_usage(folder).free + there < plan.file_bytes:
        raise Unavailable(
            _("There is no room for its files: they have %(mb)s MB.")
            % {"mb": f"{plan.file_bytes / 1e6:,.0f}"}
        )


async def _files(archive: Archive, plan: Plan, done: Done, say: Say) -> None:
    passed = said = 0
    for entry in archive.entries("media"):
        key = entry.name.removeprefix("media/")
        if await _is_there(key, entry):
            done.kept += 1
        else:
            await storage.put_stream(key, _pieces(archive, entry), entry.size)
            done.written += 1
        passed += entry.size
        if passed - said >= SAID_EVERY:
            said = passed
            say(
                _("%(done)s of %(all)s MB of files are here.")
                % {"done": f"{passed / 1e6:,.0f}", "all": f"{plan.file_bytes / 1e6:,.0f}"}
            )


async def _is_there(key: str, entry: Entry) -> bool:
    if await storage.size(key) != entry.size:
        return False
    digest = hashlib.sha256()
    async for piece in storage.read(key):
        digest.update(piece)
    return digest.hexdigest() == entry.sha256


async def _pieces(archive: Archive, entry: Entry) -> AsyncIterator[bytes]:
    for piece in archive.pieces(entry):
        yield piece


async def _database(session: AsyncSession, archive: Archive, plan: Plan, done: Done, now: datetime) -> None:
    # Nobody joins between the look and the writing.
    names = ", ".join(f'"{table.name}"' for table in contents.tables())
    await session.execute(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))
    await _check_empty(session)
    done.rows = await loading.load(session, archive, plan.columns)
    await _films(session, archive, done, now)
    await session.execute(
        update(CaptionDraft)
        .where(CaptionDraft.state.in_(("queued", "running")))
        .values(state="failed", error=DRAFT_LOST, percent=0)
    )
    audit.record(session, None, "archive.restore", "site", plan.site[:64], made_at=plan.made_at)
    await session.flush()
    await session.execute(text("ANALYZE"))


async def _films(session: AsyncSession, archive: Archive, done: Done, now: datetime) -> None:
    """Each film as far as the archive has it; what must be encoded is queued in the same transaction."""
    for video_id in list(await session.scalars(select(Video.id).order_by(Video.created_at, Video.id))):
        video = await session.get_one(Video, video_id)
        has_original = bool(video.source_key) and archive.find(f"media/{video.source_key}") is not None
        stream = f"media/videos/{video.id}/{video.version}/{rules.MASTER}"
        has_stream = video.version > 0 and archive.find(stream) is not None
        if not has_original:
            video.source_key = ""
        if video.poster_own and not any(archive.entries(f"media/videos/{video.id}/own/{video.poster_own}")):
            video.poster_choice, video.poster_own = "auto", ""
        found = rules.standing(video.state, video.version, has_original=has_original, has_stream=has_stream)
        if found is rules.Standing.AS_IT_WAS:
            continue
        if not has_stream:
            video.version, video.renditions, video.poster_times = 0, [], []
        video.begun_version, video.begun_s, video.parts = 0, 0.0, {}
        video.stage, video.percent, video.changed_at = "", 0, now
        if found is rules.Standing.LOST:
            video.state, video.failure, video.failure_words = "failed", LOST, {"message": LOST, "params": {}}
            done.lost.append(video.title)
            continue
        video.state, video.failure, video.failure_words = "queued", None, {}
        video.attempt += 1
        await session.flush()
        await enqueue_transcode(session, video.id, video.attempt)
        done.encoding += 1
    await session.flush()
