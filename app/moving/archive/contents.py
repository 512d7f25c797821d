"""Which tables an archive holds: all but those named here with their reasons; and the columns that are files in it."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Column, Table

from app.db import Base

# A test fails when a table of the models is neither exported nor named here.
LEFT_OUT: Mapping[str, str] = {
    "attempt": "counts of tries at signing in, worth a few minutes",
    "billing_rehearsal": "what a rehearsal showed of the server that it was played on",
    "import_run": "exports of another site that were sent here, kept for some days",
    "media_key": "halves of keys; a new server makes its own",
    "playback": "films being watched at that moment, each bound to a sign-in",
    "spent_stamp": "forms that were sent in the last minutes, so that none counts twice",
    "upload": "uploads that were not finished; they begin again",
    "upload_part": "as the uploads that they belong to",
    "user_session": "signed-in devices: everybody signs in once again",
    "worker_heartbeat": "processes of the server that was",
}
# Text that people should be able to read and use without a database: kept in a file, and there only.
IN_FILES: Mapping[str, str] = {
    "article": "body_md",
    "course": "body_md",
    "lesson": "body_md",
    "caption_track": "vtt",
}
# Instead of a password's hash, when they are left out: nothing that is typed matches it.
PASSWORDS = ("user_account", "password_hash")


def tables() -> Sequence[Table]:
    """Those that are exported, each after those that its foreign keys lead to."""
    return [table for table in Base.metadata.sorted_tables if table.name not in LEFT_OUT]


def columns(table: Table) -> list[Column[object]]:
    """What is written down of a table; PostgreSQL makes the rest of it."""
    return [column for column in table.columns if column.computed is None]


def file_column(table: str) -> str | None:
    """How the column is called that names the file, instead of the one whose text is in it."""
    kept = IN_FILES.get(table)
    return f"{kept}_file" if kept else None
