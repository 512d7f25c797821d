"""`limber billing`: compare Stripe with what is here, and put it right."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.opening import run_with_database

if TYPE_CHECKING:
    from app.billing.reconciling import Report

billing = typer.Typer(no_args_is_help=True, help="Money: what Stripe says, and what is here.")


@billing.callback()
def _billing() -> None:
    """A group of its own, although it has one command so far."""


@billing.command()
def reconcile(
    apply: Annotated[bool, typer.Option("--apply", help="Put right what differs.")] = False,
    may_take: Annotated[
        int | None,
        typer.Option(help="How many rights to watch this run may end. Without it: 2 % of those that live."),
    ] = None,
) -> None:
    """Say where Stripe and Limber differ, member by member; exit code 1 when something differs and stays so."""
    from app.billing import reconciling, stripe_api

    async def act() -> "Report":
        try:
            return await reconciling.reconcile(apply=apply, may_take=may_take, say=print)
        finally:
            await stripe_api.close()

    report = run_with_database(act)
    found = len(report.differences)
    print(
        f"{report.customers} customers, {report.live} live rights: {found} differ, {report.takes} rights would end."
    )
    for words in report.failed:
        print(words, file=sys.stderr)
    if report.stopped:
        print(
            f"Stopped: {report.stopped} If that is right, run it again with --may-take {report.takes}.",
            file=sys.stderr,
        )
        raise SystemExit(1)
    if apply:
        print(f"{report.mended} put right.")
    if report.failed or report.strangers or (found and not apply):
        raise SystemExit(1)
