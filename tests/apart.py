"""A database and settings apart from the other tests', for a server that a whole module shares."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.engine import make_url

from app.settings import get_settings
from app.storage import store


@contextmanager
def own_database(server_url: str, name: str) -> Iterator[str]:
    """A migrated, empty database that no other test empties meanwhile; `name` is made this process's own."""
    name = f"limber_{name}_{os.getpid()}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE limber_template".encode())
    yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@contextmanager
def settings_of(**values: str) -> Iterator[None]:
    """While rows are made, this process's settings are those of the server."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    get_settings.cache_clear()
    store.cache_clear()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        get_settings.cache_clear()
        store.cache_clear()
