"""The studio's inbox."""

from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from app import db
from app.accounts.models import AuditEntry, User
from app.articles.models import ContactMessage
from app.clock import utcnow
from tests import factories

ID = UUID(int=7)
REQUESTS = [
    ("GET", "/studio/messages"),
    ("POST", "/studio/messages/spam"),
    ("POST", f"/studio/messages/{ID}/handled"),
    ("POST", f"/studio/messages/{ID}/open"),
]


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    async with db.transaction() as session:
        user = await factories.staff(session)
    await factories.sign_in(client, user)
    return user


async def put(name: str = "Ana", **values: object) -> ContactMessage:
    async with db.transaction() as session:
        words = {"email": "ana@example.com", "body": f"Words of {name} <b>\n\nMore."}
        row: ContactMessage = await factories.save(
            session, ContactMessage(**{"name": name, **words, **values})
        )
        return row


@pytest.mark.parametrize(("method", "path"), REQUESTS)
async def test_only_staff_read_messages(client: httpx.AsyncClient, method: str, path: str) -> None:
    assert (await client.request(method, path)).status_code == 401
    async with db.transaction() as session:
        member = await factories.user(session)
    await factories.sign_in(client, member)
    assert (await client.request(method, path)).status_code == 403


async def test_a_message_is_dealt_with_and_that_is_taken_back(
    client: httpx.AsyncClient, teacher: User
) -> None:
    row = await put(phone="555 0100")
    page = (await client.get("/studio/messages")).text
    assert "Words of Ana &lt;b&gt;" in page
    assert 'href="mailto:ana@example.com?subject=' in page
    assert 'href="tel:' in page
    answer = await client.post(f"/studio/messages/{row.id}/handled")
    page = (await client.get(answer.headers["location"])).text
    assert "Marked as dealt with." in page
    assert "Words of Ana" not in page
    assert "Words of Ana" in (await client.get("/studio/messages?state=handled")).text
    await client.post(f"/studio/messages/{row.id}/open")
    assert "Words of Ana" in (await client.get("/studio/messages")).text
    async with db.transaction() as session:
        assert list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))) == [
            "message.handle",
            "message.reopen",
        ]


async def test_what_may_be_spam_is_marked_waits_and_is_dealt_with_a_page_at_a_time(
    client: httpx.AsyncClient, teacher: User
) -> None:
    person = await put("Ben")
    traps = [await put(f"Trap{n}", is_held=True, is_trapped=True) for n in range(3)]
    page = (await client.get("/studio/messages")).text
    assert page.count("Perhaps spam: not mailed") == page.count("A hidden field was filled in") == 3
    assert "3 messages here may be spam." in page
    assert str(person.id) not in page.partition('action="/studio/messages/spam"')[2].partition("</form>")[0]
    today = (await client.get("/studio")).text
    assert "1 message is unanswered" in today
    assert "3 messages were not mailed to you: they may be spam" in today
    # One that came while she looked, and a person's that somebody names by hand, are left as they are.
    ids = [str(row.id) for row in (*traps[:2], person)]
    answer = await client.post("/studio/messages/spam", data={"id": ids})
    page = (await client.get(answer.headers["location"])).text
    assert "2 messages are marked as dealt with." in page
    assert ("Words of Trap2" in page, "Words of Trap1" in page, "Words of Ben" in page) == (True, False, True)
    assert "here may be spam." not in page
    assert "Words of Trap1" in (await client.get("/studio/messages?state=handled")).text


async def test_an_unknown_message_is_not_found(client: httpx.AsyncClient, teacher: User) -> None:
    for verb in ("handled", "open"):
        assert (await client.post(f"/studio/messages/{ID}/{verb}")).status_code == 404
        assert (await client.post(f"/studio/messages/x/{verb}")).status_code == 404


async def test_empty_and_long_inboxes_and_odd_addresses_all_draw(
    client: httpx.AsyncClient, teacher: User
) -> None:
    assert "No open messages" in (await client.get("/studio/messages")).text
    assert "None here." in (await client.get("/studio/messages?state=handled")).text
    for n in range(31):
        await put(f"P{n}", handled_at=utcnow() if n % 2 else None)
    for n in range(20):
        await put(f"Q{n}")
    second = await client.get("/studio/messages?page=2&just=nonsense")
    assert second.status_code == 200
    assert "Page 2 of 2" in second.text
