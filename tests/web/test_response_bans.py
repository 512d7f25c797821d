"""Who may not respond: by account, by address in all its spellings, by network for a time; told or not, and undone."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from app import db
from app.accounts.models import AuditEntry, User
from app.articles.models import Article, Ban, Comment
from app.clock import utcnow
from app.settings import get_settings
from tests import factories
from tests.articles.forms import stamp, words_of
from tests.conftest import application
from tests.letters import letters

ID = UUID(int=7)
BANS = "/studio/responses/bans"
POSTS = [BANS, f"{BANS}/{ID}/lift", f"{BANS}/{ID}/restore", f"/studio/responses/{ID}/ban"]


@pytest.fixture
async def article(client: httpx.AsyncClient) -> Article:
    async with db.transaction() as session:
        return await factories.article(session, slug="hips", title="Hips")


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    async with db.transaction() as session:
        user = await factories.staff(session, name="Leilani", email="teacher@example.com")
    await factories.sign_in(client, user)
    return user


@pytest.fixture
async def guest(client: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """A visitor's browser, beside the teacher's."""
    transport = httpx.ASGITransport(
        app=application(), raise_app_exceptions=False, client=("203.0.113.9", 50000)
    )
    async with httpx.AsyncClient(
        transport=transport, base_url=get_settings().base_url, headers={"Accept": "text/html"}
    ) as browser:
        yield browser


async def send(guest: httpx.AsyncClient, article: Article, body: str, **values: str) -> httpx.Response:
    form = {"name": "Dana", "email": "dana@gmail.com", "stamp": stamp(f"respond:{article.id}"), **values}
    return await guest.post("/articles/hips/responses", data={**form, "body": body})


async def stored(body: str) -> Comment:
    async with db.transaction() as session:
        return (await session.scalars(select(Comment).where(Comment.body_md == body))).one()


async def sent(guest: httpx.AsyncClient, article: Article, body: str, **values: str) -> Comment:
    assert (await send(guest, article, body, **values)).status_code == 303
    return await stored(body)


async def bans() -> list[Ban]:
    async with db.transaction() as session:
        return list(await session.scalars(select(Ban).order_by(Ban.created_at)))


async def trail() -> list[str]:
    async with db.transaction() as session:
        return list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


@pytest.mark.parametrize("path", [BANS, f"/studio/responses/{ID}/ban", *POSTS])
async def test_only_staff_see_and_change_bans(client: httpx.AsyncClient, path: str) -> None:
    methods = ("GET", "POST") if path in (BANS, f"/studio/responses/{ID}/ban") else ("POST",)
    for method in methods:
        assert (await client.request(method, path)).status_code == 401
    async with db.transaction() as session:
        member = await factories.user(session)
    await factories.sign_in(client, member)
    for method in methods:
        assert (await client.request(method, path, data={"who": "a@example.com"})).status_code == 403
    assert await bans() == []


async def test_a_banned_address_is_thanked_and_goes_to_spam_in_every_spelling(
    client: httpx.AsyncClient, guest: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    row = await sent(guest, article, "Buy.")
    before = len(await letters())
    answer = await client.post(
        f"/studio/responses/{row.id}/ban", data={"person": "1", "reason": "Sells pills."}
    )
    assert answer.status_code == 303
    (ban,) = await bans()
    assert (ban.kind, ban.value, ban.writer, ban.reason, ban.ends_at) == (
        "address", "dana@gmail.com", row.writer, "Sells pills.", None,
    )  # fmt: skip
    assert (await stored("Buy.")).state == "spam"
    again = await sent(guest, article, "Under another address.", email="diana@gmail.com")
    assert again.state == "spam", "the same browser"
    guest.cookies.clear()
    for n, email in enumerate(["dana@gmail.com", "DANA@gmail.com", "d.a.n.a+new@googlemail.com"]):
        answer = await send(guest, article, f"Again {n}", email=email)
        assert answer.headers["location"] == "/articles/hips?held=1#respond", "as for anybody"
        found = await stored(f"Again {n}")
        assert (found.state, found.cause) == ("spam", "ban"), email
    guest.cookies.clear()
    assert (await sent(guest, article, "Somebody else.", email="diana@gmail.com")).state == "pending"
    assert len(await letters()) == before + 1


async def test_a_banned_browsers_edit_does_not_stay_on_the_page(
    client: httpx.AsyncClient, guest: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    row = await sent(guest, article, "Kind.")
    async with db.transaction() as session:
        (await session.get_one(Comment, row.id)).state = "approved"
    await client.post(BANS, data={"who": "dana+x@gmail.com"})
    assert (await guest.post(f"/responses/{row.id}/edit", data={"body": "Unkind."})).status_code == 303
    found = await stored("Unkind.")
    assert (found.state, found.cause) == ("pending", "ban")


async def test_a_banned_account_reads_why_and_keeps_its_words(
    client: httpx.AsyncClient, guest: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    async with db.transaction() as session:
        member = await factories.user(session, name="Kimo")
    await factories.sign_in(guest, member)
    row = await sent(guest, article, "Rude.")
    await client.post(f"/studio/responses/{row.id}/ban", data={"person": "1"})
    (ban,) = await bans()
    assert (ban.kind, ban.user_id) == ("account", member.id)
    answer = await send(guest, article, "Ruder.")
    assert answer.status_code == 403
    assert "You cannot respond here any more." in answer.text
    assert "Ruder.</textarea>" in answer.text
    assert (await guest.get("/library")).status_code == 200, "what they pay for stays theirs"
    page = (await client.get(BANS)).text
    assert f'href="/studio/members/{member.id}"' in page
    guest.cookies.clear()
    row = await sent(guest, article, "As a guest.", email=member.email.upper())
    assert row.state == "spam", "and is not told: anybody could have typed it"
    await factories.sign_in(guest, member)
    await client.post(f"{BANS}/{ban.id}/lift")
    assert (await sent(guest, article, "Sorry.")).state == "pending"


async def test_a_closed_account_that_is_opened_anew_is_still_banned(
    client: httpx.AsyncClient, guest: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    async with db.transaction() as session:
        member = await factories.user(session, email="kimo@example.com")
    await factories.sign_in(guest, member)
    row = await sent(guest, article, "Rude.")
    await client.post(f"/studio/responses/{row.id}/ban", data={"person": "1"})
    async with db.transaction() as session:
        await session.delete(await session.get_one(User, member.id))
    async with db.transaction() as session:
        again = await factories.user(session, email="kimo+2@example.com")
    await factories.sign_in(guest, again)
    assert (await send(guest, article, "Rude again.")).status_code == 403
    assert "kimo@example.com" in (await client.get(BANS)).text


async def test_a_member_with_a_banned_address_reads_it_too(
    client: httpx.AsyncClient, guest: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    """Otherwise joining would be the way around; and this address is known to be theirs."""
    async with db.transaction() as session:
        member = await factories.user(session, email="dana+joined@gmail.com")
    await client.post(BANS, data={"who": "dana@gmail.com"})
    await factories.sign_in(guest, member)
    assert (await send(guest, article, "Hello.")).status_code == 403


async def test_a_closed_network_says_until_when_and_members_are_still_heard(
    client: httpx.AsyncClient, guest: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    row = await sent(guest, article, "Buy.")
    await client.post(f"/studio/responses/{row.id}/ban", data={"days": "7", "reason": "Floods"})
    (ban,) = await bans()
    assert (ban.kind, ban.value) == ("network", "203.0.113.9/32")
    guest.cookies.clear()
    answer = await send(guest, article, "I only live here.", email="other@example.com")
    assert answer.status_code == 403
    assert "are not taken until" in answer.text
    assert "I only live here.</textarea>" in answer.text
    async with db.transaction() as session:
        member = await factories.user(session)
    await factories.sign_in(guest, member)
    assert (await sent(guest, article, "I am a member.")).state == "pending"
    guest.cookies.clear()
    async with db.transaction() as session:
        (await session.get_one(Ban, ban.id)).ends_at = utcnow() - timedelta(seconds=1)
    assert (await sent(guest, article, "A week later.", email="other@example.com")).state == "pending"
    assert "203.0.113.9" not in (await client.get(BANS)).text


async def test_a_network_cannot_be_closed_for_good_and_staff_cannot_be_banned(
    client: httpx.AsyncClient, guest: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    row = await sent(guest, article, "Buy.")
    for form in ({"days": "3650"}, {"days": "x"}, {}, {"person": "1", "reason": "x" * 601}):
        answer = await client.post(f"/studio/responses/{row.id}/ban", data=form)
        assert answer.status_code == 422, form
        assert "Buy." in answer.text
    for who, days in (("203.0.113.0/24", ""), ("10.0.0.0/8", "7"), ("nonsense", ""), ("a@@b", "")):
        assert (await client.post(BANS, data={"who": who, "days": days})).status_code == 422, who
    assert await bans() == []
    assert (await stored("Buy.")).state == "pending"
    await client.post(f"/studio/responses/{row.id}/reply", data={"body": "No."})
    mine = await stored("No.")
    assert (await client.get(f"/studio/responses/{mine.id}/ban")).status_code == 404
    await client.post("/studio/responses/moderate", data={"action": "ban", "id": str(mine.id)})
    assert await bans() == []
    await client.post(BANS, data={"who": "teacher@example.com"})
    answer = await send(client, article, "I am staff.")
    assert "held" not in answer.headers["location"]


async def test_many_writers_are_banned_at_once_and_all_of_it_is_undone(
    client: httpx.AsyncClient, guest: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    rows = []
    for n in range(3):
        guest.cookies.clear()
        rows.append(await sent(guest, article, f"Buy {n}", email=f"d{n % 2}@example.com"))
    ids = [f"{row.id}.0" for row in rows]
    answer = await client.post("/studio/responses/moderate", data={"action": "ban", "id": ids})
    page = await client.get(answer.headers["location"])
    assert "3 responses marked as spam. 3 writers banned." in words_of(page.text)
    assert {(await stored(f"Buy {n}")).state for n in range(3)} == {"spam"}
    made = [ban.id for ban in await bans()]
    form = {
        "action": "ban",
        "was": [f"{row.id}.pending" for row in rows],
        "ban": [str(each) for each in made],
    }
    for each in made:
        assert f'name="ban" value="{each}"' in page.text
    await client.post("/studio/responses/undo", data=form)
    assert {(await stored(f"Buy {n}")).state for n in range(3)} == {"pending"}
    assert all(ban.lifted_at is not None for ban in await bans())
    assert (await sent(guest, article, "And now?", email="d0@example.com")).state == "pending"
    assert set(await trail()) == {"response.spam", "response.ban", "response.unban", "response.undo"}


async def test_what_else_came_from_the_browser_goes_along_and_not_what_others_wrote_under_the_address(
    client: httpx.AsyncClient, guest: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    row = await sent(guest, article, "Buy.")
    await sent(guest, article, "Buy more.", email="else@example.com")
    guest.cookies.clear()
    await sent(guest, article, "The real Dana.")
    page = (await client.get(f"/studio/responses/{row.id}/ban")).text
    assert "Also mark 1 other response from the same account or browser" in page
    await client.post(f"/studio/responses/{row.id}/ban", data={"person": "1", "others": "1"})
    assert (await stored("Buy more.")).state == "spam"
    assert (await stored("The real Dana.")).state == "pending"


async def test_a_ban_is_lifted_and_that_is_taken_back(
    client: httpx.AsyncClient, guest: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    await client.post(BANS, data={"who": "Dana@gmail.com", "reason": "<b>Pills</b>"})
    (ban,) = await bans()
    assert (await client.post(BANS, data={"who": "d.ana@gmail.com"})).status_code == 422, "stands already"
    page = (await client.get(BANS)).text
    assert "&lt;b&gt;Pills" in page
    answer = await client.post(f"{BANS}/{ban.id}/lift")
    page = (await client.get(answer.headers["location"])).text
    assert "They may respond again." in page
    assert (await sent(guest, article, "Free.")).state == "pending"
    assert (await client.post(f"{BANS}/{ban.id}/lift")).status_code == 404
    await client.post(f"{BANS}/{ban.id}/restore")
    assert (await client.post(f"{BANS}/{ban.id}/restore")).status_code == 404
    guest.cookies.clear()
    assert (await sent(guest, article, "Not free.")).state == "spam"
    assert (await client.post(f"{BANS}/{uuid4()}/lift")).status_code == 404
