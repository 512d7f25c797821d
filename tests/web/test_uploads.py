"""The tus endpoint, header by header: creation, offsets, checksums, ends, and everybody it refuses."""

import base64
import hashlib
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select, text, update

from app import db
from app.accounts.models import AuditEntry, User
from app.clock import utcnow
from app.settings import get_settings
from app.storage import local_path
from app.video import rules, upload_files
from app.video.models import Upload, Video
from tests import factories

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {"Content-Type": "application/offset+octet-stream"}
FILM = bytes(range(256)) * 40


def named(filename: str, filetype: str = "video/mp4") -> str:
    return ",".join(
        f"{key} {base64.b64encode(value.encode()).decode()}"
        for key, value in (("filename", filename), ("filetype", filetype))
    )


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    async with db.transaction() as session:
        user = await factories.staff(session)
    await factories.sign_in(client, user)
    return user


async def create(client: httpx.AsyncClient, length: int = len(FILM), name: str = "hip_flexor.MOV") -> str:
    answer = await client.post(
        "/studio/uploads", headers={**TUS, "Upload-Length": str(length), "Upload-Metadata": named(name)}
    )
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


async def send(
    client: httpx.AsyncClient, url: str, data: Any, offset: int = 0, extra: dict[str, str] | None = None
) -> httpx.Response:
    return await client.patch(
        url, content=data, headers={**TUS, **BYTES, "Upload-Offset": str(offset), **(extra or {})}
    )


async def video_of(answer: httpx.Response) -> Video:
    async with db.transaction() as session:
        return await session.get_one(Video, UUID(answer.headers["limber-video"]))


def problem(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["tus-resumable"] == "1.0.0"
    return str(answer.json()["detail"])


async def test_options_tells_what_this_server_can_do(client: httpx.AsyncClient, teacher: User) -> None:
    answer = await client.request("OPTIONS", "/studio/uploads")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-max-size"] == str(get_settings().max_upload_bytes)
    assert answer.headers["tus-checksum-algorithm"] == "sha1,sha256"
    assert set(answer.headers["tus-extension"].split(",")) == {
        "creation",
        "creation-with-upload",
        "expiration",
        "checksum",
        "termination",
    }


async def test_a_file_in_three_parts_becomes_a_video_with_its_work(
    client: httpx.AsyncClient, teacher: User
) -> None:
    url = await create(client)
    for start, end in ((0, 100), (100, 100), (100, 7000)):
        answer = await send(client, url, FILM[start:end], start)
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(end))
        assert "limber-video" not in answer.headers
        assert parsedate_to_datetime(answer.headers["upload-expires"]) > utcnow()
    told = await client.head(url, headers=TUS)
    assert told.status_code == 200
    assert told.headers["upload-offset"] == "7000"
    assert told.headers["upload-length"] == str(len(FILM))
    assert told.headers["upload-metadata"] == named("hip_flexor.MOV")
    assert told.headers["cache-control"] == "no-store"
    last = await send(client, url, FILM[7000:], 7000)
    assert last.status_code == 204
    video = await video_of(last)
    assert (video.title, video.source_filename, video.state) == ("hip flexor", "hip_flexor.MOV", "queued")
    place = local_path(video.source_key)
    assert place is not None
    assert place.read_bytes() == FILM
    assert not upload_files.path_of(UUID(url.rpartition("/")[2])).exists()
    again = await client.head(url, headers=TUS)
    assert again.headers["limber-video"] == str(video.id)
    assert again.headers["upload-offset"] == str(len(FILM))
    async with db.transaction() as session:
        works = (
            await session.execute(text("SELECT workflow_uuid, queue_name FROM dbos.workflow_status"))
        ).all()
        assert [tuple(work) for work in works] == [(f"transcode:{video.id}:1", "films")]
        entry = (await session.scalars(select(AuditEntry))).one()
        assert (entry.action, entry.actor_id) == ("video.upload", teacher.id)


