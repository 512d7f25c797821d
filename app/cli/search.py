"""`limber search`: make the index anew."""

import typer

from app.cli.opening import run_with_database

search = typer.Typer(no_args_is_help=True, help="What visitors find.")


@search.callback()
def _group() -> None:
    """Keeps `rebuild` a command of its own: typer would merge a lone one into the group."""


@search.command()
def rebuild() -> None:
    """Write everything that can be found into the index again; visitors go on finding meanwhile."""

    async def act() -> str:
        from app.finding import rebuilding

        done = await rebuilding.rebuild()
        return "Indexed " + ", ".join(f"{count} {name}" for name, count in done.items()) + "."

    print(run_with_database(act))
