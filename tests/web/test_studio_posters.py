"""The studio's choice of a film's poster, and where it is seen afterwards."""

import io
import re
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from PIL import Image
from sqlalchemy import select, text

from app import db
from app.accounts.models import AuditEntry, User
from app.playback.models import Progress
from app.settings import get_settings
from app.video.models import Video
from tests import factories

ID = UUID(int=7)


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    async with db.transaction() as session:
        user = await factories.staff(session)
    await factories.sign_in(client, user)
    return user


def stored(key: str, data: bytes) -> None:
    path = get_settings().media_dir / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


async def film(**values: object) -> Video:
    async with db.transaction() as session:
        row = await factories.video(session, **{"poster_times": [4000, 8000, 22_000], **values})
    place = f"videos/{row.id}/1"
    for name, data in (("poster.jpg", b"auto"), ("poster-small.jpg", b"auto-small")):
        stored(f"{place}/{name}", data)
    for at_ms in row.poster_times:
        stored(f"{place}/posters/{at_ms}/poster.jpg", b"%d" % at_ms)
        stored(f"{place}/posters/{at_ms}/poster-small.jpg", b"%d-small" % at_ms)
    return row


async def now_is(video_id: UUID) -> Video:
    async with db.transaction() as session:
        return await session.get_one(Video, video_id)


def picture(kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (1000, 600), (200, 120, 40)).save(out, kind)
    return out.getvalue()


def upload(data: bytes) -> dict[str, tuple[str, bytes, str]]:
    return {"picture": ("me.jpg", data, "image/jpeg")}


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("GET", "/posters/4000.jpg"),
        ("POST", "/poster"),
        ("POST", "/poster/remove"),
        ("POST", "/poster/picture"),
    ],
)
async def test_posters_are_chosen_by_staff_alone(client: httpx.AsyncClient, method: str, rest: str) -> None:
    path = f"/studio/videos/{ID}{rest}"
    assert (await client.request(method, path)).status_code == 401
    async with db.transaction() as session:
        member = await factories.user(session)
    await factories.sign_in(client, member)
    assert (await client.request(method, path)).status_code == 403


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("GET", "/posters/auto.jpg"),
        ("POST", "/poster"),
        ("POST", "/poster/remove"),
        ("POST", "/poster/picture"),
    ],
)
async def test_an_unknown_film_has_no_poster(
    client: httpx.AsyncClient, teacher: User, method: str, rest: str
) -> None:
    assert (await client.request(method, f"/studio/videos/{ID}{rest}")).status_code == 404


async def test_the_page_offers_what_the_film_has(client: httpx.AsyncClient, teacher: User) -> None:
    row = await film()
    page = (await client.get(f"/studio/videos/{row.id}")).text
    # The first of the film's own is what Limber chose, and is there once.
    assert re.findall(r'name="poster" value="(\w+)"( checked)?', page) == [
        ("auto", " checked"), ("8000", ""), ("22000", ""),
    ]  # fmt: skip
    assert "At 0:22" in page
    for name, data in (("auto", b"auto-small"), ("8000", b"8000-small")):
        answer = await client.get(f"/studio/videos/{row.id}/posters/{name}.jpg?v=1")
        assert (answer.status_code, answer.content) == (200, data)
    for name in ("own", "9000", "99999999999", "..%2Fposter"):
        assert (await client.get(f"/studio/videos/{row.id}/posters/{name}.jpg")).status_code == 404


async def test_a_film_without_a_stream_offers_nothing(client: httpx.AsyncClient, teacher: User) -> None:
    row = await film(version=0, state="encoding", poster_times=[])
    assert 'name="poster"' not in (await client.get(f"/studio/videos/{row.id}")).text


async def test_a_choice_is_seen_wherever_the_poster_is(client: httpx.AsyncClient, teacher: User) -> None:
    row = await film()
    async with db.transaction() as session:
        course = await factories.course(session, slug="hips")
        lesson = await factories.lesson(
            session, await factories.section(session, course), slug="one", video_id=row.id, is_free=True
        )
        session.add(Progress(user_id=teacher.id, lesson_id=lesson.id, position_s=9))
    pages = ("/", "/courses", "/courses/hips", "/courses/hips/one", "/library", "/studio/videos")
    before = {path: _posters((await client.get(path)).text) for path in pages}
    answer = await client.post(f"/studio/videos/{row.id}/poster", data={"poster": "22000"})
    assert answer.status_code == 303
    assert "The poster is changed." in (await client.get(answer.headers["location"])).text
    for path in pages:
        assert before[path], path
        assert not before[path] & _posters((await client.get(path)).text), path
    assert (await client.get(f"/posters/{lesson.id}.jpg")).content == b"22000"
    assert (await client.get(f"/posters/{lesson.id}-small.jpg")).content == b"22000-small"
    assert (await client.get(f"/studio/videos/{row.id}/poster.jpg")).content == b"22000-small"
    async with db.transaction() as session:
        assert [entry.action for entry in await session.scalars(select(AuditEntry))] == ["video.poster"]

    assert (await client.post(f"/studio/videos/{row.id}/poster", data={"poster": "auto"})).status_code == 303
    assert (await client.get(f"/posters/{lesson.id}.jpg")).content == b"auto"
    after = await now_is(row.id)
    assert (after.poster_choice, after.poster_at_ms, after.poster_version) == ("auto", None, 2)


