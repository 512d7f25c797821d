"""Fixtures that every test may use: a real, migrated PostgreSQL, settings, the app and a client."""

import gc
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

# All that is imported and collected stays: to look through it again and again took 9 s of 27.
gc.disable()

RINGS = {
    "LIMBER_MEDIA_KEYS": "m1:" + "test-media-secret-" * 3,
    "LIMBER_LINK_KEYS": "l1:" + "test-links-secret-" * 3,
}
os.environ.update(RINGS)
os.environ.setdefault("LIMBER_BASE_URL", "https://limber.test")
# One for each process of a parallel run: they inherit the first one's environment, and some tests empty the folder.
os.environ["LIMBER_DATA_DIR"] = tempfile.mkdtemp(prefix="limber-test-data-")
Path(os.environ["LIMBER_DATA_DIR"]).chmod(0o755)

from app import db, i18n, postgres, storage  # noqa: E402
from app.main import Site, create_app  # noqa: E402
from app.settings import get_settings  # noqa: E402
from tests.spread import Spread  # noqa: E402

_server: Any = None


def pytest_configure(config: pytest.Config) -> None:
    """The controller (or the only process) starts one PostgreSQL and makes the template; workers get its address."""
    global _server
    if hasattr(config, "workerinput"):
        config.stash[URL] = config.workerinput["limber_database_url"]
        return
    if config.option.collectonly:
        config.stash[URL] = ""
        return
    folder = tempfile.mkdtemp(prefix="limber-test-pg-")
    Path(folder).chmod(0o755)
    _server = postgres.server(Path(folder))
    url = _server.__enter__()
    with psycopg.connect(url, autocommit=True) as connection:
        for line in (
            "fsync = off",
            "synchronous_commit = off",
            "full_page_writes = off",
            "max_connections = 300",
        ):
            name, _eq, value = line.partition(" = ")
            connection.execute(f"ALTER SYSTEM SET {name} = {value}")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("CREATE DATABASE limber_template")
    postgres.migrate(with_name(url, "limber_template"))
    config.stash[URL] = url


URL = pytest.StashKey[str]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs browsers, nginx or workers of its own (and so has a group) shares two cores with all else, and has a
    second go when it fails; both goes are told at the end. All else fails by a defect alone, and has a second go for
    nothing but what the garbage collector finds: that may be any earlier test's."""
    for item in items:
        if item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.flaky(reruns=1))
        else:
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=["unraisable", "Unraisable"]))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """The next test reads the environment anew: settings and storage of one that changed it are gone with it."""
    get_settings.cache_clear()
    storage.store.cache_clear()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Spread | None:
    """Groups of tests on two processes at most; see there."""
    return Spread(config, log) if config.option.dist == "loadgroup" else None


def pytest_collection_finish() -> None:
    """From here on what is made is also thrown away."""
    gc.freeze()
    gc.enable()


def pytest_configure_node(node: Any) -> None:
    node.workerinput["limber_database_url"] = node.config.stash[URL]


def pytest_unconfigure(config: pytest.Config) -> None:
    global _server
    if _server is not None:
        _server.__exit__(None, None, None)
        _server = None


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What tests measured or drew, told by `record_property("note", …)`: what they print is lost in parallel runs."""
    for report in (*terminalreporter.stats.get("passed", []), *terminalreporter.stats.get("failed", [])):
        for name, value in report.user_properties:
            if name == "note" and report.when == "call":
                terminalreporter.write_line(f"{report.nodeid}: {value}")


def with_name(url: str, name: str) -> str:
    """The address of another database on the same server."""
    head, _slash, tail = url.partition("@/")
    return f"{head}@/{name}{tail[tail.index('?') :] if '?' in tail else ''}"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def worker_database_url(request: pytest.FixtureRequest) -> str:
    """One database for each test process, made from the migrated template."""
    server_url = request.config.stash[URL]
    name = f"limber_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE limber_template")
    return with_name(server_url, name)


# The rows of all tables but those in which migrations keep what they did.
_FILLED = """
SELECT string_agg(format('IF EXISTS (SELECT FROM %1$I.%2$I) THEN RETURN NEXT %3$L; END IF;',
                         schemaname, tablename, format('%I.%I', schemaname, tablename)), ' ')
FROM pg_tables WHERE schemaname IN ('public', 'dbos')
    AND tablename NOT IN ('alembic_version', 'dbos_migrations', 'application_versions')
"""


class Sweeper:
    """Empties a database between tests. It stays connected: asked anew, all tables cost 15 ms to plan, and 0.5 so."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection: psycopg.Connection[Any] | None = None

    def _connected(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(self.url, autocommit=True)
        (body,) = connection.execute(_FILLED).fetchone() or ("",)
        connection.execute(
            "CREATE FUNCTION pg_temp.filled() RETURNS SETOF text LANGUAGE plpgsql AS"
            f" $$ BEGIN {body} END $$".encode()
        )
        return connection

    def empty(self) -> None:
        """Delete every row. Far cheaper than TRUNCATE, which gives each table and index a new file."""
        try:
            self._connection = self._connection or self._connected()
            self._sweep(self._connection)
        except psycopg.OperationalError:
            # A test has sent every connection away, or has started the server anew.
            self._connection = self._connected()
            self._sweep(self._connection)

    @staticmethod
    def _sweep(connection: psycopg.Connection[Any]) -> None:
        tables = [row[0] for row in connection.execute("SELECT pg_temp.filled()")]
        if tables:
            with connection.transaction():
                # Neither foreign keys nor the triggers that forbid deleting.
                connection.execute("SET LOCAL session_replication_role = replica")
                connection.execute("; ".join(f"DELETE FROM {table}" for table in tables).encode())

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


@pytest.fixture(scope="session")
def sweeper(worker_database_url: str) -> Iterator[Sweeper]:
    """What empties this process's database."""
    found = Sweeper(worker_database_url)
    yield found
    found.close()


@pytest.fixture
def database_url(worker_database_url: str, sweeper: Sweeper) -> Iterator[str]:
    """A migrated, empty database; emptied again after the test."""
    os.environ["DATABASE_URL"] = worker_database_url
    get_settings.cache_clear()
    yield worker_database_url
    sweeper.empty()


@cache
def _database(url: str) -> db.Database:
    """The engines of all tests: to make SQL of every statement anew was a seventh of what the tests of billing cost."""
    return db.Database(url, pool_size=5)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[db.Database]:
    """The process's database, opened on an empty, migrated PostgreSQL."""
    yield db.use_database(_database(database_url))
    await db.close_database()


@cache
def _application() -> Site:
    return create_app()


def application() -> Site:
    """The whole site, made once: FastAPI prepares 250 routes when the first request comes, which takes 0.3 s."""
    i18n.look_in(get_settings().data_dir / "locale")
    return _application()


@pytest.fixture
async def client(database: db.Database) -> AsyncIterator[httpx.AsyncClient]:
    """An anonymous browser-like client of the whole app; sign in with `tests.factories.sign_in(client, user)`."""
    transport = httpx.ASGITransport(
        app=application(), raise_app_exceptions=False, client=("127.0.0.1", 50000)
    )
    async with httpx.AsyncClient(
        transport=transport, base_url=get_settings().base_url, headers={"Accept": "text/html"}
    ) as browser:
        yield browser
