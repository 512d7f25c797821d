"""The studio's first page, its members and its trail, as a teacher meets them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from app import db
from app.access import entitlements
from app.accounts.models import AuditEntry, User
from app.articles.models import ContactMessage
from app.clock import utcnow
from app.web.studio.deed_words import SENTENCES
from tests import factories

APP = Path(__file__).resolve().parents[2] / "app"


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    """A member of staff who is signed in on the client."""
    async with db.transaction() as session:
        user = await factories.staff(session, email="teacher@example.com", name="Malia")
    await factories.sign_in(client, user)
    return user


async def someone(**values: str) -> User:
    async with db.transaction() as session:
        return await factories.user(session, **{"name": "Kai Mahoe", "email": "kai@example.com", **values})


async def trail() -> list[tuple[str, str]]:
    async with db.transaction() as session:
        rows = await session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [(row.action, row.subject_id) for row in rows]


# The same in every process, so that all of them collect the same tests.
ID = UUID(int=7)
PAGES = ["/studio", "/studio/members", f"/studio/members/{ID}", "/studio/activity"]
POSTS = [f"/studio/members/{ID}/{verb}" for verb in ("ban", "unban", "sign-out")]


@pytest.mark.parametrize("path", PAGES)
async def test_the_studio_is_closed_to_visitors_and_members(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 401
    await factories.sign_in(client, await someone())
    assert (await client.get(path)).status_code == 403


@pytest.mark.parametrize("path", POSTS)
async def test_only_staff_act_on_an_account(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.post(path)).status_code == 401
    await factories.sign_in(client, await someone())
    assert (await client.post(path)).status_code == 403


@pytest.mark.parametrize("path", POSTS)
async def test_an_unknown_account_is_not_found(client: httpx.AsyncClient, teacher: User, path: str) -> None:
    assert (await client.post(path, data={"reason": "x"})).status_code == 404


async def test_an_empty_today_says_that_nothing_waits(client: httpx.AsyncClient, teacher: User) -> None:
    page = await client.get("/studio")
    assert page.status_code == 200
    assert "Nothing at the moment." in page.text
    assert "Nobody has joined in the last seven days." in page.text


async def test_today_names_what_waits_what_failed_and_what_is_begun(
    client: httpx.AsyncClient, teacher: User
) -> None:
    async with db.transaction() as session:
        session.add(ContactMessage(name="Noa", email="noa@example.com", body="My hip hurts."))
        await factories.video(
            session, title="Deep rotators", state="failed", failure="There is no picture in it."
        )
        await factories.video(session, title="Hamstrings", state="encoding", percent=40)
        await factories.article(session, state="draft", published_at=None)
        course = await factories.course(session, state="draft")
        await factories.lesson(session, await factories.section(session, course), state="draft")
    await someone()
    page = (await client.get("/studio")).text
    for words in (
        "1 message is unanswered",
        "Deep rotators",
        "There is no picture in it.",
        "Hamstrings",
        "Encoding",
        "1 article is a draft",
        "1 course is a draft",
        "1 lesson is a draft",
        "1 person has joined.",
    ):
        assert words in page


@pytest.mark.parametrize("words", ["kai", "MAHOE", "kai@example", "  kai   mahoe "])
async def test_a_member_is_found_by_name_or_address(
    client: httpx.AsyncClient, teacher: User, words: str
) -> None:
    user = await someone()
    page = await client.get("/studio/members", params={"q": words})
    assert f"/studio/members/{user.id}" in page.text
    assert "teacher@example.com" not in page.text


@pytest.mark.parametrize("words", ["%", "_", "\x00%", "nobody at all"])
async def test_a_search_takes_no_wildcards(client: httpx.AsyncClient, teacher: User, words: str) -> None:
    await someone()
    assert "Nobody matches." in (await client.get("/studio/members", params={"q": words})).text


async def test_long_lists_have_pages(client: httpx.AsyncClient, teacher: User) -> None:
    async with db.transaction() as session:
        for _n in range(50):
            await factories.user(session)
    assert "Page 1 of 2" in (await client.get("/studio/members")).text
    assert "Malia" in (await client.get("/studio/members?page=2")).text
    for odd in ("0", "-1", "x", "²", "9" * 40):
        assert (await client.get("/studio/members", params={"page": odd})).status_code == 200


async def test_a_member_page_says_what_they_may_watch_and_why(
    client: httpx.AsyncClient, teacher: User
) -> None:
    user = await someone()
    async with db.transaction() as session:
        await entitlements.give(session, user.id, None, None, reason="a friend", by="Malia", now=utcnow())
    page = (await client.get(f"/studio/members/{user.id}")).text
    assert "Every course" in page
    assert "Malia: a friend" in page
    assert "Ends when you take it." in page


async def test_a_ban_signs_every_device_out_at_once(client: httpx.AsyncClient, teacher: User) -> None:
    user = await someone()
    theirs = httpx.AsyncClient(transport=client._transport, base_url=client.base_url)
    await factories.sign_in(theirs, user)
    assert (await theirs.get("/account")).status_code == 200
    answer = await client.post(f"/studio/members/{user.id}/ban", data={"reason": "Shared the password."})
    assert answer.status_code == 303
    assert (await theirs.get("/account")).status_code == 401
    page = (await client.get(answer.headers["location"])).text
    assert "Shared the password." in page
    assert "Not logged in anywhere." in page
    await client.post(f"/studio/members/{user.id}/unban")
    assert "Shared the password." not in (await client.get(f"/studio/members/{user.id}")).text
    assert await trail() == [("member.ban", str(user.id)), ("member.unban", str(user.id))]


async def test_a_ban_wants_a_reason_and_keeps_what_was_typed(
    client: httpx.AsyncClient, teacher: User
) -> None:
    user = await someone()
    path = f"/studio/members/{user.id}/ban"
    empty = await client.post(path, data={"reason": " \x00"})
    assert empty.status_code == 422
    assert "Please give a reason." in empty.text
    long = await client.post(path, data={"reason": "because " * 200})
    assert long.status_code == 422
    assert "because because" in long.text
    assert await trail() == []


async def test_staff_cannot_close_staff_accounts(client: httpx.AsyncClient, teacher: User) -> None:
    other = await someone(role="staff")
    for user in (teacher, other):
        answer = await client.post(f"/studio/members/{user.id}/ban", data={"reason": "x"})
        assert answer.status_code == 422
        assert "Reason" not in (await client.get(f"/studio/members/{user.id}")).text


async def test_signing_a_member_out_leaves_the_account_open(client: httpx.AsyncClient, teacher: User) -> None:
    user = await someone()
    theirs = httpx.AsyncClient(transport=client._transport, base_url=client.base_url)
    await factories.sign_in(theirs, user)
    await client.post(f"/studio/members/{user.id}/sign-out")
    assert (await theirs.get("/account")).status_code == 401
    await factories.sign_in(theirs, user)
    assert (await theirs.get("/account")).status_code == 200
    page = (await client.get("/studio/activity")).text
    assert "logged Kai Mahoe out everywhere" in page
    assert "Malia" in page


async def test_an_entry_without_an_actor_is_the_command_lines(
    client: httpx.AsyncClient, teacher: User
) -> None:
    async with db.transaction() as session:
        session.add(
            AuditEntry(action="staff.create", subject_kind="member", subject_id=str(teacher.id), detail={})
        )
    page = (await client.get("/studio/activity")).text
    assert "The command line" in page
    assert "made … a member of staff" in page


def recorded() -> Iterator[str]:
    """Every action that the application's text records, where it stands there as a plain string."""
    for path in APP.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            if call.func.attr == "record" and getattr(call.func.value, "id", "") == "audit":
                for part in ast.walk(call.args[2]):
                    word = part.value if isinstance(part, ast.Constant) else None
                    if isinstance(word, str) and re.fullmatch(r"[a-z]+\.[a-z_]+", word):
                        yield word


def test_every_recorded_action_has_its_sentence() -> None:
    found = set(recorded())
    assert len(found) > 15
    assert sorted(found - set(SENTENCES)) == []