def _posters(page: str) -> set[str]:
    return set(re.findall(r"/(?:posters/[\w-]+|studio/videos/[\w-]+/poster)\.jpg\?v=[\d.]+", page))


async def test_the_same_choice_again_changes_nothing(client: httpx.AsyncClient, teacher: User) -> None:
    row = await film()
    for _ in range(2):
        await client.post(f"/studio/videos/{row.id}/poster", data={"poster": "8000"})
    assert (await now_is(row.id)).poster_version == 1


@pytest.mark.parametrize("wanted", ["", "own", "9000", "-1", "１", "9" * 30, "../x"])
async def test_what_is_not_offered_is_refused(client: httpx.AsyncClient, teacher: User, wanted: str) -> None:
    row = await film()
    answer = await client.post(f"/studio/videos/{row.id}/poster", data={"poster": wanted})
    assert answer.status_code == 422
    assert "not offered any more" in answer.text
    assert (await now_is(row.id)).poster_version == 0


async def test_an_own_picture_becomes_the_poster_and_the_next_one_replaces_it(
    client: httpx.AsyncClient, teacher: User
) -> None:
    row = await film()
    url = f"/studio/videos/{row.id}/poster/picture"
    answer = await client.post(url, files=upload(picture("PNG")))
    assert answer.status_code == 303
    first = await now_is(row.id)
    assert (first.poster_choice, first.poster_version) == ("own", 1)
    page = (await client.get(answer.headers["location"])).text
    assert 'value="own" checked' in page
    assert f"posters/own.jpg?v={first.poster_own}" in page
    shown = await client.get(f"/studio/videos/{row.id}/poster.jpg")
    assert Image.open(io.BytesIO(shown.content)).size == (640, 384)
    await client.post(url, files=upload(picture()))
    second = await now_is(row.id)
    assert second.poster_own != first.poster_own
    async with db.transaction() as session:
        works = (await session.scalars(text("SELECT name FROM dbos.workflow_status"))).all()
        assert works == ["remove_own_poster"], "the first one's files go"
    assert (await client.post(f"/studio/videos/{row.id}/poster/remove")).status_code == 303
    after = await now_is(row.id)
    assert (after.poster_choice, after.poster_own, after.poster_version) == ("auto", "", 3)
    assert (await client.post(f"/studio/videos/{row.id}/poster/remove")).status_code == 409


async def test_an_own_picture_can_wait_while_another_is_shown(
    client: httpx.AsyncClient, teacher: User
) -> None:
    row = await film()
    await client.post(f"/studio/videos/{row.id}/poster/picture", files=upload(picture()))
    await client.post(f"/studio/videos/{row.id}/poster", data={"poster": "8000"})
    assert (await client.get(f"/studio/videos/{row.id}/posters/own.jpg")).status_code == 200
    await client.post(f"/studio/videos/{row.id}/poster/remove")
    after = await now_is(row.id)
    assert (after.poster_choice, after.poster_at_ms, after.poster_own) == ("time", 8000, "")


async def test_what_is_no_picture_is_refused_beside_its_field(
    client: httpx.AsyncClient, teacher: User
) -> None:
    row = await film()
    url = f"/studio/videos/{row.id}/poster/picture"
    for files, words in (
        (upload(b"Hold for two seconds."), "This is no picture"),
        ({"picture": ("", b"", "application/octet-stream")}, "Choose a picture first."),
    ):
        answer = await client.post(url, files=files)
        assert answer.status_code == 422
        assert words in answer.text
        assert 'aria-invalid="true"' in answer.text
    assert (await now_is(row.id)).poster_own == ""
    assert not (get_settings().media_dir / "videos" / str(row.id) / "own").exists()


async def test_a_picture_may_be_larger_than_other_forms_but_not_endless(
    client: httpx.AsyncClient, teacher: User
) -> None:
    row = await film()
    url = f"/studio/videos/{row.id}/poster/picture"
    answer = await client.post(url, files=upload(picture() + b"\0" * 3_000_000))
    assert answer.status_code == 303
    assert (await client.post(url, files=upload(b"x" * 15_100_000))).status_code == 413
    assert (await client.post(url, files=upload(b"x" * 17_000_000))).status_code == 413
    assert (await client.post(f"/studio/videos/{row.id}", files=upload(b"x" * 3_000_000))).status_code == 413


def test_the_web_server_takes_as_much_as_a_picture_has() -> None:
    conf = (Path(__file__).parent.parent.parent / "deploy/nginx/site.conf").read_text()
    assert "client_max_body_size 16m;" in conf
