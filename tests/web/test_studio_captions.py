"""Captions and chapters in the studio: added, edited, deleted, refused with the line at fault, closed to others."""

from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select, text

from app import db
from app.accounts.models import AuditEntry, User
from app.video.captions_models import CaptionTrack, Chapter
from app.video.models import Video
from tests import factories

VTT = "WEBVTT\n\n00:01.000 --> 00:02.500\nLie on your <i>back</i>.\n"
CANONICAL = "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nLie on your <i>back</i>.\n"


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    async with db.transaction() as session:
        user = await factories.staff(session)
    await factories.sign_in(client, user)
    return user


@pytest.fixture
async def film(teacher: User) -> Video:
    async with db.transaction() as session:
        return await factories.video(session)


async def add(client: httpx.AsyncClient, film: Video, data: bytes, **values: str) -> httpx.Response:
    return await client.post(
        f"/studio/videos/{film.id}/captions",
        data={"language": "en", **values},
        files={"file": ("captions.vtt", data, "text/vtt")},
    )


async def kept(film: Video) -> list[CaptionTrack]:
    async with db.transaction() as session:
        return list(await session.scalars(select(CaptionTrack).where(CaptionTrack.video_id == film.id)))


async def trail() -> list[tuple[str, str]]:
    async with db.transaction() as session:
        rows = await session.execute(select(AuditEntry.action, AuditEntry.subject_id).order_by(AuditEntry.at))
        return [(action, subject) for action, subject in rows]


async def work() -> int:
    """How many times captions are to be published."""
    async with db.transaction() as session:
        rows = await session.scalars(text("SELECT name FROM dbos.workflow_status"))
        return list(rows).count("publish_captions")


PATHS = [
    ("GET", "/captions"),
    ("POST", "/captions"),
    ("POST", "/chapters"),
    ("GET", f"/captions/{UUID(int=3)}"),
    ("POST", f"/captions/{UUID(int=3)}"),
    ("POST", f"/captions/{UUID(int=3)}/delete"),
]


@pytest.mark.parametrize(("method", "rest"), PATHS)
async def test_captions_are_closed_to_visitors_and_members(
    client: httpx.AsyncClient, method: str, rest: str
) -> None:
    path = f"/studio/videos/{UUID(int=7)}{rest}"
    assert (await client.request(method, path)).status_code == 401
    async with db.transaction() as session:
        member = await factories.user(session)
    await factories.sign_in(client, member)
    assert (await client.request(method, path)).status_code == 403


@pytest.mark.parametrize(("method", "rest"), PATHS)
async def test_captions_of_an_unknown_video_are_not_found(
    client: httpx.AsyncClient, teacher: User, method: str, rest: str
) -> None:
    path = f"/studio/videos/{uuid4()}{rest}"
    answer = await client.request(method, path, data={"chapters": "0:00 a"} if method == "POST" else None)
    assert answer.status_code == 404


async def test_a_file_becomes_captions_that_are_on_their_way_into_the_stream(
    client: httpx.AsyncClient, film: Video
) -> None:
    answer = await add(client, film, VTT.encode(), language="pt-BR")
    assert answer.status_code == 303
    page = await client.get(answer.headers["location"])
    assert "The captions are added." in page.text
    assert "Lie on your &lt;i&gt;back&lt;/i&gt;." in page.text
    (track,) = await kept(film)
    assert (track.language, track.label, track.vtt) == ("pt-BR", "Português (Brasil)", CANONICAL)
    assert ("captions.add", str(film.id)) in await trail()
    assert await work() == 1
    overview = (await client.get(f"/studio/videos/{film.id}/captions")).text
    assert "Português (Brasil)" in overview
    assert f"/studio/videos/{film.id}/captions" in (await client.get(f"/studio/videos/{film.id}")).text
    assert "added captions to “A film” (Português (Brasil))" in (await client.get("/studio/activity")).text


