"""Free clips on the web: made in the studio by staff alone, served to everybody, and put into articles."""

from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from app import db, storage
from app.accounts.models import AuditEntry, User
from app.articles.markdown import render_article
from app.clock import utcnow
from app.video import clip_rules
from app.video.clip_models import Clip
from app.video.models import Video
from tests import factories
from tests.articles.forms import words_of

ID = UUID(int=7)
FORM = {"title": "Two seconds", "start": "0:02", "end": "0:12.5"}
PAGES = [
    ("GET", f"/studio/videos/{ID}/clips"),
    ("POST", f"/studio/videos/{ID}/clips"),
    ("POST", f"/studio/videos/{ID}/clips/{ID}/retry"),
    ("POST", f"/studio/videos/{ID}/clips/{ID}/delete"),
]


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    async with db.transaction() as session:
        user = await factories.staff(session, name="Leilani")
    await factories.sign_in(client, user)
    return user


async def film(**values: object) -> Video:
    async with db.transaction() as session:
        return await factories.video(session, **values)


async def clip_of(video: Video, **values: object) -> Clip:
    defaults = {
        "id": uuid4(),
        "video_id": video.id,
        "name": "two-seconds",
        "title": "Two seconds",
        "start_ms": 0,
        "end_ms": 5000,
        "state": "ready",
        "width_px": 1280,
        "height_px": 720,
        "ready_at": utcnow(),
    }
    async with db.transaction() as session:
        row: Clip = await factories.save(session, Clip(**{**defaults, **values}))
    await storage.put(f"{clip_rules.folder(row)}/{clip_rules.MP4}", b"0123456789")
    await storage.put(f"{clip_rules.folder(row)}/{clip_rules.POSTER}", b"\xff\xd8")
    return row


async def clips() -> list[Clip]:
    async with db.transaction() as session:
        return list(await session.scalars(select(Clip).order_by(Clip.created_at)))


