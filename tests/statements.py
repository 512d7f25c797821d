"""What reaches the database, for tests that count it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from app import db

# What the pool asks before it hands a connection out.
PING = ";"
# What SQLAlchemy asks on a pool's first connection.
GREETINGS = ("select pg_catalog.version()", "select current_schema()", "show ")


@contextmanager
def statements(database: db.Database) -> Iterator[list[str]]:
    """Every statement that this process sends to the database meanwhile, by SQLAlchemy or past it."""
    seen: list[str] = []
    name = database.engine.url.database
    execute = psycopg.AsyncCursor.execute

    async def noted(cursor: psycopg.AsyncCursor[Any], query: Any, *args: Any, **options: Any) -> Any:
        # (What is no text is psycopg's own question about a type.)
        is_ours = isinstance(query, str) and query != PING and not query.startswith(GREETINGS)
        if is_ours and cursor.connection.info.dbname == name:
            seen.append(query)
        return await execute(cursor, query, *args, **options)

    psycopg.AsyncCursor.execute = noted  # type: ignore[method-assign, assignment]
    try:
        yield seen
    finally:
        psycopg.AsyncCursor.execute = execute  # type: ignore[method-assign]
