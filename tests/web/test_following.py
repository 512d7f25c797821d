"""Hearing of answers: confirmed first, told once, ended with one click; nobody is mailed who was not let in."""

import re
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.accounts.models import User
from app.accounts.permissions import Viewer
from app.articles import moderating
from app.articles.models import Article, Comment, Follow
from app.clock import utcnow
from app.mail import render
from tests import factories
from tests.articles.forms import stamp
from tests.letters import letters

URL = "/articles/hips/responses"


@pytest.fixture
async def article(client: httpx.AsyncClient) -> Article:
    async with db.transaction() as session:
        await factories.staff(session, email="teacher@example.com", name="Leilani")
        return await factories.article(session, slug="hips", title="Hips")


async def respond(
    client: httpx.AsyncClient, article: Article, email: str, parent: UUID | None = None
) -> Comment:
    """A guest's response that asks for answers."""
    form = {
        "name": email.partition("@")[0].title(),
        "email": email,
        "body": f"From {email}.",
        "stamp": stamp(f"respond:{article.id}"),
        "replies": "1",
        "parent": str(parent or ""),
    }
    assert (await client.post(URL, data=form)).status_code == 303
    async with db.transaction() as session:
        row = await session.scalar(select(Comment).where(Comment.body_md == f"From {email}."))
        assert row is not None
        return row


async def the_teacher(session: AsyncSession) -> Viewer:
    user = (await session.scalars(select(User).where(User.email == "teacher@example.com"))).one()
    return Viewer(user.id, user.id, user.name, user.email, is_staff=True, is_confirmed=True)


async def let_in(*comments: Comment) -> None:
    async with db.transaction() as session:
        staff = await the_teacher(session)
        await moderating.moderate(session, staff, [one.id for one in comments], "approve", utcnow())


async def told(template: str) -> list[tuple[str, dict[str, str]]]:
    return [(one["to"], one["context"]) for one in await letters() if one["template"] == template]


async def confirmed(
    client: httpx.AsyncClient, article: Article, email: str, parent: UUID | None = None
) -> Comment:
    """The same, let in and confirmed from its mail."""
    comment = await respond(client, article, email, parent)
    await let_in(comment)
    for to, context in await told("follow_confirm"):
        if to == email:
            token = context["url"].partition("token=")[2]
            answer = await client.post("/responses/follow", data={"token": token})
            assert "You get a mail when somebody answers you" in answer.text
    return comment


async def test_nothing_is_mailed_before_the_teacher_has_let_it_in_and_the_address_is_confirmed(
    client: httpx.AsyncClient, article: Article
) -> None:
    ana = await respond(client, article, "ana@example.com")
    assert await told("follow_confirm") == []
    await let_in(ana)
    ((to, context),) = await told("follow_confirm")
    assert to == "ana@example.com"
    ben = await respond(client, article, "ben@example.com", ana.id)
    await let_in(ben)
    assert await told("new_reply") == [], "not confirmed"
    shown = await client.get("/responses/follow?token=" + context["url"].partition("token=")[2])
    assert "Yes, tell me" in shown.text
    async with db.transaction() as session:
        assert all(one.confirmed_at is None for one in await session.scalars(select(Follow))), (
            "a GET is no yes"
        )


async def test_an_answer_is_told_once_to_everybody_above_it_but_its_writer(
    client: httpx.AsyncClient, article: Article
) -> None:
    ana = await confirmed(client, article, "ana@example.com")
    ben = await confirmed(client, article, "ben@example.com", ana.id)
    assert [to for to, _context in await told("new_reply")] == ["ana@example.com"]
    async with db.transaction() as session:
        staff = await the_teacher(session)
        reply = await moderating.answer(session, staff, ben.id, "Both of you: slowly.", utcnow())
    assert sorted(to for to, _context in await told("new_reply")) == [
        "ana@example.com",
        "ana@example.com",
        "ben@example.com",
    ]
    async with db.transaction() as session:
        decided = await moderating.moderate(session, staff, [reply.id], "hold", utcnow())
        await moderating.undo(session, staff, decided.before, "hold", utcnow())
    assert len(await told("new_reply")) == 3, "shown again is not told again"