@pytest.mark.parametrize(
    ("data", "status", "sentence"),
    [
        (b"", 422, "This file is empty."),
        (b"\x89PNG\r\n\x1a\n", 422, "This is not a text file."),
        (b"WEBVTT\n\n00:03.000 --> 00:02.000\na\n", 422, "Line 3: this caption ends before it begins."),
        (b"WEBVTT\n\n00:30.000 --> 00:31.000\na\n", 422, "Line 3: this caption begins after the end"),
        (b"a" * 600_000, 413, "This file is too large for captions."),
    ],
)
async def test_a_file_that_cannot_be_used_is_refused_beside_its_field(
    client: httpx.AsyncClient, film: Video, data: bytes, status: int, sentence: str
) -> None:
    answer = await add(client, film, data, label="My name")
    assert answer.status_code == status
    assert sentence in answer.text
    assert 'id="file-error"' in answer.text
    assert "My name" in answer.text
    assert await kept(film) == []
    assert await work() == 0


async def test_a_form_without_a_file_asks_for_one(client: httpx.AsyncClient, film: Video) -> None:
    answer = await client.post(f"/studio/videos/{film.id}/captions", data={"language": "en", "file": ""})
    assert answer.status_code == 422
    assert "This file is empty." in answer.text


async def test_a_language_has_one_track(client: httpx.AsyncClient, film: Video) -> None:
    await add(client, film, VTT.encode())
    answer = await add(client, film, VTT.encode(), language="EN")
    assert answer.status_code == 409
    assert "There are captions in this language already." in answer.text
    assert 'id="language-error"' in answer.text
    assert (await add(client, film, VTT.encode(), language="../x")).status_code == 422


async def test_words_are_edited_and_what_is_wrong_comes_back_with_its_line(
    client: httpx.AsyncClient, film: Video
) -> None:
    url = (await add(client, film, VTT.encode())).headers["location"].partition("?")[0]
    wrong = "WEBVTT\n\n00:01.000 --> 00:02.000\nOne\n\n00:0x.000 --> 00:03.000\nTwo\n"
    answer = await client.post(url, data={"label": "English", "vtt": wrong})
    assert answer.status_code == 422
    assert "Line 6: this time cannot be read." in answer.text
    assert "Two" in answer.text
    answer = await client.post(url, data={"label": "For you", "vtt": wrong.replace("0x", "02")})
    assert answer.status_code == 303
    (track,) = await kept(film)
    assert track.label == "For you"
    assert track.vtt.endswith("00:00:02.000 --> 00:00:03.000\nTwo\n")
    # Saved again as it is: nothing changed, so nothing to do.
    await client.post(url, data={"label": "For you", "vtt": track.vtt})
    assert await work() == 2
    assert [action for action, _id in await trail()].count("captions.edit") == 1


async def test_captions_are_deleted(client: httpx.AsyncClient, film: Video) -> None:
    url = (await add(client, film, VTT.encode())).headers["location"].partition("?")[0]
    assert (await client.post(f"{url}/delete")).status_code == 303
    assert await kept(film) == []
    assert await work() == 2
    assert ("captions.delete", str(film.id)) in await trail()
    assert (await client.get(url)).status_code == 404


async def test_captions_of_another_video_are_not_found(client: httpx.AsyncClient, film: Video) -> None:
    await add(client, film, VTT.encode())
    (track,) = await kept(film)
    async with db.transaction() as session:
        other = await factories.video(session)
    for method, rest in (("GET", ""), ("POST", ""), ("POST", "/delete")):
        path = f"/studio/videos/{other.id}/captions/{track.id}{rest}"
        assert (await client.request(method, path)).status_code == 404
    assert len(await kept(film)) == 1


async def test_chapters_are_lines_and_come_back_as_lines(client: httpx.AsyncClient, film: Video) -> None:
    url = f"/studio/videos/{film.id}"
    answer = await client.post(f"{url}/chapters", data={"chapters": "0:12 Rotators\r\n0:00 Warm-up\r\n"})
    assert answer.status_code == 303
    page = (await client.get(answer.headers["location"])).text
    assert "The chapters are saved." in page
    assert "0:00 Warm-up\n0:12 Rotators\n" in page
    await client.post(f"{url}/chapters", data={"chapters": "0:00 Warm-up\n0:12 Hips"})
    refused = await client.post(f"{url}/chapters", data={"chapters": "0:00 Warm-up\n0:30 Late"})
    assert refused.status_code == 422
    assert "Line 2: this is after the end of the film." in refused.text
    assert "0:30 Late" in refused.text
    async with db.transaction() as session:
        rows = await session.scalars(select(Chapter.title).order_by(Chapter.at_s))
        assert list(rows) == ["Warm-up", "Hips"]
    assert [action for action, _id in await trail()].count("chapters.save") == 2
