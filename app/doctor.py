"""`limber doctor`: what production still lacks, each finding one sentence with what to do; and health checks."""

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import httpx
from alembic.config import Config
from alembic.script import ScriptDirectory
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app import db, storage
from app.settings import Settings, get_settings
from app.templating import DIST

MIN_FREE_BYTES = 5 * 1024**3


class Verdict(StrEnum):
    GOOD = "ok"
    WARN = "note"
    BAD = "must"


@dataclass(frozen=True)
class Finding:
    verdict: Verdict
    about: str
    sentence: str


def _good(about: str, sentence: str) -> Finding:
    return Finding(Verdict.GOOD, about, sentence)


def _warn(about: str, sentence: str) -> Finding:
    return Finding(Verdict.WARN, about, sentence)


def _bad(about: str, sentence: str) -> Finding:
    return Finding(Verdict.BAD, about, sentence)


async def _address(settings: Settings) -> Finding:
    if settings.is_demo:
        return _bad(
            "address", "This is the demo: anyone knows its passwords. Unset LIMBER_ENV for production."
        )
    if settings.is_loopback:
        return _bad("address", "LIMBER_BASE_URL still points at this machine; set it to https://your-domain.")
    return _good("address", f"People reach the site at {settings.base_url}.")


async def _database(settings: Settings) -> Finding:
    if not settings.database_url:
        return _bad(
            "database", "DATABASE_URL is not set: a private server is used, fine for trying, not for members."
        )
    try:
        async with db.transaction() as session:
            version = (
                await session.execute(text("SELECT version_num FROM alembic_version"))
            ).scalar_one_or_none()
    except (SQLAlchemyError, OSError) as fault:
        reason = str(getattr(fault, "orig", fault)).strip().splitlines()[0]
        if "alembic_version" in reason:
            return _bad("database", "The database is empty; run `limber migrate`.")
        return _bad("database", f"The database does not answer: {reason}")
    config = Config()
    config.set_main_option("script_location", str(DIST.parent.parent / "migrations"))
    head = ScriptDirectory.from_config(config).get_current_head()
    if version != head:
        return _bad(
            "database", f"The database is at version {version}, the code wants {head}; run `limber migrate`."
        )
    return _good("database", "The database answers and is up to date.")


async def _staff(_settings: Settings) -> Finding:
    try:
        async with db.transaction() as session:
            found = await session.execute(
                text("SELECT count(*) FROM user_account WHERE role = 'staff' AND banned_at IS NULL")
            )
            count = int(found.scalar_one())
    except (SQLAlchemyError, OSError):
        return _bad("staff", "Nobody can be looked up while the database does not answer.")
    if not count:
        return _bad("staff", "Nobody can use the studio yet; run `limber admin create you@your-domain`.")
    return _good("staff", f"{count} of staff can sign in.")


async def _worker(_settings: Settings) -> Finding:
    try:
        async with db.transaction() as session:
            found = await session.execute(
                text("SELECT count(*) FROM worker_heartbeat WHERE seen_at > now() - interval '30 seconds'")
            )
            count = int(found.scalar_one())
    except (SQLAlchemyError, OSError):
        return _bad("worker", "No worker can be seen while the database does not answer.")
    if not count:
        return _bad("worker", "No worker runs: mail, encodes and billing wait. Start `limber worker`.")
    return _good("worker", f"{count} working.")


async def _storage(settings: Settings) -> Finding:
    try:
        await storage.check()
    except Exception as fault:
        # A store may fail in ways of its own; which one, is what was asked.
        return _bad("storage", f"Nothing can be stored: {fault}".splitlines()[0])
    if settings.storage_url:
        return _good("storage", "Media goes to S3.")
    free = shutil.disk_usage(settings.data_dir).free
    if free < MIN_FREE_BYTES:
        return _warn("storage", f"Only {free / 1024**3:.1f} GB are free under {settings.data_dir}.")
    return _good("storage", f"{free / 1024**3:.0f} GB are free under {settings.data_dir}.")


async def _mail(settings: Settings) -> Finding:
    if not settings.smtp_url:
        return _bad("mail", "SMTP_URL is not set: nobody can confirm an address or reset a password.")
    url = urlsplit(settings.smtp_url)
    host, port = url.hostname or "", url.port or (465 if url.scheme == "smtps" else 587)
    try:
        _reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 5)
        writer.close()
    except (OSError, TimeoutError):
        return _bad("mail", f"The mail server {host}:{port} does not answer.")
    if "example.com" in settings.mail_from:
        return _bad("mail", "LIMBER_MAIL_FROM is still the example; set the address that members shall see.")
    return _good("mail", f"The mail server {host} answers.")


