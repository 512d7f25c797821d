"""`limber storage`: verify what is stored, and carry it between disk and S3."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.opening import run_with_database, settings_or_exit

if TYPE_CHECKING:
    from app.video import storage_move

storage = typer.Typer(no_args_is_help=True, help="The bytes of videos, on disk or in S3.")


@storage.command()
def verify(
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Delete orphans older than a day; encode again what lacks files."),
    ] = False,
) -> None:
    """Find missing files, and files that belong to nothing; exit code 1 when something is wrong and stays so."""
    from app.clock import utcnow
    from app.video import storage_verify

    async def act() -> storage_verify.Findings:
        return await storage_verify.verify(utcnow(), print, repair=repair)

    try:
        found = run_with_database(act)
    except storage_verify.WrongDatabase:
        print("The database knows no video, but storage holds some: is it the right one?", file=sys.stderr)
        raise SystemExit(1) from None
    print(
        f"{found.videos} videos, {found.objects} objects: {found.broken} videos with missing files,"
        f" {found.orphans} orphans, {found.young} too young to tell; {found.repaired} repaired."
    )
    if found.wrong:
        if not repair:
            print("`limber storage verify --repair` mends what can be mended.")
        raise SystemExit(1)


@storage.command()
def move(
    to: Annotated[str, typer.Option(help="Where media shall be: s3://bucket/prefix.")] = "",
    to_disk: Annotated[bool, typer.Option("--to-disk", help="To the data folder.")] = False,
    from_: Annotated[
        str, typer.Option("--from", help="Where media is, when it is not where the settings say.")
    ] = "",
    delete_source: Annotated[
        bool,
        typer.Option("--delete-source", help="The second step: compare all once more, then delete there."),
    ] = False,
) -> None:
    """Copy all media to another store, checked byte for byte. Stopped, it goes on where it was; nothing is deleted."""
    from app.video import objects, storage_move

    if bool(to) is to_disk:
        raise typer.BadParameter("give --to s3://bucket/prefix, or --to-disk")
    here, there = _places(to, from_)
    source, target = objects.open_at(here), objects.open_at(there)
    try:
        if delete_source:
            removed = asyncio.run(storage_move.delete_source(source, target))
            print(f"All of it is in {there}. Deleted {removed} objects in {here}.")
            return
        done = asyncio.run(storage_move.move(source, target, print))
    except storage_move.Differs as differs:
        print(
            f"{differs} did not arrive as it was sent. Nothing was deleted; run this again.", file=sys.stderr
        )
        raise SystemExit(1) from None
    except storage_move.Incomplete as lacking:
        print(
            f"{lacking} is not the same in {there}. Nothing more was deleted; run the move again.",
            file=sys.stderr,
        )
        raise SystemExit(1) from None
    _say_next(done, to, here)


def _places(to: str, from_: str) -> tuple[str | Path, str | Path]:
    """Source and target. Without --from: where the settings say, or the disk once they say the target."""
    settings = settings_or_exit()
    disk = settings.media_dir.resolve()
    target: str | Path = to.rstrip("/") or disk
    source: str | Path = from_.rstrip("/") or settings.storage_url.rstrip("/") or disk
    if source == target and to:
        source = disk
    if source == target:
        raise typer.BadParameter("media is on this disk already; say with --from where else it is")
    return source, target


def _say_next(done: "storage_move.Carried", to: str, here: str | Path) -> None:
    print(
        f"{done.copied} objects copied, {done.kept} were there already; {done.size_bytes} bytes in all, compared."
    )
    print(
        f"Now set LIMBER_STORAGE_URL={to.rstrip('/')} and restart web and worker."
        if to
        else "Now take LIMBER_STORAGE_URL away and restart web and worker."
    )
    where = f" --from {here}" if isinstance(here, str) else ""
    flag = f"--to {to.rstrip('/')}" if to else "--to-disk"
    print(
        f"Then run `limber storage move {flag}{where}` once more for what came meanwhile, and, when all plays,"
    )
    print(f"`limber storage move {flag}{where} --delete-source`.")
