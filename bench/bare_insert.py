"""A FastAPI application with one route that commits one INSERT, served as Limber is: what `play` is compared with."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import uvicorn
from fastapi import FastAPI
from sqlalchemy import Uuid, bindparam, text

from app import db
from app.settings import get_settings

INSERT = text("INSERT INTO bench_row (id, at) VALUES (:id, now())").bindparams(bindparam("id", type_=Uuid))


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    db.open_database(get_settings().database_url or "")
    yield
    await db.close_database()


app = FastAPI(lifespan=lifespan)


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/insert", status_code=201)
async def insert() -> dict[str, str]:
    """The pool that Limber's own pages use, and a transaction of one statement."""
    row_id = uuid4()
    async with db.database().engine.begin() as connection:
        await connection.execute(INSERT, {"id": row_id})
    return {"id": str(row_id)}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
