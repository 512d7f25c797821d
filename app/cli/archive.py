"""`limber export` and `limber restore`: the whole site in one open file, and back."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.opening import run_with_database

if TYPE_CHECKING:
    from app.moving.archive.exporting import Done as Exported
    from app.moving.archive.restoring import Done as Restored
    from app.moving.archive.restoring import Plan


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def export(
    file: Annotated[
        Path, typer.Argument(help="The archive to write, a tar file; `-` writes to the next program.")
    ],
    with_streams: Annotated[
        bool,
        typer.Option(
            "--with-streams", help="Also what is made of the films: larger, nothing to encode later."
        ),
    ] = False,
    without_passwords: Annotated[
        bool,
        typer.Option("--without-passwords", help="Leave passwords out: everybody has to choose a new one."),
    ] = False,
) -> None:
    """Write the whole site into one file that any computer can open. The site goes on running."""
    import app.tables  # noqa: F401 (all that is to be exported)
    from app.clock import utcnow
    from app.moving.archive import exporting

    wanted = exporting.Wanted(with_streams=with_streams, with_passwords=not without_passwords)

    async def act() -> "Exported":
        if str(file) == "-":
            return await exporting.export(sys.stdout.buffer, wanted, utcnow(), _say)
        return await exporting.export_to(file, wanted, utcnow(), _say)

    try:
        done = run_with_database(act)
    except BrokenPipeError:
        raise SystemExit("The next program ended before the archive did.") from None
    _say(f"{file}: {done.bytes / 1e6:,.1f} MB, {sum(done.rows.values()):,} rows, {done.files:,} files.")
    for key in done.missing:
        _say(f"missing  {key} (the storage does not have it)")
    _say(
        "It holds addresses, messages and"
        + (
            " passwords (scrambled; --without-passwords leaves them out)"
            if wanted.with_passwords
            else " no passwords"
        )
        + ": keep it as you keep the database."
    )
    if done.missing:
        _say("`limber storage verify` says more about what is missing.")
        raise SystemExit(1)


def restore(
    file: Annotated[Path, typer.Argument(help="An archive that `limber export` wrote.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only read it and say whether it is whole.")] = False,
) -> None:
    """Make this empty server the site that is in the archive. Stopped, it goes on where it was."""
    import app.tables  # noqa: F401 (all that is to be restored)
    from app.clock import utcnow
    from app.errors import LimberError
    from app.moving.archive import restoring

    if check:
        try:
            _tell(restoring.check_file(file, _say))
        except LimberError as refused:
            raise SystemExit(refused.sentence) from None
        print("The archive is whole.")
        return

    def ask(plan: "Plan") -> bool:
        _tell(plan)
        try:
            return yes or typer.confirm("Write all this here?")
        except typer.Abort:
            # Nobody is there to be asked.
            return False

    async def act() -> "Restored | None":
        return await restoring.restore(file, utcnow(), _say, ask)

    done = run_with_database(act)
    if done is None:
        raise SystemExit("Nothing was written.")
    print(f"{sum(done.rows.values()):,} rows and {done.written + done.kept:,} files are here.")
    if done.kept:
        print(f"{done.kept:,} of the files were here already, from a run that was stopped.")
    if done.encoding:
        print(f"{done.encoding:,} films wait to be encoded: `limber worker` does it.")
    for title in done.lost:
        print(f"The film “{title}” was not in the archive; please upload it again.")
    print("Next: `limber doctor`, and with Stripe `limber billing reconcile`.")


def _tell(plan: "Plan") -> None:
    print(f"{plan.site} ({plan.address}), as it was on {plan.made_at} UTC:")
    print(f"  {plan.rows:,} rows in {plan.tables} tables")
    print(f"  {plan.files:,} files, {plan.file_bytes / 1e6:,.1f} MB")
    print("  films play at once" if plan.with_streams else "  films are encoded again, from their originals")
    print(
        "  members go on signing in as they do"
        if plan.with_passwords
        else "  without passwords: everybody chooses a new one by mail"
    )