@pytest.mark.parametrize(("method", "path"), PAGES)
async def test_visitors_are_asked_to_sign_in_and_members_refused(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    assert (await client.request(method, path)).status_code == 401
    async with db.transaction() as session:
        member = await factories.user(session)
    await factories.sign_in(client, member)
    assert (await client.request(method, path)).status_code == 403


@pytest.mark.parametrize(("method", "path"), PAGES)
async def test_what_is_not_there_is_not_found(
    client: httpx.AsyncClient, teacher: User, method: str, path: str
) -> None:
    assert (await client.request(method, path, data=FORM if method == "POST" else None)).status_code == 404


async def test_a_clip_is_begun_listed_and_named_by_its_title(
    client: httpx.AsyncClient, teacher: User
) -> None:
    video = await film()
    address = f"/studio/videos/{video.id}/clips"
    for _n in range(2):
        answer = await client.post(address, data=FORM)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{address}?done=added")
    rows = await clips()
    assert [(row.name, row.start_ms, row.end_ms, row.state) for row in rows] == [
        ("two-seconds", 2000, 12_500, "queued"),
        ("two-seconds-2", 2000, 12_500, "queued"),
    ]
    page = words_of((await client.get(f"{address}?done=added")).text)
    assert "It is being cut." in page
    assert "Waits for its turn" in page
    async with db.transaction() as session:
        assert list(await session.scalars(select(AuditEntry.action))) == ["clip.create", "clip.create"]


async def test_what_cannot_be_cut_is_told_beside_the_field_and_nothing_typed_is_lost(
    client: httpx.AsyncClient, teacher: User
) -> None:
    video = await film(duration_s=24.0)
    answer = await client.post(f"/studio/videos/{video.id}/clips", data={**FORM, "end": "0:23"})
    assert answer.status_code == 422
    assert 'id="end-error">A free clip lasts at most 20 seconds.' in answer.text
    assert 'value="0:23"' in answer.text
    assert await clips() == []
    waiting = await film(version=0, state="encoding")
    answer = await client.post(f"/studio/videos/{waiting.id}/clips", data=FORM)
    assert "The film has to be ready first." in words_of(answer.text)
    assert await clips() == []


async def test_one_that_failed_says_why_and_is_tried_again(client: httpx.AsyncClient, teacher: User) -> None:
    video = await film()
    row = await clip_of(video, state="failed", error="There is no space left to store this film.")
    address = f"/studio/videos/{video.id}/clips"
    assert "There is no space left" in (await client.get(address)).text
    assert (await client.post(f"{address}/{row.id}/retry")).status_code == 303
    assert [(one.state, one.turn, one.error) for one in await clips()] == [("queued", 2, None)]
    assert (await client.post(f"{address}/{row.id}/retry")).status_code == 422


async def test_everybody_gets_it_whole_and_in_ranges(client: httpx.AsyncClient) -> None:
    row = await clip_of(await film(), vtt="WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nHold\n", language="en")
    address = f"/clips/{row.id}/1"
    whole = await client.get(f"{address}/clip.mp4")
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (
        200,
        b"0123456789",
        "video/mp4",
    )
    assert whole.headers["cache-control"] == "public, max-age=86400"
    assert whole.headers["accept-ranges"] == "bytes"
    part = await client.get(f"{address}/clip.mp4", headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    assert (await client.get(f"{address}/clip.mp4", headers={"Range": "bytes=10-"})).status_code == 416
    assert (await client.get(f"{address}/poster.jpg")).headers["content-type"] == "image/jpeg"
    said = await client.get(f"{address}/captions.vtt")
    assert said.text.startswith("WEBVTT")
    assert said.headers["content-type"].startswith("text/vtt")


async def test_nobody_gets_what_is_not_ready_or_another_file(client: httpx.AsyncClient) -> None:
    video = await film()
    ready = await clip_of(video)
    early = await clip_of(video, name="early", state="running")
    for path in (
        f"/clips/{early.id}/1/clip.mp4",
        f"/clips/{ready.id}/2/clip.mp4",
        f"/clips/{ready.id}/1/captions.vtt",
        f"/clips/{ready.id}/1/picture.mp4",
        f"/clips/{ID}/1/clip.mp4",
        f"/clips/{ready.id}/1/..%2f1%2fclip.mp4",
    ):
        assert (await client.get(path)).status_code == 404, path


async def test_deleted_it_is_gone_at_once(client: httpx.AsyncClient, teacher: User) -> None:
    video = await film()
    row = await clip_of(video)
    assert (await client.post(f"/studio/videos/{video.id}/clips/{row.id}/delete")).status_code == 303
    assert (await client.get(f"/clips/{row.id}/1/clip.mp4")).status_code == 404
    other = await clip_of(await film())
    assert (await client.post(f"/studio/videos/{video.id}/clips/{other.id}/delete")).status_code == 404


async def test_an_article_shows_it_without_a_script_and_names_its_lesson(client: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        course = await factories.course(session, slug="hips")
        section = await factories.section(session, course)
        video = await factories.video(session)
        await factories.lesson(session, section, slug="strap", title="With a strap", video_id=video.id)
        text = "Before.\n\n::clip two-seconds\n\n::clip unknown\n\nAfter."
        await factories.article(session, slug="hold", body_md=text, body_html=render_article(text).html)
    row = await clip_of(video, vtt="WEBVTT\n\n", language="en")
    page = (await client.get("/articles/hold")).text
    assert f'<source src="/clips/{row.id}/1/clip.mp4" type="video/mp4">' in page
    assert (
        f'<track kind="captions" src="/clips/{row.id}/1/captions.vtt" srclang="en" label="English">' in page
    )
    assert 'preload="none" width="1280" height="720"' in page
    assert '<a href="/courses/hips/strap">With a strap</a>' in page
    assert page.count("<video") == 1
    assert "clip-here" not in page
    assert str(video.id) not in page


async def test_the_lesson_of_a_draft_is_not_named(client: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        course = await factories.course(session, state="draft")
        section = await factories.section(session, course)
        video = await factories.video(session)
        await factories.lesson(
            session, section, title="Hidden", video_id=video.id, available_at=utcnow() + timedelta(days=1)
        )
        await factories.article(session, slug="hold", body_html=render_article("::clip two-seconds").html)
    await clip_of(video)
    page = (await client.get("/articles/hold")).text
    assert "<video" in page
    assert "Hidden" not in page
