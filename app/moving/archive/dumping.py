"""Writes the tables into an archive: a line of JSON for each row, and texts as files of their own."""

import json
import tempfile
from typing import Any, BinaryIO, cast

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.billing.taking_over import NO_PASSWORD
from app.moving.archive import contents, heads, rules
from app.moving.archive.writer import Writer

ROWS_AT_ONCE = 500


async def dump(db: AsyncSession, out: Writer, *, with_passwords: bool) -> dict[str, int]:
    """Write every table as it is in this transaction; how many rows each has.

    PostgreSQL itself writes the JSON, so that nothing is lost on the way through types of another language.
    """
    await db.execute(text("SET LOCAL TIME ZONE 'UTC'"))
    told: dict[str, Any] = {}
    for table in contents.tables():
        with tempfile.TemporaryFile() as spool:
            lines = cast(BinaryIO, spool)
            rows = await _dump(db, table, lines, out, with_passwords=with_passwords)
            out.add_file(f"tables/{table.name}.jsonl", lines)
        told[table.name] = {"rows": rows, "columns": [column.name for column in contents.columns(table)]}
    out.add(rules.CONTENTS, json.dumps(told, indent=1).encode())
    return {name: int(one["rows"]) for name, one in told.items()}


async def _dump(db: AsyncSession, table: Table, lines: BinaryIO, out: Writer, *, with_passwords: bool) -> int:
    count = 0
    asked = text(_select(table, with_passwords=with_passwords)).execution_options(yield_per=ROWS_AT_ONCE)
    async for line in await db.stream_scalars(asked):
        count += 1
        kept = await _apart(db, table, line, out) if table.name in contents.IN_FILES else line
        lines.write(f"{rules.one_line(kept)}\n".encode())
    return count


async def _apart(db: AsyncSession, table: Table, line: str, out: Writer) -> str:
    """The row without its text, which becomes a file."""
    row = json.loads(line)
    body = row.pop(contents.IN_FILES[table.name])
    if body is None:
        return line
    name, head = await heads.OF[table.name](db, row)
    out.add(name, heads.whole(head, body))
    row[contents.file_column(table.name)] = name
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def _select(table: Table, *, with_passwords: bool) -> str:
    """The names are those of our own models."""
    names = []
    for column in contents.columns(table):
        name = f'"{column.name}"'
        is_password = (table.name, column.name) == contents.PASSWORDS
        names.append(f"'{NO_PASSWORD}' AS {name}" if is_password and not with_passwords else name)
    order = ", ".join(f'"{column.name}"' for column in table.primary_key)
    return (
        f'SELECT row_to_json(r)::text FROM (SELECT {", ".join(names)} FROM "{table.name}" ORDER BY {order}) r'  # noqa: S608
    )
