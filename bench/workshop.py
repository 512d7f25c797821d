"""A database and a data folder for a benchmark, gone when it ends, where workers of this machine find films."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def configure(folder: Path, settings: tuple[str, ...]) -> None:
    """Write settings of PostgreSQL's that it reads when it starts."""
    import psycopg

    from app import postgres

    with postgres.server(folder) as url, psycopg.connect(url, autocommit=True) as connection:
        for line in settings:
            connection.execute(f"ALTER SYSTEM SET {line}".encode())


@contextmanager
def workshop(*settings: str) -> Iterator[tuple[str, Path]]:
    """The database's address and the data folder. This process's settings are the workers'.

    `settings`: PostgreSQL's, as `fsync = off`.
    """
    from app import postgres

    with tempfile.TemporaryDirectory(prefix="limber-bench-") as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)
        if settings:
            configure(folder, settings)
        with postgres.server(folder) as database_url:
            postgres.migrate(database_url)
            os.environ.update(
                {
                    "DATABASE_URL": database_url,
                    "LIMBER_DATA_DIR": scratch,
                    "LIMBER_BASE_URL": "http://127.0.0.1:8000",
                    "LIMBER_MEDIA_KEYS": "m1:" + "bench-media-secret-" * 3,
                    "LIMBER_EDGE_KEY": "bench-edge-secret-" * 3,
                    "LIMBER_LINK_KEYS": "l1:" + "bench-links-secret-" * 3,
                }
            )
            yield database_url, folder
