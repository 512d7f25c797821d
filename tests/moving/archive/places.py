"""Two sites side by side: which one this process is, what it holds, and what the public sees of it."""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import psycopg
import pytest

from app import db, storage
from app.moving.archive import contents
from app.playback.standing import standing
from app.settings import get_settings
from tests.conftest import application

TRAIL = ("archive.export", "archive.restore")


@dataclass(frozen=True)
class Place:
    """A site: its database and its data folder."""

    url: str
    data_dir: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "DATABASE_URL": self.url, "LIMBER_DATA_DIR": str(self.data_dir)}

    @property
    def media(self) -> Path:
        return self.data_dir / "media"

    def rows(self) -> dict[str, list[str]]:
        """Every row of every exported table, as PostgreSQL writes it; without what archives leave in the trail."""
        found = {}
        with psycopg.connect(self.url, options="-c timezone=UTC") as connection:
            for table in contents.tables():
                asked = f"SELECT row_to_json(t)::text FROM {table.name} t"
                if table.name == "audit_entry":
                    asked += f" WHERE action NOT IN {TRAIL}"
                found[table.name] = sorted(row[0] for row in connection.execute(asked.encode()))
        return found

    def files(self) -> dict[str, bytes]:
        if not self.media.is_dir():
            return {}
        return {
            str(path.relative_to(self.media)): path.read_bytes()
            for path in self.media.rglob("*")
            if path.is_file()
        }

    def is_untouched(self) -> bool:
        """Nothing was written: no row, no file."""
        return not any(self.rows().values()) and not self.files()


@asynccontextmanager
async def being(place: Place, patch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """This process is that site, for as long as the block lasts."""
    patch.setenv("DATABASE_URL", place.url)
    patch.setenv("LIMBER_DATA_DIR", str(place.data_dir))
    get_settings.cache_clear()
    storage.store.cache_clear()
    standing.forget()
    db.open_database(place.url, pool_size=5)
    try:
        yield
    finally:
        await db.close_database()
        patch.undo()
        get_settings.cache_clear()
        storage.store.cache_clear()


def browser() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(
        app=application(), raise_app_exceptions=False, client=("127.0.0.1", 50000)
    )
    return httpx.AsyncClient(
        transport=transport, base_url=get_settings().base_url, headers={"Accept": "text/html"}
    )


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("href", "src") and value]


async def crawl(client: httpx.AsyncClient) -> dict[str, str]:
    """Every page that can be reached from the front page and the site map, without what is new on each visit."""
    seen: dict[str, str] = {}
    waiting = ["/", "/sitemap.xml", "/feed.xml", "/robots.txt"]
    while waiting:
        path = waiting.pop()
        if path in seen or path.startswith(("/static/", "/media/")):
            continue
        assert len(seen) < 100, f"pages without end: {list(seen)[-4:]}"
        answer = await client.get(path)
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if not kind.startswith(("text/", "application/xml", "application/rss", "application/atom")):
            seen[path] = f"{answer.status_code} {kind} {len(answer.content)}"
            continue
        seen[path] = f"{answer.status_code}\n{plain(answer.text)}"
        links = _Links()
        links.feed(answer.text)
        links.found += re.findall(r"<loc>([^<]+)</loc>", answer.text)
        for link in links.found:
            there = urlsplit(urljoin(f"{client.base_url}{path}", link))
            if there.netloc == client.base_url.host and there.scheme in ("http", "https"):
                waiting.append(there.path + (f"?{there.query}" if there.query else ""))
    return seen


def plain(page: str) -> str:
    """A page without nonces and stamps, which are new on each visit."""
    page = re.sub(r'nonce="[^"]*"|nonce-[\w+/=-]+', "", page)
    return re.sub(r'(name="(?:stamp|token|csrf|rendered_at)"[^>]*value=)"[^"]*"', r"\1", page)
