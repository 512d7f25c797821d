"""`limber access`: why somebody may watch a lesson, or may not."""

from typing import Annotated

import typer

from app.cli.opening import run_with_database

access = typer.Typer(no_args_is_help=True, help="Who may watch what, and why.")


@access.callback()
def _access() -> None:
    """A group of its own, although it has one command so far."""


@access.command()
def explain(
    email: Annotated[str, typer.Argument(help="The member's address.")],
    lesson: Annotated[str, typer.Argument(help="The lesson: course/lesson, as in its address.")],
) -> None:
    """Facts, rule, answer, and what would change it. Exit code 1 when the member may not watch."""
    from app import db
    from app.access.why import Answer, why
    from app.clock import utcnow

    async def ask() -> Answer:
        async with db.transaction() as session:
            return await why(session, email, lesson, utcnow())

    answer = run_with_database(ask)
    for line in answer.lines:
        print(line)
    if not answer.may_watch:
        raise SystemExit(1)