async def test_who_confirmed_once_is_not_asked_again(client: httpx.AsyncClient, article: Article) -> None:
    await confirmed(client, article, "ana@example.com")
    form = {"body": "Another one.", "name": "Ana", "email": "ana@example.com", "replies": "1"}
    stamped = {**form, "stamp": stamp(f"respond:{article.id}")}
    assert (await client.post(URL, data=stamped)).status_code == 303
    async with db.transaction() as session:
        other = await session.scalar(select(Comment).where(Comment.body_md == "Another one."))
    assert other is not None
    await let_in(other)
    assert len(await told("follow_confirm")) == 1
    await let_in(await respond(client, article, "ben@example.com", other.id))
    assert [to for to, _context in await told("new_reply")] == ["ana@example.com"]


async def test_nobody_can_have_the_owner_of_a_confirmed_address_mailed(
    client: httpx.AsyncClient, article: Article
) -> None:
    """They write with it from another browser, before and after its owner has confirmed it."""
    before = await respond(client, article, "ana@example.com")
    async with db.transaction() as session:
        row = await session.get_one(Comment, before.id)
        row.body_md, row.writer = "By a stranger.", UUID(int=9)
    own = await respond(client, article, "ana@example.com")
    await let_in(own)
    ((_to, context),) = await told("follow_confirm")
    await client.post("/responses/follow", data={"token": context["url"].partition("token=")[2]})
    client.cookies.clear()
    async with db.transaction() as session:
        (await session.get_one(Comment, own.id)).body_md = "Ana's own."
    after = await respond(client, article, "ana@example.com")
    async with db.transaction() as session:
        followed = {one.comment_id: one.confirmed_at for one in await session.scalars(select(Follow))}
    assert followed[own.id] is not None
    assert followed[before.id] is None
    assert followed[after.id] is None


@pytest.mark.parametrize("everywhere", [False, True])
async def test_one_click_in_the_mail_program_ends_it(
    client: httpx.AsyncClient, article: Article, everywhere: bool
) -> None:
    ana = await confirmed(client, article, "ana@example.com")
    second = await confirmed(client, article, "ana+2@example.com")
    await let_in(await respond(client, article, "ben@example.com", ana.id))
    ((to, context),) = await told("new_reply")
    letter = render("new_reply", to, context)
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    found = re.fullmatch(r"<https?://[^/]+(/.+)>", letter["List-Unsubscribe"])
    assert found
    assert "Stop these mails" in (await client.get(found[1])).text
    data = {"List-Unsubscribe": "One-Click", **({"everywhere": "1"} if everywhere else {})}
    assert "Done." in (await client.post(found[1], data=data)).text
    await let_in(await respond(client, article, "eve@example.com", ana.id))
    assert len(await told("new_reply")) == 1
    await let_in(await respond(client, article, "kai@example.com", second.id))
    assert len(await told("new_reply")) == 2, "another address is another person"


async def test_who_ended_it_can_ask_for_it_again_with_the_first_link(
    client: httpx.AsyncClient, article: Article
) -> None:
    ana = await confirmed(client, article, "ana@example.com")
    ((_to, asked),) = await told("follow_confirm")
    await let_in(await respond(client, article, "ben@example.com", ana.id))
    ((_to, answered),) = await told("new_reply")
    await client.post(answered["unsubscribe_url"].replace("https://limber.test", ""))
    token = asked["url"].partition("token=")[2]
    again = await client.post("/responses/follow", data={"token": token})
    assert "You get a mail when somebody answers you" in again.text
    await let_in(await respond(client, article, "eve@example.com", ana.id))
    assert len(await told("new_reply")) == 2, "what the page said is so"


async def test_a_members_address_needs_no_confirmation(client: httpx.AsyncClient, article: Article) -> None:
    async with db.transaction() as session:
        user = await factories.user(session)
    await factories.sign_in(client, user)
    assert (await client.post(URL, data={"body": "As a member.", "replies": "1"})).status_code == 303
    async with db.transaction() as session:
        (follow,) = await session.scalars(select(Follow))
    assert follow.confirmed_at is not None


async def test_a_link_that_was_tampered_with_changes_nothing(
    client: httpx.AsyncClient, article: Article
) -> None:
    await confirmed(client, article, "ana@example.com")
    for path in ("/responses/follow", "/responses/unfollow"):
        dead = await client.get(f"{path}?token=nonsense")
        assert dead.status_code == 410
        # Who wants no more mails and has a broken link must reach somebody.
        main = dead.text.partition("<main")[2].partition("</main>")[0]
        assert ('href="/contact"' in main) == (path == "/responses/unfollow")
        assert (await client.post(f"{path}?token=nonsense", data={"token": "nonsense"})).status_code == 410
    async with db.transaction() as session:
        assert all(one.ended_at is None for one in await session.scalars(select(Follow)))