async def test_bytes_may_come_with_the_creation(client: httpx.AsyncClient, teacher: User) -> None:
    headers = {**TUS, **BYTES, "Upload-Length": str(len(FILM)), "Upload-Metadata": named("a.mp4")}
    answer = await client.post("/studio/uploads", headers=headers, content=FILM)
    assert answer.status_code == 201
    assert answer.headers["upload-offset"] == str(len(FILM))
    assert (await video_of(answer)).source_bytes == len(FILM)
    part = await client.post("/studio/uploads", headers=headers, content=FILM[:10])
    assert (part.status_code, part.headers["upload-offset"]) == (201, "10")
    wrong = await client.post(
        "/studio/uploads", headers={**headers, "Content-Type": "text/plain"}, content=FILM
    )
    problem(wrong, 415)


async def test_a_wrong_offset_is_a_conflict_and_changes_nothing(
    client: httpx.AsyncClient, teacher: User
) -> None:
    url = await create(client)
    await send(client, url, FILM[:50])
    for offset in (0, 49, 51, len(FILM)):
        problem(await send(client, url, b"x" * 10, offset), 409)
    assert (await client.head(url, headers=TUS)).headers["upload-offset"] == "50"
    for odd in ("", "-1", "1.5", "abc", "9" * 30):
        problem(await send(client, url, b"x", extra={"Upload-Offset": odd}), 400)


async def test_more_bytes_than_announced_are_refused(client: httpx.AsyncClient, teacher: User) -> None:
    url = await create(client)

    async def endless() -> Any:
        for _n in range(30):
            yield FILM

    problem(await send(client, url, FILM + b"x"), 413)
    problem(await send(client, url, endless()), 413)
    last = await send(client, url, FILM)
    place = local_path((await video_of(last)).source_key)
    assert place is not None
    assert place.read_bytes() == FILM


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
async def test_a_damaged_part_is_thrown_away(
    client: httpx.AsyncClient, teacher: User, algorithm: str
) -> None:
    url = await create(client)
    digest = base64.b64encode(hashlib.new(algorithm, FILM[:500]).digest()).decode()
    right = {"Upload-Checksum": f"{algorithm} {digest}"}
    problem(await send(client, url, FILM[:499] + b"!", extra=right), 460)
    assert (await client.head(url, headers=TUS)).headers["upload-offset"] == "0"
    good = await send(client, url, FILM[:500], extra=right)
    assert (good.status_code, good.headers["upload-offset"]) == (204, "500")
    for odd in ("md5 " + digest, algorithm, f"{algorithm} not base64", f"{algorithm} AAAA"):
        problem(await send(client, url, FILM[500:510], 500, extra={"Upload-Checksum": odd}), 400)


async def test_another_version_of_tus_is_told_ours(client: httpx.AsyncClient, teacher: User) -> None:
    url = await create(client)
    for version in ("0.2.2", "2.0.0", ""):
        answer = await client.patch(url, headers={**BYTES, "Tus-Resumable": version, "Upload-Offset": "0"})
        problem(answer, 412)
        assert answer.headers["tus-version"] == "1.0.0"
    problem(await client.post("/studio/uploads", headers={"Upload-Length": "9"}), 412)
    assert (await client.head(url)).status_code == 412


async def test_a_body_of_another_type_is_refused(client: httpx.AsyncClient, teacher: User) -> None:
    url = await create(client)
    problem(await send(client, url, FILM, extra={"Content-Type": "application/octet-stream"}), 415)


@pytest.mark.parametrize(
    ("length", "filetype", "status", "words"),
    [
        ("0", "video/mp4", 422, "is empty"),
        ("99999999999999", "video/mp4", 413, "the most that is taken is"),
        ("5", "image/png", 422, "This is a picture."),
        ("5", "audio/mpeg", 422, "sound only"),
        ("5", "application/pdf", 422, "not a film"),
        ("-5", "video/mp4", 400, "whole number"),
        ("1e3", "video/mp4", 400, "whole number"),
        ("9" * 4301, "video/mp4", 400, "whole number"),
    ],
)
async def test_what_may_not_come_is_told_before_its_bytes(
    client: httpx.AsyncClient, teacher: User, length: str, filetype: str, status: int, words: str
) -> None:
    headers = {**TUS, "Upload-Length": length, "Upload-Metadata": named("x.mp4", filetype)}
    assert words in problem(await client.post("/studio/uploads", headers=headers), status)


