"""`limber import`: bring in what a teacher has elsewhere."""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.opening import run_with_database

if TYPE_CHECKING:
    from app.moving.wordpress.importing import Progress
    from app.moving.wordpress.report import Report

importing = typer.Typer(no_args_is_help=True, help="Bring in articles and members from another site.")

# A line on a terminal is told so often, one in a log less.
EVERY_S = (0.5, 20.0)
# The same site is being imported by another process: sysexits' EX_TEMPFAIL.
BUSY_CODE = 75


class Telling:
    """Prints how far it is, with what is left to do when that can be known."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._began = self._last = time.monotonic()
        self._phase = ""

    def __call__(self, progress: "Progress") -> None:
        now = time.monotonic()
        if progress.phase != self._phase:
            self._phase, self._began = progress.phase, now
        if now - self._last < EVERY_S[not self._is_terminal]:
            return
        self._last = now
        if progress.phase == "read":
            words = f"Reading: {progress.done:,} parts"
        else:
            left_s = (now - self._began) / max(progress.done, 1) * (progress.total - progress.done)
            words = f"{progress.done:,} of {progress.total:,} parts, about {left_s / 60:.0f} min left"
        print(
            f"\r{words}\033[K" if self._is_terminal else words,
            end="" if self._is_terminal else "\n",
            file=sys.stderr,
        )

    def end(self, told: "Report") -> None:
        if self._is_terminal:
            print("\r\033[K", end="", file=sys.stderr)
        for line in told.lines():
            print(line)


class TellingJson:
    """The same for a program that shows it."""

    def __init__(self) -> None:
        self._last = float("-inf")

    def __call__(self, progress: "Progress") -> None:
        if (now := time.monotonic()) - self._last >= EVERY_S[0]:
            self._last = now
            print(json.dumps(asdict(progress)), flush=True)

    def end(self, told: "Report") -> None:
        print(json.dumps({"lines": list(told.lines()), "adds_up": not told.differing}), flush=True)


@importing.command()
def wordpress(
    files: Annotated[
        list[Path],
        typer.Argument(help="What Tools, Export, “All content” gives; several if it gave several."),
    ],
    media: Annotated[
        str | None,
        typer.Option(
            help="Where the pictures are: a copy of wp-content/uploads, its address (https://…), or `site`."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; print the same report.")] = False,
    also: Annotated[
        list[str] | None, typer.Option(help="A further post type to take over as articles. May be repeated.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Where the whole report goes. Without it: FILE.report.txt in this folder."),
    ] = None,
    public_only: Annotated[
        bool, typer.Option("--public-only", help="Ask no host that only this server can reach.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Progress and report as JSON, one on each line.")
    ] = False,
) -> None:
    """Import a WordPress site's export. Stopped, it goes on where it was; a second run changes nothing."""
    import app.tables  # noqa: F401 (foreign keys lead into domains that nothing here names)
    from app.moving.wordpress import importing as moving

    place = report or Path(f"{files[0].stem}.report.txt")
    telling = TellingJson() if as_json else Telling()
    differing: list[str] = []

    def finish(told: "Report") -> None:
        told.write(place)
        telling.end(told)
        differing.extend(told.differing)

    wanted = moving.Wanted(tuple(files), media, frozenset(also or ()), dry_run, public_only)
    run_with_database(
        lambda: moving.run(wanted, finish=finish, say=telling), busy_code=BUSY_CODE if as_json else 1
    )
    if not as_json:
        print(f"The whole report: {place}")
    if differing:
        raise SystemExit(1)


@importing.command()
def members(
    file: Annotated[Path, typer.Argument(help="The CSV file that the other platform exports.")],
    from_: Annotated[
        str,
        typer.Option(
            "--from", help="memberpress, woocommerce, uscreen, teachable or kajabi; left out: by its columns."
        ),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing, mail nobody; say the same.")
    ] = False,
    mail: Annotated[bool, typer.Option(help="Tell each new member how to choose a password.")] = True,
) -> None:
    """Give people from another platform an account, and match Stripe's customers. Run twice, it does nothing new."""
    import app.tables  # noqa: F401 (as above)
    from app.billing import stripe_api
    from app.moving import members as moving
    from app.moving.member_files import MARKS

    if from_ and from_ not in MARKS:
        raise typer.BadParameter(f"--from is one of {', '.join(MARKS)}")

    async def act() -> moving.Report:
        try:
            return await moving.take(file, from_, is_dry=dry_run, mails=mail)
        finally:
            await stripe_api.close()

    told = run_with_database(act)
    kind = f" ({told.platform})" if told.platform else ""
    print(f"{told.rows:,} people in {file.name}{kind}:")
    for words, count in told.outcomes.most_common():
        print(f"  {count:,} {words}")
    for line in told.odd:
        print(f"    {line}")
    if told.with_membership:
        print(f"  {told.with_membership:,} lines name a membership. Rights to watch come from Stripe alone.")
    if told.stripe is None:
        print(
            "Stripe is not set up here, so nobody was matched with it: `limber billing import` does that later."
        )
    else:
        print(
            f"Stripe: {told.stripe.linked:,} customers matched by address, {told.stripe.known:,} were known."
        )
        for line in told.stripe.odd:
            print(f"  {line}", file=sys.stderr)
    if dry_run:
        print("This was a dry run: nothing was written.")
