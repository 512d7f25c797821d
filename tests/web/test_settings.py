"""The studio's settings: the practice's facts and addresses, audited, and shown to everybody."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import select

from app import db
from app.accounts.models import AuditEntry, User
from app.practice.models import Location, Practice
from tests import factories

ID = UUID(int=7)
PLACES = "/studio/settings/locations"
REQUESTS = [
    ("GET", "/studio/settings"),
    ("POST", "/studio/settings"),
    ("GET", f"{PLACES}/new"),
    ("POST", PLACES),
    ("GET", f"{PLACES}/{ID}"),
    ("POST", f"{PLACES}/{ID}"),
    ("POST", f"{PLACES}/{ID}/up"),
    ("POST", f"{PLACES}/{ID}/delete"),
]
FACTS = {
    "site_name": " Kapahulu  Stretch ",
    "tagline": "Slowly.",
    "teacher_name": "Leilani Akana",
    "teacher_role": "teacher",
    "teacher_bio": "Nineteen\x00 years.",
    "contact_email": "desk@example.com",
}
PLACE = {
    "city": "Honolulu",
    "street": "1414 Kapahulu Lane",
    "phone": "(808) 555-0142",
    "hours": " Mon \r\n\r\nTue ",
}


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    async with db.transaction() as session:
        user = await factories.staff(session)
    await factories.sign_in(client, user)
    return user


async def places() -> list[Location]:
    async with db.transaction() as session:
        return list(await session.scalars(select(Location).order_by(Location.position)))


async def trail() -> list[str]:
    async with db.transaction() as session:
        return list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


@pytest.mark.parametrize(("method", "path"), REQUESTS)
async def test_only_staff_change_the_practice(client: httpx.AsyncClient, method: str, path: str) -> None:
    form = {**FACTS, **PLACE} if method == "POST" else None
    assert (await client.request(method, path, data=form)).status_code == 401
    async with db.transaction() as session:
        member = await factories.user(session)
    await factories.sign_in(client, member)
    assert (await client.request(method, path, data=form)).status_code == 403
    assert await places() == []


@pytest.mark.parametrize(("method", "path"), REQUESTS[4:])
async def test_an_unknown_address_is_not_found(
    client: httpx.AsyncClient, teacher: User, method: str, path: str
) -> None:
    form = PLACE if method == "POST" else None
    assert (await client.request(method, path, data=form)).status_code == 404


async def test_what_is_saved_stands_on_every_page(client: httpx.AsyncClient, teacher: User) -> None:
    assert (await client.get("/studio/settings")).status_code == 200
    answer = await client.post("/studio/settings", data=FACTS)
    page = (await client.get(answer.headers["location"])).text
    assert "Saved." in page
    assert 'value="Kapahulu Stretch"' in page
    home = (await client.get("/")).text
    assert "Nineteen years." in home
    assert "<title>Kapahulu Stretch</title>" in home
    await client.post("/studio/settings", data=FACTS)
    assert await trail() == ["practice.save"]


async def test_the_members_name_stands_in_the_player_only_when_the_teacher_wants_it(
    client: httpx.AsyncClient, teacher: User
) -> None:
    async with db.transaction() as session:
        course = await factories.course(session)
        lesson = await factories.lesson(session, await factories.section(session, course))
    address = f"/courses/{course.slug}/{lesson.slug}"
    assert "data-mark" not in (await client.get(address)).text
    await client.post("/studio/settings", data={**FACTS, "is_marking": "1"})
    assert f'aria-hidden="true">{teacher.name}</div>' in (await client.get(address)).text
    assert 'name="is_marking" value="1" checked' in (await client.get("/studio/settings")).text
    async with db.transaction() as session:
        nameless = await session.get_one(User, teacher.id)
        nameless.name = ""
    assert f'aria-hidden="true">{teacher.email}</div>' in (await client.get(address)).text
    await client.post("/studio/settings", data=FACTS)
    assert "data-mark" not in (await client.get(address)).text


async def test_days_and_times_are_told_in_the_zone_of_the_practice(
    client: httpx.AsyncClient, teacher: User
) -> None:
    async with db.transaction() as session:
        await factories.article(session, published_at=datetime(2026, 3, 2, 8, 30, tzinfo=UTC))
    assert "2 March 2026" in (await client.get("/articles")).text
    await client.post("/studio/settings", data={**FACTS, "time_zone": "Pacific/Honolulu"})
    page = (await client.get("/studio/settings")).text
    assert '<option value="Pacific/Honolulu" selected>Pacific/Honolulu</option>' in page
    assert "1 March 2026" in (await client.get("/articles")).text
    async with db.transaction() as session:
        noted = await session.scalar(select(AuditEntry.at))
    assert noted is not None
    told = noted.astimezone(ZoneInfo("Pacific/Honolulu"))
    assert f"{told:%Y, %H:%M}" in (await client.get("/studio/activity")).text


async def test_a_right_ends_on_the_day_that_it_is_at_the_practice(
    client: httpx.AsyncClient, teacher: User
) -> None:
    async with db.transaction() as session:
        member = await factories.user(session)
        await factories.entitlement(session, member, ends_at=datetime(2033, 3, 2, 8, 30, tzinfo=UTC))
    page = f"/studio/members/{member.id}"
    assert "Until 2 March 2033" in (await client.get(page)).text
    await client.post("/studio/settings", data={**FACTS, "time_zone": "Pacific/Honolulu"})
    assert "Until 1 March 2033" in (await client.get(page)).text


async def test_an_unknown_time_zone_is_refused(client: httpx.AsyncClient, teacher: User) -> None:
    answer = await client.post("/studio/settings", data={**FACTS, "time_zone": "Mars/Olympus"})
    assert answer.status_code == 422
    assert "Please choose one of the time zones." in answer.text
    assert 'id="time_zone-error"' in answer.text


async def test_wrong_settings_get_a_sentence_and_keep_what_was_typed(
    client: httpx.AsyncClient, teacher: User
) -> None:
    answer = await client.post("/studio/settings", data={**FACTS, "site_name": "", "contact_email": "desk"})
    assert answer.status_code == 422
    assert 'id="site_name-error"' in answer.text
    assert 'value="desk"' in answer.text
    assert "Nineteen years.</textarea>" in answer.text
    async with db.transaction() as session:
        assert await session.get(Practice, 1) is None


async def test_addresses_are_added_changed_moved_and_deleted(
    client: httpx.AsyncClient, teacher: User
) -> None:
    assert (await client.get(f"{PLACES}/new")).status_code == 200
    for city in ("Honolulu", "Kailua"):
        assert (await client.post(PLACES, data={**PLACE, "city": city})).status_code == 303
    first, second = await places()
    assert first.hours == "Mon\nTue"
    page = (await client.get("/studio/settings?did=location")).text
    assert "The addresses are saved." in page
    assert "Kailua" in page
    await client.post(f"{PLACES}/{second.id}/up")
    await client.post(f"{PLACES}/{second.id}/up")
    assert [place.city for place in await places()] == ["Kailua", "Honolulu"]
    page = (await client.get(f"{PLACES}/{first.id}")).text
    assert "Only readers understand this: “Mon”, “Tue”." in page
    hours = "Mon–Fri 9–5, Sat by appointment, Sun closed"
    answer = await client.post(f"{PLACES}/{first.id}", data={**PLACE, "hours": hours})
    page = (await client.get(answer.headers["location"])).text.replace("\u202f", " ")
    for words in (
        "Saved.",
        "<li>Mon–Fri 9:00 AM – 5:00 PM</li>",
        "<li>Sun closed</li>",
        "“Sat by appointment”.",
    ):
        assert words in page
    await client.post(f"{PLACES}/{first.id}", data={**PLACE, "city": "Hilo"})
    await client.post(f"{PLACES}/{second.id}/delete")
    assert [place.city for place in await places()] == ["Hilo"]
    assert await trail() == [
        "location.create",
        "location.create",
        "location.move",
        "location.save",
        "location.save",
        "location.delete",
    ]


@pytest.mark.parametrize("where", ["new", "old"])
async def test_a_wrong_address_gets_a_sentence_and_keeps_what_was_typed(
    client: httpx.AsyncClient, teacher: User, where: str
) -> None:
    path = PLACES
    if where == "old":
        await client.post(PLACES, data=PLACE)
        path = f"{PLACES}/{(await places())[0].id}"
    answer = await client.post(path, data={**PLACE, "city": "", "phone": "ask", "street": "Other street"})
    assert answer.status_code == 422
    assert 'id="city-error"' in answer.text
    assert 'id="phone-error"' in answer.text
    assert 'value="Other street"' in answer.text