async def test_a_length_that_is_not_known_yet_is_refused(client: httpx.AsyncClient, teacher: User) -> None:
    problem(await client.post("/studio/uploads", headers={**TUS, "Upload-Defer-Length": "1"}), 400)


@pytest.mark.parametrize("metadata", ["filename !!!", "filename YQ==,filename YQ==", "a " + "A" * 5000])
async def test_metadata_that_cannot_be_read_is_refused(
    client: httpx.AsyncClient, teacher: User, metadata: str
) -> None:
    headers = {**TUS, "Upload-Length": "5", "Upload-Metadata": metadata}
    problem(await client.post("/studio/uploads", headers=headers), 400)


@pytest.mark.parametrize(
    ("name", "filetype"),
    [
        ("00001.ts", "text/vnd.trolltech.linguist"),
        ("M2U00001.MOD", "audio/x-mod"),
        ("old.ogg", "audio/ogg"),
        ("phone.3gp", "audio/3gpp"),
    ],
)
async def test_a_film_whose_ending_the_computer_takes_for_another_may_come(
    client: httpx.AsyncClient, teacher: User, name: str, filetype: str
) -> None:
    headers = {**TUS, "Upload-Length": "5", "Upload-Metadata": named(name, filetype)}
    assert (await client.post("/studio/uploads", headers=headers)).status_code == 201


def test_a_file_for_which_there_is_no_room_is_refused_in_words() -> None:
    room = rules.Room(max_bytes=10**12, free_bytes=rules.RESERVE_BYTES + 5 * 10**9, promised_bytes=3 * 10**9)
    assert rules.refusal(2 * 10**9, "video/mp4", room) is None
    refused = rules.refusal(2 * 10**9 + 1, "video/mp4", room)
    assert isinstance(refused, rules.NoRoom)
    assert "there is room for 2 GB" in refused.sentence


async def test_bytes_that_were_promised_to_others_count_as_taken(
    client: httpx.AsyncClient, teacher: User
) -> None:
    from app.video import upload_standing

    async with db.transaction() as session:
        assert (await upload_standing.room(session)).promised_bytes == 0
    url = await create(client, length=1_000_000)
    await send(client, url, b"x" * 1000)
    async with db.transaction() as session:
        assert (await upload_standing.room(session)).promised_bytes == 999_000


async def test_an_upload_that_was_given_up_is_gone(client: httpx.AsyncClient, teacher: User) -> None:
    url = await create(client)
    await send(client, url, FILM[:50])
    path = upload_files.path_of(UUID(url.rpartition("/")[2]))
    assert path.exists()
    answer = await client.delete(url, headers=TUS)
    assert (answer.status_code, answer.headers["tus-resumable"]) == (204, "1.0.0")
    assert not path.exists()
    assert (await client.head(url, headers=TUS)).status_code == 404
    problem(await send(client, url, b"x", 50), 404)
    problem(await client.delete(url, headers=TUS), 404)


async def test_an_upload_that_expired_is_gone(client: httpx.AsyncClient, teacher: User) -> None:
    url = await create(client)
    async with db.transaction() as session:
        await session.execute(update(Upload).values(expires_at=utcnow() - timedelta(seconds=1)))
    assert (await client.head(url, headers=TUS)).status_code == 410
    assert "expired" in problem(await send(client, url, FILM), 410)


async def test_an_upload_whose_video_was_deleted_is_gone(client: httpx.AsyncClient, teacher: User) -> None:
    url = await create(client)
    video = await video_of(await send(client, url, FILM))
    async with db.transaction() as session:
        await session.delete(await session.get_one(Video, video.id))
    assert (await client.head(url, headers=TUS)).status_code == 410


