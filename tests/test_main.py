"""What a process of the site does before its first reader comes, and what a reader's player and letters weigh."""

import gc
import json
from collections.abc import Iterator

import fastapi.routing
import httpx
import pytest

from app import db
from app.main import served
from app.settings import get_settings
from bench.front_door import ROOT

# Half as much again is what hls.js weighs as it is published (docs/adr/0014-handing-out.md).
PLAYER_BYTES = 115_000
# Both faces that every page waits for, as they are published: 79,800 (docs/adr/0026-pages.md).
FACES_BYTES = 64_000


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    """What a process that serves keeps from the collector, one that tests gives back."""
    yield
    gc.unfreeze()


async def test_routes_are_prepared_before_the_first_reader_comes(
    database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = served()

    def late(*_given: object, **_named: object) -> None:
        raise AssertionError("a route is prepared while a reader waits")

    monkeypatch.setattr(fastapi.routing, "get_dependant", late)
    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 50000))
    async with httpx.AsyncClient(transport=transport, base_url=get_settings().base_url) as browser:
        for path in ("/articles", "/plans", "/search"):
            assert (await browser.get(path, headers={"Accept": "text/html"})).status_code == 200


def test_the_player_holds_what_our_streams_need_and_no_more() -> None:
    manifest = json.loads((ROOT / "static/dist/manifest.json").read_text("utf-8"))
    assert manifest["entries"]["player.js"]["br"] <= PLAYER_BYTES


def test_the_letters_of_every_page_hold_the_weights_we_set_and_no_more() -> None:
    entries = json.loads((ROOT / "static/dist/manifest.json").read_text("utf-8"))["entries"]
    assert entries["sans.woff2"]["bytes"] + entries["serif.woff2"]["bytes"] <= FACES_BYTES
