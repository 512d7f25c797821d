"""`limber videos`: have videos encoded again."""

from typing import Annotated
from uuid import UUID

import typer

from app.cli.opening import run_with_database

videos = typer.Typer(no_args_is_help=True, help="Videos and their streams.")


@videos.callback()
def _group() -> None:
    """Keeps `encode-again` a command of its own: typer would merge a lone one into the group."""


@videos.command("encode-again")
def encode_again(
    video_id: Annotated[UUID | None, typer.Argument(help="Id of the video, as in its address.")] = None,
    all_videos: Annotated[
        bool, typer.Option("--all", help="Every video: after a change of the ladder.")
    ] = False,
) -> None:
    """Queue a video, or all, to be encoded again from the uploaded file; what is shown goes on being shown."""
    if (video_id is None) is not all_videos:
        raise typer.BadParameter("give the id of a video, or --all")

    async def act() -> str:
        from app import db
        from app.clock import utcnow
        from app.video import editing, words

        async with db.transaction() as session:
            if video_id is None:
                done = await editing.retry_all(session, None, utcnow())
                return words.again(done.queued, done.under_way, done.no_original)
            video = await editing.retry(session, None, video_id, utcnow())
            return f"“{video.title}” waits to be encoded again."

    print(run_with_database(act))
