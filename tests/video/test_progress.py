"""What a film says of itself while several of its parts are worked on at the same time."""

from app import db
from app.video import words
from app.video.models import Video
from app.video.progress import Report, begin
from tests.video.test_transcode import add_video


async def test_a_film_goes_on_saying_what_it_waits_for_while_another_part_is_worked_on(
    database: db.Database,
) -> None:
    video_id = await add_video(b"a film")
    assert await begin(video_id, 1)
    report = Report(video_id, 1)
    await report.part(0, 10)
    assert await says(video_id) == ("encoding", "", 10)
    await report.say("queued", words.NO_ROOM)
    await report.part(1, 20)
    assert await says(video_id) == ("queued", words.NO_ROOM, 30)
    # The part that waited is tried again.
    await report.say("encoding")
    await report.part(0, 15)
    assert await says(video_id) == ("encoding", "", 35)


async def says(video_id: object) -> tuple[str, str, int]:
    async with db.transaction() as session:
        video = await session.get_one(Video, video_id)
    return video.state, video.stage, video.percent