async def _stripe(settings: Settings) -> Finding:
    if not settings.stripe_secret_key:
        return _warn("stripe", "STRIPE_SECRET_KEY is not set: buying is switched off.")
    if not settings.stripe_secret_key.startswith(("sk_live_", "rk_live_")):
        return _warn("stripe", "The Stripe key is a test key: no real money moves.")
    headers = {"Authorization": f"Bearer {settings.stripe_secret_key}"}
    try:
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.get(f"{settings.stripe_api_base}/v1/account", headers=headers)
    except httpx.HTTPError as fault:
        return _warn("stripe", f"Stripe does not answer from here ({type(fault).__name__}).")
    if answer.status_code == 401:
        return _bad("stripe", "Stripe refuses STRIPE_SECRET_KEY.")
    return _good(
        "stripe", "Stripe accepts the key; webhooks go to " + settings.base_url + "/webhooks/stripe."
    )


async def _frontend(_settings: Settings) -> Finding:
    if not (DIST / "manifest.json").exists():
        return _bad("frontend", "static/dist is missing; run `make build`.")
    return _good("frontend", "Styles and player are built.")


async def _secrets(settings: Settings) -> Finding:
    if settings.is_demo:
        return _warn("secrets", "The demo made its own secrets.")
    return _good("secrets", "The two key rings are strong and apart.")


async def _edge(settings: Settings) -> Finding:
    if settings.edge_key:
        return _good(
            "edge", "nginx, with the same LIMBER_EDGE_KEY, verifies the tokens of many viewers itself."
        )
    return _good(
        "edge", "Without LIMBER_EDGE_KEY nginx asks about each token: right, and slower for many viewers."
    )


async def _user(_settings: Settings) -> Finding:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return _warn("user", "Limber runs as root; give it a user of its own.")
    return _good("user", "Limber does not run as root.")


CHECKS: tuple[Callable[[Settings], Awaitable[Finding]], ...] = (
    _address,
    _secrets,
    _database,
    _worker,
    _staff,
    _storage,
    _mail,
    _stripe,
    _frontend,
    _edge,
    _user,
)


async def examine(settings: Settings) -> list[Finding]:
    """Run every check against these settings; none of them changes anything."""
    if settings.database_url:
        db.open_database(settings.database_url, pool_size=2)
    findings = []
    for check in CHECKS:
        try:
            findings.append(await check(settings))
        except RuntimeError:
            findings.append(_bad(check.__name__.strip("_"), "This cannot be looked at without DATABASE_URL."))
    await db.close_database()
    return findings


async def main() -> int:
    """Print the findings; 1 when something must be mended."""
    try:
        settings = get_settings()
    except ValidationError as refused:
        for error in refused.errors():
            print(f"must  settings   {error['msg'].removeprefix('Value error, ')}", file=sys.stderr)  # noqa: T201
        return 1
    findings = await examine(settings)
    for finding in findings:
        print(f"{finding.verdict:<5} {finding.about:<10} {finding.sentence}")  # noqa: T201
    return 1 if any(finding.verdict is Verdict.BAD for finding in findings) else 0


async def is_alive(part: str) -> bool:
    """Whether this host's web server answers, or a worker of this host was seen within 30 seconds."""
    settings = get_settings()
    if part == "web":
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=3) as client:
                answer: Any = await client.get(f"http://127.0.0.1:{settings.port}/healthz")
        except httpx.HTTPError:
            return False
        return bool(answer.status_code == 200)
    if part != "worker" or not settings.database_url:
        return False
    db.open_database(settings.database_url, pool_size=1)
    try:
        async with db.transaction() as session:
            seen = await session.execute(
                text(
                    "SELECT 1 FROM worker_heartbeat WHERE host = :host AND seen_at > now() - interval '30 seconds'"
                    " AND taken_over_at IS NULL LIMIT 1"
                ),
                {"host": socket.gethostname()},
            )
            return seen.first() is not None
    except (SQLAlchemyError, OSError):
        return False
    finally:
        await db.close_database()
