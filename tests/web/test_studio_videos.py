"""The studio's videos as a teacher meets them: states in words, another try, a title, a preview, an end."""

from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text

from app import db
from app.accounts.models import AuditEntry, User
from app.settings import get_settings
from app.video import progress, removal, rules
from app.video.models import Video
from tests import factories


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    async with db.transaction() as session:
        user = await factories.staff(session)
    await factories.sign_in(client, user)
    return user


async def video(**values: Any) -> Video:
    async with db.transaction() as session:
        return await factories.video(session, **values)


async def now_is(video_id: UUID) -> Video | None:
    async with db.transaction() as session:
        return await session.get(Video, video_id)


def stored(row: Video, name: str, data: bytes) -> Path:
    path = get_settings().media_dir / "videos" / str(row.id) / str(row.version) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


ID = UUID(int=7)
GETS = [
    "/studio/videos",
    "/studio/videos/events",
    f"/studio/videos/{ID}",
    f"/studio/videos/{ID}/poster.jpg",
    f"/studio/videos/{ID}/stream/1/master.m3u8",
]
POSTS = [f"/studio/videos/{ID}{rest}" for rest in ("", "/retry", "/stop", "/delete", "/preview")]


@pytest.mark.parametrize("path", GETS)
async def test_videos_are_closed_to_visitors_and_members(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 401
    async with db.transaction() as session:
        member = await factories.user(session)
    await factories.sign_in(client, member)
    assert (await client.get(path)).status_code == 403


@pytest.mark.parametrize("path", POSTS)
async def test_only_staff_change_videos(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.post(path)).status_code == 401
    async with db.transaction() as session:
        member = await factories.user(session)
    await factories.sign_in(client, member)
    assert (await client.post(path)).status_code == 403


@pytest.mark.parametrize("path", GETS[2:])
async def test_an_unknown_video_is_not_found(client: httpx.AsyncClient, teacher: User, path: str) -> None:
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize("path", POSTS)
async def test_nothing_is_done_to_an_unknown_video(
    client: httpx.AsyncClient, teacher: User, path: str
) -> None:
    assert (await client.post(path, data={"title": "x"})).status_code == 404


async def test_an_empty_list_names_the_next_step(client: httpx.AsyncClient, teacher: User) -> None:
    page = (await client.get("/studio/videos")).text
    assert "Drop videos here" in page
    assert 'data-endpoint="/studio/uploads"' in page
    assert 'data-events-url="/studio/videos/events"' in page
    assert "Uploading needs JavaScript." in page
    assert "No videos yet" in page


async def test_the_list_says_how_each_video_stands(client: httpx.AsyncClient, teacher: User) -> None:
    async with db.transaction() as session:
        course = await factories.course(session)
        used = await factories.video(session, title="Ready one")
        section = await factories.section(session, course)
        await factories.lesson(session, section, title="Deep rotators", video_id=used.id)
    busy = await video(title="Busy one", state="encoding", percent=40, version=0)
    await video(title="Broken one", state="failed", failure="There is no picture in it.", version=0)
    page = (await client.get("/studio/videos")).text
    assert "3 videos" in page
    assert "Encoding</span>" in page
    assert f'data-video-id="{busy.id}"' in page
    assert 'value="40"' in page
    assert "There is no picture in it." in page
    assert page.count("Try again") == 1
    assert "Deep rotators" in page
    assert f"/studio/videos/{used.id}/poster.jpg?v=1" in page
    assert f"/studio/videos/{busy.id}/poster.jpg" not in page


@pytest.mark.parametrize(
    ("words", "found"), [("HIP", True), ("flexor.mov", True), ("%", False), ("knee", False)]
)
async def test_a_video_is_found_by_title_or_file(
    client: httpx.AsyncClient, teacher: User, words: str, found: bool
) -> None:
    row = await video(title="Hip flexor", source_filename="FLEXOR.MOV")
    page = (await client.get("/studio/videos", params={"q": words})).text
    assert (str(row.id) in page) is found
    assert ("No video has these words" in page) is not found


async def test_the_page_of_a_video_tells_its_facts(client: httpx.AsyncClient, teacher: User) -> None:
    rung = {
        "name": "720p", "folder": "v720", "width_px": 1280, "height_px": 720, "fps": 25.0, "codecs": "avc1,mp4a",
        "bandwidth_bps": 2_812_345, "average_bps": 2_000_000, "size_bytes": 12_345_678,
    }  # fmt: skip
    row = await video(title="Hip <b>", source_bytes=1_234_567_890, renditions=[rung])
    page = (await client.get(f"/studio/videos/{row.id}")).text
    for words in ("Hip &lt;b&gt;", "1.2 GB", "1280 × 720", "2.8 Mbit/s", "12 MB", "0:24", "None yet."):
        assert words in page
    assert f'data-start-url="/studio/videos/{row.id}/preview"' in page


async def test_a_failed_video_is_tried_again(client: httpx.AsyncClient, teacher: User) -> None:
    row = await video(state="failed", failure="It broke.", version=0, percent=30)
    answer = await client.post(f"/studio/videos/{row.id}/retry")
    assert answer.status_code == 303
    after = await now_is(row.id)
    assert after is not None
    assert (after.state, after.failure, after.percent, after.attempt) == ("queued", None, 0, 2)
    page = (await client.get(answer.headers["location"])).text
    assert "It waits for its turn" in page
    async with db.transaction() as session:
        works = (await session.scalars(text("SELECT workflow_uuid FROM dbos.workflow_status"))).all()
        assert works == [f"transcode:{row.id}:2"]
        entry = (await session.scalars(select(AuditEntry))).one()
        assert (entry.action, entry.subject_id, entry.actor_id) == ("video.retry", str(row.id), teacher.id)
    again = await client.post(f"/studio/videos/{row.id}/retry")
    assert again.status_code == 409
    assert "being worked on already" in again.text


async def test_a_video_gets_another_title(client: httpx.AsyncClient, teacher: User) -> None:
    row = await video()
    answer = await client.post(f"/studio/videos/{row.id}", data={"title": "  Deep   rotators "})
    assert answer.status_code == 303
    assert "The title is saved." in (await client.get(answer.headers["location"])).text
    after = await now_is(row.id)
    assert after is not None
    assert after.title == "Deep rotators"
    for bad, words in (
        (" ", "Give the video a title."),
        ("x" * 201, "too long by 1"),
        ("a\0b", "cannot be kept"),
    ):
        refused = await client.post(f"/studio/videos/{row.id}", data={"title": bad})
        assert refused.status_code == 422
        assert words in refused.text
    assert "x" * 200 in (await client.post(f"/studio/videos/{row.id}", data={"title": "x" * 201})).text


async def test_a_video_that_a_lesson_shows_is_not_deleted(client: httpx.AsyncClient, teacher: User) -> None:
    async with db.transaction() as session:
        section = await factories.section(session, await factories.course(session))
        lesson = await factories.lesson(session, section, title="Deep rotators")
    assert lesson.video_id is not None
    assert "Delete the video" not in (await client.get(f"/studio/videos/{lesson.video_id}")).text
    answer = await client.post(f"/studio/videos/{lesson.video_id}/delete")
    assert answer.status_code == 409
    assert "is shown in the lesson “Deep rotators”" in answer.text
    assert await now_is(lesson.video_id) is not None


async def test_a_deleted_video_is_gone_with_its_files(client: httpx.AsyncClient, teacher: User) -> None:
    row = await video(title="Old")
    segment = stored(row, "v720/seg_00001.m4s", b"x")
    source = get_settings().media_dir / "sources" / str(row.id) / "original.mp4"
    source.parent.mkdir(parents=True)
    source.write_bytes(b"x")
    await removal.remove(str(row.id))
    assert segment.exists()
    answer = await client.post(f"/studio/videos/{row.id}/delete")
    assert (answer.status_code, answer.headers["location"]) == (303, "/studio/videos")
    assert await now_is(row.id) is None
    async with db.transaction() as session:
        works = (await session.scalars(text("SELECT workflow_uuid FROM dbos.workflow_status"))).all()
        assert works == [f"remove_video_files:{row.id}"]
    await removal.remove(str(row.id))
    assert not segment.parent.parent.parent.exists()
    assert not source.parent.exists()


async def test_only_the_newest_stream_is_kept(client: httpx.AsyncClient, teacher: User) -> None:
    row = await video(version=2)
    new = stored(row, "master.m3u8", b"new")
    row.version = 1
    old = stored(row, "master.m3u8", b"old")
    assert row.ready_at is not None
    await removal.remove_old(row.ready_at + removal.OLD_FOR)
    assert old.exists()
    await removal.remove_old(row.ready_at + removal.OLD_FOR * 1.01)
    assert not old.parent.exists()
    assert new.exists()


async def test_staff_see_frame_and_stream_before_any_lesson_does(
    client: httpx.AsyncClient, teacher: User
) -> None:
    row = await video()
    stored(row, "poster-small.jpg", b"\xff\xd8\xff")
    stored(row, "master.m3u8", b"#EXTM3U")
    stored(row, "v720/seg_00001.m4s", b"0123456789")
    poster = await client.get(f"/studio/videos/{row.id}/poster.jpg?v=1")
    assert (poster.status_code, poster.headers["content-type"]) == (200, "image/jpeg")
    assert "private" in poster.headers["cache-control"]
    granted = await client.post(f"/studio/videos/{row.id}/preview", json={"native": False})
    assert granted.status_code == 201
    url = granted.json()["playlist_url"]
    assert (await client.get(url)).text == "#EXTM3U"
    part = await client.get(url.replace("master.m3u8", "v720/seg_00001.m4s"), headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"234")
    for name in ("../1/master.m3u8", "v720/../master.m3u8", "%2e%2e/x.mp4", "secret.txt", "v720/none.m4s"):
        assert (await client.get(url.replace("master.m3u8", name))).status_code == 404 or ".." in name
    waiting = await video(state="queued", version=0)
    assert (await client.post(f"/studio/videos/{waiting.id}/preview")).status_code == 409
    assert (await client.get(f"/studio/videos/{waiting.id}/poster.jpg")).status_code == 404


def test_a_title_is_made_of_the_file_name() -> None:
    assert rules.title_from("hip_flexor-01.MOV") == "hip flexor 01"
    assert rules.title_from(".mp4") == ".mp4"


async def test_work_that_does_not_move_is_pointed_out(client: httpx.AsyncClient, teacher: User) -> None:
    from datetime import timedelta

    from app.clock import utcnow

    await video(state="queued", version=0, changed_at=utcnow() - timedelta(minutes=11))
    assert "perhaps no worker is running" in (await client.get("/studio/videos")).text
    await video(state="encoding", version=0)
    assert "perhaps no worker is running" not in (await client.get("/studio/videos")).text


async def test_a_video_that_is_worked_on_is_stopped_and_tried_again(
    client: httpx.AsyncClient, teacher: User
) -> None:
    row = await video(state="encoding", percent=40, version=0, attempt=3)
    assert f'action="/studio/videos/{row.id}/stop"' in (await client.get(f"/studio/videos/{row.id}")).text
    answer = await client.post(f"/studio/videos/{row.id}/stop")
    assert answer.status_code == 303
    after = await now_is(row.id)
    assert after is not None
    assert (after.state, after.attempt) == ("failed", 4)
    page = (await client.get(f"/studio/videos/{row.id}")).text
    assert "You stopped this." in page
    assert "Try again" in page
    # Whoever had begun it may neither go on nor end it.
    assert not await progress.begin(row.id, 3)
    with pytest.raises(progress.Lost):
        await progress.Report(row.id, 3).say("packaging")
    again = await client.post(f"/studio/videos/{row.id}/stop")
    assert again.status_code == 409
    assert "nothing to stop" in again.text
    assert (await client.post(f"/studio/videos/{row.id}/retry")).status_code == 303
    after = await now_is(row.id)
    assert after is not None
    assert (after.state, after.attempt, after.failure) == ("queued", 5, None)
    async with db.transaction() as session:
        deeds = set(await session.scalars(select(AuditEntry.action)))
    assert deeds == {"video.stop", "video.retry"}


async def test_encoding_again_says_kindly_that_the_original_is_gone(
    client: httpx.AsyncClient, teacher: User
) -> None:
    row = await video(source_key="")
    page = (await client.get(f"/studio/videos/{row.id}")).text
    assert "Encode again" not in page
    assert "uploaded file was not kept" in page
    answer = await client.post(f"/studio/videos/{row.id}/retry")
    assert answer.status_code == 409
    assert "upload the film once more" in answer.text


async def test_all_videos_are_encoded_again_but_those_under_way(
    client: httpx.AsyncClient, teacher: User
) -> None:
    first, second = await video(), await video(state="failed", failure="It broke.")
    await video(state="encoding")
    await video(source_key="")
    assert "Encode all again" in (await client.get("/studio/videos")).text
    answer = await client.post("/studio/videos/encode-all-again")
    assert answer.status_code == 303
    page = (await client.get(answer.headers["location"])).text
    assert "2 videos wait to be encoded again. 1 is being worked on already and was left." in page
    assert "The uploaded file of 1 was not kept" in page
    async with db.transaction() as session:
        works = set(await session.scalars(text("SELECT workflow_uuid FROM dbos.workflow_status")))
        entries = (await session.scalars(select(AuditEntry))).all()
    assert works == {f"transcode:{first.id}:2", f"transcode:{second.id}:2"}
    assert {entry.subject_id for entry in entries} == {str(first.id), str(second.id)}


async def test_only_staff_encode_all_again(client: httpx.AsyncClient) -> None:
    assert (await client.post("/studio/videos/encode-all-again")).status_code == 401
    async with db.transaction() as session:
        member = await factories.user(session)
    await factories.sign_in(client, member)
    assert (await client.post("/studio/videos/encode-all-again")).status_code == 403
