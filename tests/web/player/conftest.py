"""One stage for all tests of the player but the hour's, which needs a longer film and a server to start anew."""

from collections.abc import Iterator

import pytest

from tests.web.player.stage import Stage, staged


@pytest.fixture(scope="package")
def stage(worker_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    # For this package and no longer: the browser's driver runs an event loop in this thread.
    with staged(worker_database_url, tmp_path_factory.mktemp("stage")) as opened:
        yield opened
