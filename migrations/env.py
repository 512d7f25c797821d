"""Runs migrations on one connection, with a lock_timeout so that a migration never queues behind live traffic."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from app.db import sqlalchemy_url
from app.tables import metadata


def ours(name: str | None, kind: str, _parents: object) -> bool:
    """Only the default schema is ours; `dbos` is the engine's own."""
    return name in (None, "public") if kind == "schema" else True


def run() -> None:
    url = context.config.attributes.get("database_url")
    if url is None:
        from app.settings import get_settings

        url = get_settings().database_url
    engine = create_engine(sqlalchemy_url(url), poolclass=pool.NullPool)
    with engine.connect() as connection:
        # Two `limber migrate` at once: the second waits for the first, then finds nothing to do.
        connection.execute(text("SELECT pg_advisory_lock(7269432)"))
        connection.execute(text("SET lock_timeout = '5s'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=metadata,
            include_name=ours,
            compare_type=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.execute(text("SELECT pg_advisory_unlock(7269432)"))
        connection.commit()
    engine.dispose()


run()
