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
