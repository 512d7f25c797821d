"""The old site's files on their way into our storage: each fetched once, stored by its content, remembered."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import db, storage
from app.articles import old_addresses, picture_sizes, pictures
from app.clock import utcnow
from app.errors import BadInput
from app.i18n import N_, _
from app.moving.models import Arrival
from app.moving.wordpress import addresses, lacking, media
from app.moving.wordpress.folder import pixels
from app.moving.wordpress.report import Report

KIND = "file"
LATER = N_("Files that are fetched from the old site once this is imported")
# Stands for their addresses in a run that writes nothing.
SOMEWHERE = "/pictures/later"
INSTEAD = N_("Files that are there under another name, in a smaller size or as before an edit: taken instead")
STILL = N_("Moving pictures that are no GIF, or a large one: here their first picture stands still")
MISSING = N_("Files that could not be had: their old address stays in the text")


class Files:
    """Gives files their address here. `is_dry`: everything is looked at, nothing is stored."""

    def __init__(self, source: media.Source, site: str, report: Report, *, is_dry: bool) -> None:
        self._source = source
        self._site = site
        self._report = report
        self._index = report.index
        self._is_dry = is_dry
        # What this article's transaction has to write down.
        self._new: dict[str, str] = {}

    async def here(self, upload: str) -> str | None:
        """The address here of a file below the old uploads folder, or None when it cannot be had."""
        key = upload if len(upload) < 500 else upload[-500:]
        known = self._index.files.known(key)
        if known is None:
            known = await self._arrived(key) or await self._fetched(upload, key)
        if (attachment := self._index.attachment_of(upload)) is not None:
            self._index.use(attachment, is_here=bool(known[0]))
        return known[0] or None

    async def _arrived(self, key: str) -> tuple[str, str] | None:
        """What an earlier run has stored."""
        async with db.transaction() as session:
            path = await session.scalar(
                select(Arrival.target).where(
                    Arrival.source == self._site, Arrival.kind == KIND, Arrival.foreign_id == key
                )
            )
        if path is None or await storage.size(pictures.key_of(path.rpartition("/")[2])) is None:
            return None
        self._index.files.set(key, path)
        return path, ""

    async def _fetched(self, upload: str, key: str) -> tuple[str, str]:
        try:
            name, made, moves = await self._made(upload)
        except lacking.Postponed:
            self._index.files.set(key, SOMEWHERE)
            self._report.note(LATER, upload)
            return SOMEWHERE, ""
        except lacking.Lacking as fault:
            why = str(fault)
            self._index.files.set(key, "", why)
            self._report.note(MISSING, f"{upload}: {why}")
            return "", why
        is_smaller = pixels(name) > 0 and pixels(upload) == 0
        if is_smaller or addresses.is_edited(upload) > addresses.is_edited(name):
            self._report.note(INSTEAD, f"{upload}: {name}")
        if moves and not made.path.endswith(".gif"):
            self._report.note(STILL, upload)
        if not self._is_dry:
            await pictures.store(made)
        self._new[key] = made.path
        self._index.files.set(key, made.path)
        return made.path, ""

    async def _made(self, upload: str) -> tuple[str, pictures.Made, bool]:
        """The best file that there is of it: under which name, ready to be stored, and whether it moves.

        Raises:
            Lacking: there is none; for the reason that says most.
        """
        reason: lacking.Lacking | None = None
        for name in await self._source.names(upload, is_whole=self._index.is_whole(upload)):
            try:
                data = await self._source.read(name)
                return name, await pictures.make(data), pictures.moves(data)
            except (lacking.Silent, lacking.Postponed):
                raise
            except lacking.Lacking as fault:
                found: lacking.Lacking = fault
            except BadInput as refused:
                found = lacking.Lacking(lacking.said_of(data, str(refused)))
            # That one name is not there says less than what is wrong with another.
            if reason is None or (
                isinstance(reason, lacking.Absent) and not isinstance(found, lacking.Absent)
            ):
                reason = found
        raise reason or lacking.Absent(_("not in the folder"))

    async def write_down(self, session: AsyncSession, uploads_path: str) -> None:
        """In the article's transaction: which file became which, and that its old address leads there."""
        for key, path in self._new.items():
            await session.execute(
                insert(Arrival)
                .values(
                    source=self._site, kind=KIND, foreign_id=key, target=path, digest="", arrived_at=utcnow()
                )
                .on_conflict_do_update(
                    index_elements=[Arrival.source, Arrival.kind, Arrival.foreign_id], set_={"target": path}
                )
            )
            # Other sizes of an old picture are found by the whole one's name.
            await picture_sizes.begin(session, path.rpartition("/")[2])
            names = (key, addresses.full_size(key))
            await old_addresses.remember_target(session, [f"{uploads_path}/{name}" for name in names], path)
        self._report.changes += len(self._new)
        self._new = {}

    def forget_new(self) -> None:
        """Where nothing of the article is written."""
        self._new = {}
