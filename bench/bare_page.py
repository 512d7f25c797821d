"""What `pages` is compared with: a bare FastAPI route with one `SELECT 1` and a Jinja template of as many bytes.

`/bare`: the template is filled as a page is, an escaped value in every 80 bytes (a response here has one in 70).
`/plain`: it is nothing but text, with one value. Served by uvicorn as Limber is.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from jinja2 import Environment, Template
from sqlalchemy import text

from app import db
from app.settings import get_settings

PIECE = 80
ENVIRONMENT = Environment(autoescape=True)
TEMPLATE = ENVIRONMENT.from_string(
    "<!doctype html><title>{{ title }}</title>{% for piece in pieces %}{{ piece }}{% endfor %}"
)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    db.open_database(get_settings().database_url or "")
    yield
    await db.close_database()


app = FastAPI(lifespan=lifespan)


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@lru_cache(maxsize=8)
def _text_of(size: int) -> Template:
    return ENVIRONMENT.from_string("<!doctype html><title>{{ title }}</title>" + "x" * size)


@app.get("/plain/{size}")
async def plain(size: int) -> HTMLResponse:
    """`size`: about how many bytes."""
    async with db.database().engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    return HTMLResponse(_text_of(size).render(title="Bare"))


@app.get("/bare/{size}")
async def bare(size: int) -> HTMLResponse:
    """`size`: about how many bytes. The pool that Limber's own pages use."""
    async with db.database().engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    pieces = ["x" * PIECE] * (size // PIECE)
    return HTMLResponse(TEMPLATE.render(title="Bare", pieces=pieces))


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
