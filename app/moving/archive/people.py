"""The members as a table that any spreadsheet opens: a copy for reading, which restoring does not look at."""

import csv
import io
import tempfile
from typing import BinaryIO, cast

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.moving.archive import rules
from app.moving.archive.writer import Writer

COLUMNS = ("email", "name", "role", "joined", "confirmed", "banned", "stripe_customer", "watches_until")
_PEOPLE = text("""
    SELECT u.email, u.name, u.role, u.created_at::text, coalesce(u.email_confirmed_at::text, ''),
        coalesce(u.banned_at::text, ''), coalesce(c.id, ''),
        (SELECT CASE WHEN count(*) = 0 THEN '' WHEN bool_or(e.ends_at IS NULL) THEN 'no end'
            ELSE max(e.ends_at)::text END FROM entitlement e WHERE e.user_id = u.id AND e.revoked_at IS NULL)
    FROM user_account u LEFT JOIN stripe_customer c ON c.user_id = u.id ORDER BY u.created_at, u.id
""")


async def write(db: AsyncSession, out: Writer) -> None:
    with tempfile.TemporaryFile() as spool:
        file = cast(BinaryIO, spool)
        file.write(_line(COLUMNS))
        async for row in await db.stream(_PEOPLE.execution_options(yield_per=500)):
            file.write(_line(row))
        out.add_file(rules.PEOPLE, file)


def _line(values: object) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow([_plain(str(value)) for value in values])  # type: ignore[attr-defined]
    return out.getvalue().encode()


def _plain(value: str) -> str:
    """A name is no formula, whatever it begins with."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
