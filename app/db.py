"""Engine, base class and the only places that commit: one transaction for each request or work step."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends
from sqlalchemy import DateTime, Dialect, MetaData, NullPool, TypeDecorator, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """`timestamptz` that refuses naive values and always answers aware UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is not None and value.tzinfo is None:
            raise ValueError("a naive datetime reached the database")
        return value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value.astimezone(UTC) if value is not None else None


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSONB, list[Any]: JSONB}


class HasId:
    """A random UUID as primary key: ids appear in URLs and must not be guessable or countable."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


class Database:
    """An engine and its sessions; one per process, opened by `open_database`."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(url), pool_size=pool_size, max_overflow=5, pool_pre_ping=True
        )
        # A pool of its own: to make a connection of the other one commit by itself, and to make that undone, took 50 µs
        # for each page. A statement takes a millisecond, so few are enough; together there are 20 at most.
        self.autocommit: AsyncEngine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=5,
            max_overflow=0,
            pool_pre_ping=True,
            pool_reset_on_return=None,
            isolation_level="AUTOCOMMIT",
        )
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False, autoflush=False)
        # Locks are held for as long as a client sends: by connections of their own, outside pool and transaction.
        # The keepalives let the server notice within a minute that a lock's owner lost its machine.
        self.lock_engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(url),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={
                "options": "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
            },
        )


# Whoever only executes statements takes either.
Querying = AsyncSession | AsyncConnection

_database: Database | None = None


def sqlalchemy_url(url: str) -> str:
    """The same address with psycopg 3 named as the driver."""
    scheme, sep, rest = url.partition("://")
    if not sep or scheme.split("+")[0] not in ("postgresql", "postgres"):
        raise ValueError("DATABASE_URL must start with postgresql://")
    return f"postgresql+psycopg://{rest}"


def libpq_url(url: str) -> str:
    """The address as libpq and DBOS write it."""
    return f"postgresql://{url.partition('://')[2]}"


def open_database(url: str, *, pool_size: int = 10) -> Database:
    """Make `url` this process's database. The first query connects."""
    return use_database(Database(url, pool_size=pool_size))


def use_database(opened: Database) -> Database:
    """Make one that is there already this process's: it still knows its statements, and connects anew."""
    global _database
    _database = opened
    return opened


async def close_database() -> None:
    global _database
    if _database is not None:
        await _database.engine.dispose()
        await _database.autocommit.dispose()
        _database = None


def database() -> Database:
    if _database is None:
        raise RuntimeError("open_database() has not been called in this process")
    return _database


@asynccontextmanager
async def transaction() -> AsyncIterator[AsyncSession]:
    """A short transaction of its own: commits at the end of the block, rolls back when it raises.

    For work steps, tus, server-sent events and calls around Stripe. Never hold one across a network call.
    """
    async with database().sessions() as session, session.begin():
        yield session


@asynccontextmanager
async def statements() -> AsyncIterator[AsyncConnection]:
    """A connection on which each statement is a transaction of its own, for what is asked all the time.

    BEGIN, COMMIT and a session cost as much as two statements. Only where a crash between any two of them does no harm.
    """
    async with database().autocommit.connect() as connection:
        yield connection


@asynccontextmanager
async def session_on(db: Querying) -> AsyncIterator[AsyncSession]:
    """A session for what needs one, of a page that is read by `statements`; a session itself is what it is."""
    if isinstance(db, AsyncSession):
        yield db
        return
    async with AsyncSession(db, expire_on_commit=False, autoflush=False) as session:
        yield session


@asynccontextmanager
async def try_lock(name: str) -> AsyncIterator[bool]:
    """Whether the lock `name` is now ours alone, over all processes and machines, until the block ends.

    Never waits. It dies with the process: PostgreSQL drops it with the connection.
    """
    async with database().lock_engine.connect() as connection:
        wanted = {"name": name}
        held = await connection.scalar(
            text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))"), wanted
        )
        try:
            yield bool(held)
        finally:
            if held:
                await connection.execute(
                    text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))"), wanted
                )


async def session() -> AsyncIterator[AsyncSession]:
    """The request's one transaction, committed before the response leaves (scope="function")."""
    async with transaction() as current:
        yield current


Db = Annotated[AsyncSession, Depends(session, scope="function")]
