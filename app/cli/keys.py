"""`limber keys`: the keys that sign playback tokens, renewed while everything runs."""

from typing import Annotated

import typer

from app.cli.opening import run_with_database

keys = typer.Typer(no_args_is_help=True, help="Keys that sign playback tokens.")


@keys.callback()
def _keys() -> None:
    """A group of its own, although it has one command so far."""


@keys.command()
def rotate(
    at_once: Annotated[
        bool, typer.Option(help="End the old keys with it: somebody knows one. Native players stop.")
    ] = False,
) -> None:
    """Make a new key. Every process signs with it after 15 s, without a restart; old tokens live out their time."""
    from app import db
    from app.clock import utcnow
    from app.playback import keyring
    from app.playback.models import MediaKey

    async def make() -> MediaKey:
        async with db.transaction() as session:
            return await keyring.rotate(session, utcnow(), at_once=at_once)

    made = run_with_database(make)
    print(f"Key {made.kid} signs from {made.signs_at:%Y-%m-%d %H:%M:%S} UTC.")
    print(f"From {made.alone_from:%Y-%m-%d %H:%M:%S} UTC on no older key opens anything.")
