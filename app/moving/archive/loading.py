"""Reads the tables of an archive into an empty database: in the caller's one transaction, PostgreSQL reads the JSON."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from sqlalchemy import Column, Table, bindparam, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.i18n import _
from app.moving.archive import contents, heads
from app.moving.archive.reader import Archive, BadArchive, newer

_STAGE = "CREATE TEMPORARY TABLE restoring (line text) ON COMMIT DROP"


def planned(archive: Archive) -> dict[str, list[str]]:
    """The columns that the archive has of each table.

    Raises:
        BadArchive: there are tables or columns that this Limber does not know, or they cannot be read.
    """
    told = archive.json("tables/contents.json")
    tables = {table.name: table for table in contents.tables()}
    found: dict[str, list[str]] = {}
    for name, one in told.items() if isinstance(told, dict) else ():
        if name in contents.LEFT_OUT:
            continue
        named = one.get("columns") if isinstance(one, dict) else None
        if not isinstance(named, list) or not all(isinstance(column, str) for column in named):
            raise BadArchive(_("%(name)s in this archive cannot be read.") % {"name": "tables/contents.json"})
        if name not in tables:
            raise newer(f"tables/{name}")
        known = {column.name for column in contents.columns(tables[name])}
        for column in named:
            if column not in known:
                raise newer(f"{name}.{column}")
        if archive.find(f"tables/{name}.jsonl") is None:
            raise BadArchive(_("This archive lacks %(name)s.") % {"name": f"tables/{name}.jsonl"})
        found[name] = named
    if not found:
        raise BadArchive(_("%(name)s in this archive cannot be read.") % {"name": "tables/contents.json"})
    return found


async def load(db: AsyncSession, archive: Archive, columns: Mapping[str, list[str]]) -> dict[str, int]:
    """Write every row; how many of each table.

    Raises:
        BadArchive: a row does not fit; the transaction is to be given up.
    """
    await db.execute(text(_STAGE))
    done: dict[str, int] = {}
    for table in contents.tables():
        if table.name in columns:
            try:
                done[table.name] = await _load(db, archive, table, columns[table.name])
            except DBAPIError as fault:
                raise BadArchive(
                    _("%(name)s in this archive does not fit this Limber: %(why)s")
                    % {"name": f"tables/{table.name}.jsonl", "why": str(fault.orig).partition("\n")[0]}
                ) from fault
    return done


async def _load(db: AsyncSession, archive: Archive, table: Table, columns: list[str]) -> int:
    raw = await (await db.connection()).get_raw_connection()
    count = 0
    async with (
        raw.driver_connection.cursor() as cursor,  # type: ignore[union-attr]
        cursor.copy("COPY restoring (line) FROM STDIN") as copy,
    ):
        async for line in _lines(archive, table):
            count += 1
            await copy.write_row((line,))
    await db.execute(*_insert(table, columns))
    await db.execute(text("TRUNCATE restoring"))
    return count


async def _lines(archive: Archive, table: Table) -> AsyncIterator[str]:
    entry = archive.find(f"tables/{table.name}.jsonl")
    kept, named = contents.IN_FILES.get(table.name), contents.file_column(table.name)
    for line in archive.lines(entry) if entry else ():
        try:
            if kept is None or named is None:
                yield line.decode()
                continue
            row = json.loads(line)
            if named in row:
                file = row.pop(named)
                body = heads.body_of(file, archive.read(file))
                if body is None:
                    raise BadArchive(_("%(name)s in this archive cannot be read.") % {"name": file})
                row[kept] = body
            yield json.dumps(row, ensure_ascii=False)
        except (ValueError, TypeError, AttributeError, RecursionError) as fault:
            raise BadArchive(
                _("%(name)s in this archive cannot be read.") % {"name": f"tables/{table.name}.jsonl"}
            ) from fault


def _insert(table: Table, columns: list[str]) -> tuple[Any, dict[str, Any]]:
    """The statement and its values. What an older archive has no column for gets what a new row would get."""
    values: dict[str, Any] = {}
    names, sources = list(columns), [f'r."{name}"' for name in columns]
    for column in contents.columns(table):
        if column.name not in columns and (column.default is not None or not column.nullable):
            values[column.name] = _default(column)
            names.append(column.name)
            sources.append(f":{column.name}")
    into = ", ".join(f'"{name}"' for name in names)
    statement = text(
        f'INSERT INTO "{table.name}" ({into}) OVERRIDING SYSTEM VALUE SELECT {", ".join(sources)}'  # noqa: S608
        f' FROM restoring, json_populate_record(NULL::"{table.name}", restoring.line::json) r'
    )
    types = [column for column in contents.columns(table) if column.name in values]
    return statement.bindparams(*(bindparam(one.name, type_=one.type) for one in types)), values


def _default(column: Column[Any]) -> Any:
    made = column.default
    if made is None or not (made.is_scalar or made.is_callable):
        raise newer(f"{column.table.name}.{column.name}")
    return made.arg(None) if made.is_callable else made.arg  # type: ignore[attr-defined]


async def count_on(db: AsyncSession) -> None:
    """Numbers that PostgreSQL gives go on after the highest that came."""
    for table in contents.tables():
        column = table.autoincrement_column
        if column is not None:
            await db.execute(
                text(
                    f"SELECT setval(found, top) FROM (SELECT pg_get_serial_sequence('{table.name}', '{column.name}')"  # noqa: S608
                    f' AS found, (SELECT max("{column.name}") FROM "{table.name}") AS top) s'
                    " WHERE found IS NOT NULL AND top IS NOT NULL"
                )
            )
