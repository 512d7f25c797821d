"""One question for a whole page.

A statement costs a web process some 0.25 ms of CPU however little it asks, and as much again where SQLAlchemy makes
objects of what it finds; pages asked five to seven. So each domain says as a `Fact` how what it knows is found, and a
page asks for all the facts that it shows at once. A fact is one value: a number, a text, or JSON arrays, which
PostgreSQL makes and Python reads in C. What they mean is told by the domain that asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import BindParameter, ScalarSelect, SelectBase, bindparam, select
from sqlalchemy.dialects.postgresql.psycopg import dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import Querying

Answers = Mapping[str, Any]
DIALECT = dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, eq=False)
class Fact:
    """A value, by a name that no other fact of a page has. `found` may hold parameters (`given`)."""

    name: str
    found: ScalarSelect[Any]


def given(name: str) -> BindParameter[Any]:
    """A parameter, whose value `ask` is given. Facts with one of the same name share it."""
    return bindparam(name, None)


def _open(statement: SelectBase) -> tuple[str, dict[str, Any]]:
    """The statement as psycopg takes it, and the values in it that are always the same."""
    made = statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
    open_ = {bind.key for bind in made.binds.values() if not bind.unique}
    return str(made), {name: value for name, value in made.params.items() if name not in open_}


@lru_cache(maxsize=64)
def _compiled(facts: tuple[Fact, ...]) -> tuple[str, dict[str, Any]]:
    return _open(select(*(fact.found.label(fact.name) for fact in facts)))


async def ask(db: Querying, *facts: Fact, **values: Any) -> Answers:
    """Fact's name → what was found; None for nothing. `values`: those of the facts' parameters.

    The statement is compiled once and handed to psycopg, on the connection and in the transaction of `db`: what
    SQLAlchemy does for each execution (its cache's key, two changes of greenlets, a result of its own) took as long as
    asking. Its events (`before_cursor_execute`) do not come.

    Raises:
        sqlalchemy.exc.ProgrammingError: when a parameter has no value.
        sqlalchemy.exc.DBAPIError: whatever else the database says, as SQLAlchemy would.
    """
    statement, constants = _compiled(facts)
    [row] = await _sent(db, statement, {**constants, **values})
    return {fact.name: value for fact, value in zip(facts, row, strict=True)}


@lru_cache(maxsize=64)
def _whole(statement: SelectBase) -> tuple[str, dict[str, Any]]:
    return _open(statement)


async def rows(db: Querying, statement: SelectBase, **values: Any) -> list[tuple[Any, ...]]:
    """The rows of a statement that is asked all the time (a constant of its module), as plain tuples, past SQLAlchemy
    as `ask`: no types of SQLAlchemy's, so an instant may come in the zone of the database's session.

    Raises:
        sqlalchemy.exc.DBAPIError: as `ask`.
    """
    text, constants = _whole(statement)
    return await _sent(db, text, {**constants, **values})


async def _sent(db: Querying, statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    connection = db if isinstance(db, AsyncConnection) else await db.connection()
    driver: Any = connection.sync_connection.connection.driver_connection  # type: ignore[union-attr]
    try:
        return await (await driver.execute(statement, values)).fetchall()  # type: ignore[no-any-return]
    except psycopg.Error as error:
        raise DBAPIError.instance(statement, values, error, psycopg.Error, dialect=DIALECT) from error


def moment_told(told: str) -> datetime:
    """An instant out of JSON, in UTC as everywhere."""
    return datetime.fromisoformat(told).astimezone(UTC)


def moment(told: str | None) -> datetime | None:
    """The same, of what may be NULL."""
    return None if told is None else moment_told(told)


def known(told: str | None) -> UUID | None:
    """An id out of JSON."""
    return None if told is None else UUID(told)
