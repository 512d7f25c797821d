"""For whoever runs the server: is the process up, are its parts ready, and figures for Prometheus."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app import db, storage
from app.accounts.permissions import Permission
from app.errors import Forbidden
from app.jobs import APP_VERSION
from app.settings import LOOPBACK, get_settings
from app.web.guard import needs

router = APIRouter(tags=["operations"])

QUEUED = Gauge("limber_work_queued", "Work that waits, by queue", ["queue"])
WORKERS = Gauge("limber_workers", "Workers seen within 30 seconds")


@router.get("/healthz", dependencies=[needs(Permission.OPERATOR)])
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", dependencies=[needs(Permission.OPERATOR)])
async def readyz(response: Response) -> dict[str, str]:
    """Database, storage and queue, each `ok` or why not; 503 unless all are."""
    parts = {"database": "ok", "storage": "ok", "queue": "ok"}
    try:
        async with db.transaction() as session:
            await session.execute(text("SELECT 1 FROM alembic_version"))
            await session.execute(text("SELECT 1 FROM dbos.workflow_status LIMIT 1"))
            alive = await session.execute(
                text("SELECT count(*) FROM worker_heartbeat WHERE seen_at > now() - interval '30 seconds'")
            )
            if not alive.scalar_one():
                parts["queue"] = "no worker has been seen for 30 seconds"
    except (SQLAlchemyError, OSError) as fault:
        parts["database"] = parts["queue"] = type(fault).__name__
    try:
        await storage.check()
    except Exception as fault:
        # A store may fail in ways of its own; which one, is what was asked.
        parts["storage"] = type(fault).__name__
    if any(value != "ok" for value in parts.values()):
        response.status_code = 503
    return parts


@router.get("/metrics", dependencies=[needs(Permission.OPERATOR)], include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Prometheus text format, for loopback only unless LIMBER_METRICS_PUBLIC is set.

    Raises:
        Forbidden: for other addresses.
    """
    if not get_settings().metrics_public and (request.client is None or request.client.host not in LOOPBACK):
        raise Forbidden
    async with db.transaction() as session:
        rows = await session.execute(
            text(
                "SELECT queue_name, count(*) FROM dbos.workflow_status"
                " WHERE status IN ('ENQUEUED', 'DELAYED') AND queue_name IS NOT NULL"
                " AND application_version = :version GROUP BY queue_name"
            ),
            {"version": APP_VERSION},
        )
        QUEUED.clear()
        for queue, count in rows:
            QUEUED.labels(queue).set(count)
        alive = await session.execute(
            text("SELECT count(*) FROM worker_heartbeat WHERE seen_at > now() - interval '30 seconds'")
        )
        WORKERS.set(alive.scalar_one())
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
