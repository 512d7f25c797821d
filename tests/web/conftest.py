"""Fixtures of the web's tests."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.web.line import Line, connected


@pytest.fixture
async def line(client: httpx.AsyncClient) -> AsyncIterator[Line]:
    """A connection to the site, on which a playlist may be watched."""
    async with connected() as opened:
        yield opened
