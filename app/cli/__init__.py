"""The `limber` command: serve, worker, migrate, export, restore, demo, doctor, admin and the groups beside it."""

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from app.cli.access import access
from app.cli.archive import export, restore
from app.cli.billing import billing
from app.cli.importing import importing
from app.cli.keys import keys
from app.cli.opening import run_with_database, settings_or_exit, with_database
from app.cli.search import search
from app.cli.storage import storage
from app.cli.videos import videos
from app.settings import get_settings

cli = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Limber: articles, paid video courses, signed streams."
)
admin = typer.Typer(no_args_is_help=True, help="Staff accounts.")
cli.add_typer(admin, name="admin")
cli.add_typer(access, name="access")
cli.add_typer(billing, name="billing")
cli.add_typer(importing, name="import")
cli.add_typer(keys, name="keys")
cli.add_typer(search, name="search")
cli.add_typer(storage, name="storage")
cli.add_typer(videos, name="videos")
cli.command()(export)
cli.command()(restore)


@cli.command()
def serve() -> None:
    """Run the web server on LIMBER_HOST:LIMBER_PORT."""
    import uvicorn

    from app.web import server
    from app.web.media_question import Listening

    with with_database():
        settings = get_settings()
        server.serve(
            uvicorn.Config(
                "app.main:served",
                factory=True,
                host=settings.host,
                port=settings.port,
                http=Listening,
                proxy_headers=True,
                forwarded_allow_ips=settings.trusted_proxies,
                server_header=False,
                access_log=False,
                # Longer than the 60 s for which nginx keeps a connection that it may send the next request on: one that
                # is closed at this end in that moment loses what somebody posted.
                timeout_keep_alive=75,
                timeout_graceful_shutdown=3,
            )
        )


@cli.command()
def worker() -> None:
    """Run one worker: encodes, mail, billing. Start as many as the machine (or machines) can feed."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    with with_database():
        from app import worker as process

        asyncio.run(process.main())


@cli.command()
def migrate() -> None:
    """Bring the database to this version; safe to run twice and at the same time."""
    from app import postgres

    with with_database() as url:
        postgres.migrate(url)
    print("The database is up to date.")


@cli.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the site; the three after it are used too.")] = 8000,
    data_dir: Annotated[Path, typer.Option(help="Folder for everything the demo keeps.")] = Path("data"),
) -> None:
    """Start the whole business in small, with a Stripe stand-in and a mail outbox, on this machine only."""
    from app.demo import supervisor

    raise SystemExit(supervisor.main(port, data_dir))


@cli.command()
def doctor() -> None:
    """Say in words what this installation still lacks; exit code 1 when something must be mended."""
    from app import doctor as examination

    raise SystemExit(asyncio.run(examination.main()))


@cli.command()
def alive(part: Annotated[str, typer.Argument(help="web or worker, on this host")]) -> None:
    """Health check for containers: exit code 0 when this host's web server or worker lives."""
    from app import doctor as examination

    settings_or_exit()
    if not asyncio.run(examination.is_alive(part)):
        raise SystemExit(1)


@admin.command("create")
def admin_create(
    email: Annotated[str, typer.Argument(help="Address to sign in with.")],
    name: Annotated[str, typer.Option(help="Name shown to readers.")] = "",
    password: Annotated[
        str, typer.Option(help="Asked for when left out.", envvar="LIMBER_ADMIN_PASSWORD")
    ] = "",
) -> None:
    """Create a member of staff, or make an existing account one."""
    from app import db
    from app.accounts import admin as accounts_admin

    secret = password or typer.prompt("Password", hide_input=True, confirmation_prompt=True)

    async def create() -> None:
        async with db.transaction() as session:
            await accounts_admin.create_staff(session, email, name or email.partition("@")[0], secret)

    run_with_database(create)
    print(f"{email} can sign in at {get_settings().base_url}/login and use the studio.")


def main() -> NoReturn:
    """Entry point of the `limber` command."""
    code: object = 0
    try:
        cli()
    except SystemExit as ended:
        code = ended.code
    if isinstance(code, str):
        print(code, file=sys.stderr)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not by Python's own end: obstore's threads may still hold a result, and abort the process when the interpreter is
    # taken down under them (23 of 60 runs of forty reads from S3). Everything of ours is closed by now.
    os._exit(code if isinstance(code, int) else int(bool(code)))