async def test_unknown_uploads_are_not_found(client: httpx.AsyncClient, teacher: User) -> None:
    for name in (uuid4(), "x"):
        problem(await send(client, f"/studio/uploads/{name}", b"x"), 404)


async def test_a_method_may_be_named_in_a_header(client: httpx.AsyncClient, teacher: User) -> None:
    url = await create(client)
    headers = {**TUS, **BYTES, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    answer = await client.post(url, headers=headers, content=FILM[:5])
    assert (answer.status_code, answer.headers["upload-offset"]) == (204, "5")
    assert (await client.post(url, headers=TUS)).status_code == 404


async def test_only_staff_may_upload_and_only_to_their_own(client: httpx.AsyncClient, teacher: User) -> None:
    url = await create(client)

    async def refused_with(status: int) -> None:
        for method, path in (
            ("OPTIONS", "/studio/uploads"),
            ("POST", "/studio/uploads"),
            ("HEAD", url),
            ("PATCH", url),
            ("DELETE", url),
        ):
            answer = await client.request(
                method, path, headers={**TUS, **BYTES, "Upload-Length": "5", "Upload-Offset": "0"}
            )
            assert answer.status_code == status, (method, path)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["tus-resumable"] == "1.0.0"

    client.cookies.clear()
    await refused_with(401)
    async with db.transaction() as session:
        member, other = await factories.user(session), await factories.staff(session)
    await factories.sign_in(client, member)
    await refused_with(403)
    await factories.sign_in(client, other)
    assert "another account" in problem(await send(client, url, FILM), 403)
    assert (await client.head(url, headers=TUS)).status_code == 403
    problem(await client.delete(url, headers=TUS), 403)


async def test_a_request_from_another_site_is_refused(client: httpx.AsyncClient, teacher: User) -> None:
    url = await create(client)
    answer = await send(client, url, FILM, extra={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


async def test_bytes_beyond_the_offset_are_cut_off_before_more_is_written(
    client: httpx.AsyncClient, teacher: User
) -> None:
    """What a killed server had written, but not acknowledged."""
    url = await create(client)
    await send(client, url, FILM[:100])
    path = upload_files.path_of(UUID(url.rpartition("/")[2]))
    with path.open("ab") as file:
        file.write(b"never acknowledged" * 1000)
    last = await send(client, url, FILM[100:], 100)
    place = local_path((await video_of(last)).source_key)
    assert place is not None
    assert place.read_bytes() == FILM


async def test_bytes_that_are_missing_on_the_disk_are_asked_for_again(
    client: httpx.AsyncClient, teacher: User
) -> None:
    """A restored backup: the row knows more than the file has."""
    url = await create(client)
    await send(client, url, FILM[:100])
    path = Path(upload_files.path_of(UUID(url.rpartition("/")[2])))
    path.write_bytes(FILM[:60])
    problem(await send(client, url, FILM[100:], 100), 409)
    assert (await client.head(url, headers=TUS)).headers["upload-offset"] == "60"
    last = await send(client, url, FILM[60:], 60)
    assert (await video_of(last)).source_bytes == len(FILM)


async def test_creation_with_upload_compares_the_checksum(client: httpx.AsyncClient, teacher: User) -> None:
    sha = base64.b64encode(hashlib.sha256(FILM).digest()).decode()
    asked = {**TUS, **BYTES, "Upload-Length": str(len(FILM)), "Upload-Checksum": f"sha256 {sha}"}
    damaged = await client.post("/studio/uploads", content=FILM[:-1] + b"?", headers=asked)
    assert "damaged" in problem(damaged, 460)
    async with db.transaction() as session:
        assert list(await session.scalars(select(Upload))) == []
    whole = await client.post("/studio/uploads", content=FILM, headers=asked)
    assert whole.status_code == 201
    assert (await video_of(whole)).source_bytes == len(FILM)
