"""Two sites: one that is filled, and an empty one to restore into."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.conftest import URL, Sweeper, with_name
from tests.moving.archive.places import Place


@pytest.fixture
def old(database_url: str, tmp_path: Path) -> Place:
    return Place(database_url, tmp_path / "old")


@pytest.fixture(scope="session")
def new_url(request: pytest.FixtureRequest) -> Iterator[str]:
    server = request.config.stash[URL]
    name = f"limber_new_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {name} TEMPLATE limber_template".encode())
        yield with_name(server, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="session")
def new_sweeper(new_url: str) -> Iterator[Sweeper]:
    found = Sweeper(new_url)
    yield found
    found.close()


@pytest.fixture
def new(new_url: str, new_sweeper: Sweeper, tmp_path: Path) -> Iterator[Place]:
    yield Place(new_url, tmp_path / "new")
    new_sweeper.empty()


@pytest.fixture
def patch(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Of its own, because `being` undoes what it sets."""
    with monkeypatch.context() as own:
        yield own
