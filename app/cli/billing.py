"""`limber billing`: compare Stripe with what is here, and put it right."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.opening import run_with_database

if TYPE_CHECKING:
    from app.billing.reconciling import Report

billing = typer.Typer(no_args_is_help=True, help="Money: what Stripe says, and what is here.")


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


@billing.command("import")
def import_(
    price: Annotated[
        list[str] | None,
        typer.Option(
            help="A Price of Stripe's and the plan that it buys: price_123=monthly. May be repeated."
        ),
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Do it; without it, only say what would be done.")
    ] = False,
) -> None:
    """Take over the payers of an existing Stripe account, matched by e-mail; who is unknown here gets an account."""
    from app.billing import stripe_api, taking_over

    pairs = [one.partition("=") for one in price or []]
    if not all(plan for _price, _sign, plan in pairs):
        raise typer.BadParameter("give --price as price_123=plan-slug")
    prices = {found: plan for found, _sign, plan in pairs}

    async def act() -> "taking_over.TakeOver":
        try:
            return await taking_over.take_over(prices, apply=apply, say=print)
        finally:
            await stripe_api.close()

    found = run_with_database(act)
    for price_id, (count, words) in sorted(found.unknown_prices.items()):
        print(
            f"{count} pay {price_id} ({words}), which no plan knows: --price {price_id}=PLAN", file=sys.stderr
        )
    for words in found.odd:
        print(words, file=sys.stderr)
    would = "" if apply else "would be "
    print(
        f"{found.payers} payers: {found.known} known, {found.linked} {would}linked to members,"
        f" {found.created} {would}given an account."
    )
    if found.unknown_prices or found.odd:
        raise SystemExit(1)


@billing.command()
def rehearse(
    with_stripe: Annotated[
        bool,
        typer.Option("--with-stripe", help="At Stripe's test mode, with STRIPE_SECRET_KEY (sk_test_…)."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON line for each step.")] = False,
) -> None:
    """Play a member's life before going live, in a business of its own that is thrown away; exit code 1 if it fails."""
    import asyncio
    import json

    from app.demo import rehearsal
    from app.demo.processes import Fault
    from app.demo.rehearsal_words import Told
    from app.errors import LimberError

    def tell(told: Told) -> None:
        print(json.dumps(told.as_json()) if as_json else "\n".join([*told.lines(), ""]), flush=True)

    try:
        wrong = asyncio.run(rehearsal.rehearse(tell, at_stripe=with_stripe))
    except LimberError as refused:
        raise SystemExit(refused.sentence) from None
    except Fault as fault:
        raise SystemExit(str(fault)) from None
    except asyncio.CancelledError:
        raise SystemExit("Stopped before its end.") from None
    for words in wrong:
        print(f"Went wrong: {words}", file=sys.stderr)
    if wrong:
        raise SystemExit(1)
    if not as_json:
        print("All of it went as it should.")
