"""`limber export`: the whole site in one open file, while it goes on running."""

import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import db, storage
from app.accounts import audit
from app.errors import Conflict, Unavailable
from app.i18n import _
from app.moving.archive import contents, dumping, people, readme, rules
from app.moving.archive.rules import Known
from app.moving.archive.writer import Writer
from app.practice.queries import practice
from app.settings import get_settings
from app.video import objects
from app.video.models import Video

# What is written besides the stored files: guessed generously, for the question whether there is room.
TABLES_BYTES = 50_000_000
MISSING_SHOWN = 200

Say = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """`with_streams`: also what is made of the films, so that restoring has nothing to encode."""

    with_streams: bool = False
    with_passwords: bool = True


@dataclass
class Done:
    """What an archive holds. `missing`: keys of files that the database names and the storage did not have."""

    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    file_bytes: int = 0
    bytes: int = 0
    missing: list[str] = field(default_factory=list)


async def export_to(path: Path, wanted: Wanted, now: datetime, say: Say) -> Done:
    """Write the archive to a file that does not exist yet; it has its name only once it is whole.

    Raises:
        Conflict: the file is there already.
        Unavailable: there is no room for it, or a stored file cannot be read.
    """
    part = _part_of(path)
    try:
        with _opened(part) as out:
            done = await export(out, wanted, now, say, room=lambda: shutil.disk_usage(part.parent).free)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    except OSError as fault:
        part.unlink(missing_ok=True)
        raise Unavailable(
            _("The archive could not be written: %(why)s. Nothing is left of it.")
            % {"why": fault.strerror or fault}
        ) from fault
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    async with db.transaction() as session:
        audit.record(session, None, "archive.export", "site", path.name[:64], passwords=wanted.with_passwords)
    return done


async def export(
    out: BinaryIO, wanted: Wanted, now: datetime, say: Say, *, room: Callable[[], int] | None = None
) -> Done:
    """Write the archive. Tables are of one moment; files are those of that moment that are still there.

    `room`: bytes that are free where it goes, where that can be known.

    Raises:
        Unavailable: there is no room, or a stored file cannot be read.
        OSError: `out` cannot be written.
    """
    done = Done()
    async with db.transaction() as session:
        films = await _films(session)
    await _check(films, wanted, done, room)
    with Writer(out, now) as writer:
        async with db.transaction() as session:
            await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            films = await _films(session)
            await _head(session, writer, wanted, now, done)
            done.rows = await dumping.dump(session, writer, with_passwords=wanted.with_passwords)
            await people.write(session, writer)
        say(
            _("%(rows)s rows of %(tables)s tables are written, %(files)s files (%(mb)s MB) follow.")
            % {
                "rows": f"{sum(done.rows.values()):,}",
                "tables": len(done.rows),
                "files": f"{done.files:,}",
                "mb": f"{done.file_bytes / 1e6:,.0f}",
            }
        )
        await _files(writer, films, wanted, done, say)
        writer.finish()
        done.bytes = writer.bytes
    return done


def _part_of(path: Path) -> Path:
    """Where it is while it is being written: in sight, should this process be killed."""
    if path.exists():
        raise Conflict(_("%(name)s is there already. Give another name.") % {"name": path})
    return path.with_name(f"{path.name}.part")


def _opened(part: Path) -> BinaryIO:
    """For nobody else on this machine: it holds everything."""
    return os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb")


async def _films(session: AsyncSession) -> dict[UUID, Known]:
    rows = await session.execute(select(Video.id, Video.version, Video.source_key, Video.poster_own))
    return {row.id: Known(row.version, row.source_key, row.poster_own) for row in rows}


async def _check(
    films: dict[UUID, Known], wanted: Wanted, done: Done, room: Callable[[], int] | None
) -> None:
    """Count what will be written, and say now whether there is room for it and what is not there."""
    masters = set()
    async for key, size in _taken(films, wanted):
        done.files += 1
        done.file_bytes += size
        if key.endswith(f"/{rules.MASTER}") or key.startswith("sources/"):
            masters.add(key)
    for video_id, film in films.items():
        if film.source_key and film.source_key not in masters:
            done.missing.append(film.source_key)
        stream = f"videos/{video_id}/{film.version}/{rules.MASTER}"
        if film.version and (wanted.with_streams or not film.source_key) and stream not in masters:
            done.missing.append(stream)
    if room is not None and room() < done.file_bytes + TABLES_BYTES:
        raise Unavailable(
            _("There is no room for the archive: it will have about %(mb)s MB.")
            % {"mb": f"{(done.file_bytes + TABLES_BYTES) / 1e6:,.0f}"}
        )


async def _head(session: AsyncSession, out: Writer, wanted: Wanted, now: datetime, done: Done) -> None:
    site = (await practice(session)).site_name
    schema = await session.scalar(text("SELECT version_num FROM alembic_version"))
    about = {
        "format": rules.FORMAT,
        "made_at": now.isoformat(),
        "limber": version("limber"),
        "schema": schema,
        "site": site,
        "address": get_settings().base_url,
        "with_streams": wanted.with_streams,
        "with_passwords": wanted.with_passwords,
        "left_out": dict(contents.LEFT_OUT),
    }
    out.add(rules.ABOUT, json.dumps(about, indent=1, ensure_ascii=False).encode())
    words = readme.words(
        site=site,
        address=get_settings().base_url,
        day=f"{now:%Y-%m-%d %H:%M} UTC",
        format_number=rules.FORMAT,
        with_streams=wanted.with_streams,
        with_passwords=wanted.with_passwords,
        left_out=contents.LEFT_OUT,
        missing=done.missing[:MISSING_SHOWN],
    )
    out.add(rules.README, words)


async def _taken(films: dict[UUID, Known], wanted: Wanted) -> AsyncIterator[tuple[str, int]]:
    """(key, size) of each stored file that goes into the archive."""
    async for batch in objects.batches():
        for entry in batch:
            if rules.is_taken(entry.key, films, with_streams=wanted.with_streams):
                yield entry.key, entry.size_bytes


async def _files(out: Writer, films: dict[UUID, Known], wanted: Wanted, done: Done, say: Say) -> None:
    said = 0
    done.files = done.file_bytes = 0
    async for key, size in _taken(films, wanted):
        pieces = storage.read(key)
        try:
            first = await anext(pieces, b"")
        except FileNotFoundError:
            continue  # deleted since it was listed, and so is its row
        out.begin(f"media/{key}", size)
        try:
            out.take(first)
            async for piece in pieces:
                out.take(piece)
            out.end()
        except ValueError as fault:
            raise Unavailable(
                _("%(key)s changed while it was read. Please run this again.") % {"key": key}
            ) from fault
        done.files += 1
        done.file_bytes += size
        if done.file_bytes - said > 500_000_000:
            said = done.file_bytes
            say(_("%(mb)s MB of files are written.") % {"mb": f"{said / 1e6:,.0f}"})
