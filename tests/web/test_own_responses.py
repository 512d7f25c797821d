"""One's own response: changed and taken back within ten minutes, by its writer alone, under the same rules."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select, update

from app import db
from app.accounts.links import Claims, Purpose, sign
from app.articles import writers
from app.articles.models import Article, Comment, Follow
from app.clock import utcnow
from app.keys import KeyRing
from app.practice.models import Practice
from app.settings import get_settings
from app.web.writers import cookie_name
from tests import factories
from tests.articles.forms import stamp, words_of
from tests.articles.work import solve
from tests.conftest import application
from tests.letters import letters

URL = "/articles/hips/responses"
COOKIE = "__Host-limber-writer"


@pytest.fixture
async def article(client: httpx.AsyncClient) -> Article:
    async with db.transaction() as session:
        await factories.staff(session, email="teacher@example.com")
        return await factories.article(session, slug="hips", title="Hips")


@pytest.fixture
async def another(client: httpx.AsyncClient) -> Any:
    """Another browser, from another network."""
    transport = httpx.ASGITransport(
        app=application(), raise_app_exceptions=False, client=("203.0.113.9", 50000)
    )
    async with httpx.AsyncClient(
        transport=transport, base_url=get_settings().base_url, headers={"Accept": "text/html"}
    ) as browser:
        yield browser


async def send(client: httpx.AsyncClient, article: Article, body: str, **values: str) -> Comment:
    """A guest's response, as it is stored."""
    made = stamp(f"respond:{article.id}")
    form = {"name": "Ana", "email": "ana@example.com", "stamp": made, "proof": solve(made), **values}
    assert (await client.post(URL, data={**form, "body": body})).status_code == 303
    async with db.transaction() as session:
        return (await session.scalars(select(Comment).where(Comment.body_md == body))).one()


async def decide(comment: Comment, state: str) -> None:
    async with db.transaction() as session:
        await session.execute(
            update(Comment).where(Comment.id == comment.id).values(state=state, moderated_at=utcnow())
        )


async def known(client: httpx.AsyncClient, article: Article, **values: str) -> None:
    """Two responses of this browser that the teacher has let in."""
    for n in range(2):
        await decide(await send(client, article, f"Known {n} {values}", **values), "approved")


async def again(comment: Comment) -> Comment:
    async with db.transaction() as session:
        return await session.get_one(Comment, comment.id)


async def age(comment: Comment, **by: float) -> None:
    async with db.transaction() as session:
        row = await session.get_one(Comment, comment.id)
        row.created_at = utcnow() - timedelta(**by)


async def test_a_guest_sees_their_held_response_and_changes_it_and_nobody_else_does(
    client: httpx.AsyncClient, another: httpx.AsyncClient, article: Article
) -> None:
    row = await send(client, article, "Mine is *left*.")
    page = await client.get("/articles/hips")
    assert "Only you see this until" in page.text
    assert f'href="/responses/{row.id}/edit"' in page.text
    assert page.headers["cache-control"] == "private, no-store"
    assert "1 Response" not in words_of(page.text), "held ones are not counted"
    form = await client.get(f"/responses/{row.id}/edit")
    assert "Mine is *left*.</textarea>" in form.text
    assert "10 more minutes" in words_of(form.text)
    done = await client.post(f"/responses/{row.id}/edit", data={"body": "Mine is *right*."})
    assert done.headers["location"] == f"/articles/hips#response-{row.id}"
    stored = await again(row)
    assert (stored.body_html.strip(), stored.state, stored.edits) == (
        "<p>Mine is <em>right</em>.</p>",
        "pending",
        1,
    )
    stranger = (await another.get("/articles/hips")).text
    assert "Mine is" not in stranger
    assert (await another.get(f"/responses/{row.id}/edit")).status_code == 404
    for path in ("edit", "withdraw"):
        answer = await another.post(f"/responses/{row.id}/{path}", data={"body": "Gone."})
        assert answer.status_code == 404, path
    assert (await again(row)).body_md == "Mine is *right*."


@pytest.mark.parametrize("path", ["edit", "withdraw"])
async def test_after_ten_minutes_it_stays_as_it_is(
    client: httpx.AsyncClient, article: Article, path: str
) -> None:
    row = await send(client, article, "Mine.")
    await age(row, minutes=10, seconds=1)
    answer = await client.post(f"/responses/{row.id}/{path}", data={"body": "Else."})
    assert answer.status_code == 410
    assert "Ten minutes have passed" in answer.text
    assert (await client.get(f"/responses/{row.id}/edit")).status_code == 410
    assert (await again(row)).body_md == "Mine."
    assert f"/responses/{row.id}/edit" not in (await client.get("/articles/hips")).text


@pytest.mark.parametrize("kind", ["other ring", "bare id", "no mac", "other id", "nonsense"])
async def test_a_forged_cookie_opens_nothing(
    client: httpx.AsyncClient, another: httpx.AsyncClient, article: Article, kind: str
) -> None:
    row = await send(client, article, "Mine.")
    assert row.writer is not None
    true = writers.sign(get_settings().link_ring, row.writer)
    assert client.cookies[COOKIE] == true
    kid, _name, mac = true.split(".")
    forged = {
        "other ring": writers.sign(KeyRing.parse(f"{kid}:" + "guessed-secret-" * 3), row.writer),
        "bare id": str(row.writer),
        "no mac": f"{kid}.{row.writer.hex}.",
        "other id": f"{kid}.{uuid4().hex}.{mac}",
        "nonsense": "é.\x7f",
    }[kind]
    cookie = f"{cookie_name()}={forged}".encode()
    answer = await another.post(f"/responses/{row.id}/edit", data={"body": "x"}, headers={b"Cookie": cookie})
    assert answer.status_code == 404
    assert (await again(row)).body_md == "Mine."


async def test_a_member_changes_their_own_and_no_others(
    client: httpx.AsyncClient, another: httpx.AsyncClient, article: Article
) -> None:
    async with db.transaction() as session:
        ana, ben = await factories.user(session, name="Ana"), await factories.user(session, name="Ben")
    await factories.sign_in(client, ana)
    await factories.sign_in(another, ben)
    row = await send(client, article, "Mine.")
    assert row.writer is None
    assert COOKIE not in client.cookies
    assert (await another.post(f"/responses/{row.id}/edit", data={"body": "x"})).status_code == 404
    assert (await another.post(f"/responses/{row.id}/withdraw")).status_code == 404
    assert (await client.post(f"/responses/{row.id}/edit", data={"body": "Else."})).status_code == 303
    assert (await again(row)).body_md == "Else."


async def test_what_the_teacher_let_in_waits_again_with_other_words_and_she_is_told(
    client: httpx.AsyncClient, article: Article
) -> None:
    row = await send(client, article, "Kind words.")
    await decide(row, "approved")
    await client.post(f"/responses/{row.id}/edit", data={"body": "Unkind words."})
    stored = await again(row)
    assert (stored.state, stored.cause, stored.moderated_at) == ("pending", "edited", None)
    told = [one["context"]["words"] for one in await letters() if one["template"] == "new_response"]
    assert told == ["Kind words.", "Unkind words."]


async def test_a_trusted_guests_edit_stays_on_the_page_unless_its_words_are_held(
    client: httpx.AsyncClient, article: Article
) -> None:
    await known(client, article)
    async with db.transaction() as session:
        session.add(Practice(id=1, most_links=1, held_words="pills"))
    row = await send(client, article, "Third.")
    assert row.state == "approved"
    await client.post(f"/responses/{row.id}/edit", data={"body": "Third, better."})
    stored = await again(row)
    assert (stored.state, stored.body_md) == ("approved", "Third, better.")
    assert "edited" in words_of((await client.get("/articles/hips")).text)
    await client.post(f"/responses/{row.id}/edit", data={"body": "Cheap PILLS"})
    stored = await again(row)
    assert (stored.state, stored.cause) == ("pending", "words")
    await client.post(f"/responses/{row.id}/edit", data={"body": "Third."})
    assert (await again(row)).state == "pending", "only the teacher lets it in again"


async def test_an_edit_cannot_smuggle_markup_in(client: httpx.AsyncClient, article: Article) -> None:
    row = await send(client, article, "Mine.")
    await decide(row, "approved")
    words = (
        "<script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1)) <javascript:alert(1)>"
        ' [y](https://a.example/"onmouseover="alert(1)) `</p><svg onload=alert(1)>`'
    )
    await client.post(f"/responses/{row.id}/edit", data={"body": words})
    await decide(row, "approved")
    page = (await client.get("/articles/hips")).text
    for evil in ("<script>alert", "<img src=x", "<svg", 'href="javascript:'):
        assert evil not in page, evil
    assert 'rel="ugc nofollow noopener"' in page
    assert "&lt;svg onload" in page


@pytest.mark.parametrize(
    ("body", "sentence"), [(" \n ", "Please write your response."), ("x" * 8001, "8,000")]
)
async def test_an_edit_that_is_no_response_comes_back_with_its_words(
    client: httpx.AsyncClient, article: Article, body: str, sentence: str
) -> None:
    row = await send(client, article, "Mine.")
    answer = await client.post(f"/responses/{row.id}/edit", data={"body": body})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'id="body-error"' in answer.text
    assert (await again(row)).body_md == "Mine."


async def test_one_network_edits_only_so_often(client: httpx.AsyncClient, article: Article) -> None:
    row = await send(client, article, "Mine.")
    answers = [await client.post(f"/responses/{row.id}/edit", data={"body": f"No. {n}"}) for n in range(7)]
    assert [answer.status_code for answer in answers] == [303] * 6 + [429]
    assert "No. 6</textarea>" in answers[-1].text
    assert (await again(row)).body_md == "No. 5"


async def test_what_is_taken_back_is_deleted_and_leaves_its_place_where_it_was_answered(
    client: httpx.AsyncClient, article: Article
) -> None:
    row = await send(client, article, "Regretted.", replies="1", email="ana@secret.example")
    await decide(row, "approved")
    async with db.transaction() as session:
        session.add(
            Comment(
                article_id=article.id, parent_id=row.id, name="Ben", email="b@example.com",
                body_md="Hm.", body_html="<p>Answer of Ben</p>", state="approved",
            )
        )  # fmt: skip
    answer = await client.post(f"/responses/{row.id}/withdraw")
    page = (await client.get(answer.headers["location"])).text
    assert "Your response is deleted." in page
    assert "Regretted." not in page
    assert "1 Response to" in words_of(page)
    assert page.index("A response that its writer took back.") < page.index("Answer of Ben")
    assert f'id="response-{row.id}"' in page
    stored = await again(row)
    assert (stored.state, stored.name, stored.email, stored.body_md, stored.body_html, stored.ip, stored.writer) == (
        "withdrawn", "", "", "", "", "", None,
    )  # fmt: skip
    async with db.transaction() as session:
        assert list(await session.scalars(select(Follow))) == []
    assert (await client.post(f"/responses/{row.id}/withdraw")).status_code == 404


@pytest.mark.parametrize("state", ["removed", "withdrawn"])
async def test_what_is_gone_cannot_be_edited_back(
    client: httpx.AsyncClient, article: Article, state: str
) -> None:
    row = await send(client, article, "Mine.")
    await decide(row, state)
    assert (await client.post(f"/responses/{row.id}/edit", data={"body": "x"})).status_code == 404
    assert (await client.get(f"/responses/{uuid4()}/edit")).status_code == 404


async def test_who_is_taken_for_a_program_is_not_told_and_stays_spam(
    client: httpx.AsyncClient, article: Article
) -> None:
    row = await send(client, article, "Buy.", website="x")
    assert "Only you see this until" in (await client.get("/articles/hips")).text
    assert (await client.post(f"/responses/{row.id}/edit", data={"body": "Hello."})).status_code == 303
    assert (await again(row)).state == "spam"
    assert await letters() == []


async def test_a_guest_is_trusted_after_two_in_the_same_browser_with_the_same_address(
    client: httpx.AsyncClient, another: httpx.AsyncClient, article: Article
) -> None:
    await known(client, article)
    assert (await send(client, article, "Third.")).state == "approved"
    assert (await send(client, article, "Under another name.", email="ben@example.com")).state == "pending"
    assert (await send(another, article, "I know her address.")).state == "pending"
    assert (await send(another, article, "And its spelling.", email="ANA@example.com")).state == "pending"


async def test_trust_is_lost_with_spam_and_comes_back_when_that_was_a_mistake(
    client: httpx.AsyncClient, article: Article
) -> None:
    await known(client, article)
    row = await send(client, article, "Third.")
    await decide(row, "spam")
    held = await send(client, article, "Fourth.")
    assert (held.state, held.cause) == ("pending", "spam")
    await decide(row, "approved")
    assert (await send(client, article, "Fifth.")).state == "approved"


async def test_a_reported_person_waits_until_staff_have_decided(
    client: httpx.AsyncClient, another: httpx.AsyncClient, article: Article
) -> None:
    await known(client, article)
    row = await send(client, article, "Third.")
    await another.post(f"/responses/{row.id}/report")
    held = await send(client, article, "Fourth.")
    assert (held.state, held.cause) == ("pending", "reported")


async def test_spam_under_somebody_elses_address_costs_them_nothing(
    client: httpx.AsyncClient, another: httpx.AsyncClient, article: Article
) -> None:
    await known(client, article)
    await decide(await send(another, article, "Buy."), "spam")
    assert (await send(client, article, "Third.")).state == "approved"


async def test_a_browser_that_confirmed_the_address_from_its_mail_is_trusted_too(
    client: httpx.AsyncClient, another: httpx.AsyncClient, article: Article
) -> None:
    await known(client, article)
    async with db.transaction() as session:
        first = (await session.scalars(select(Comment.id).limit(1))).one()
        follow = Follow(id=UUID(int=5), comment_id=first, email="ana@example.com", name="Ana")
        session.add(follow)
    token = sign(Purpose.FOLLOW, Claims(str(UUID(int=5)), "", {}), utcnow())
    answer = await another.post("/responses/follow", data={"token": token})
    assert COOKIE in answer.headers["set-cookie"]
    assert (await send(another, article, "From my telephone.")).state == "approved"
    assert (await send(another, article, "Another.", email="ben@example.com")).state == "pending"


async def test_a_double_press_is_one_response(client: httpx.AsyncClient, article: Article) -> None:
    form = {
        "name": "Ana",
        "email": "ana@example.com",
        "body": "Once.",
        "stamp": stamp(f"respond:{article.id}"),
    }
    for _twice in range(2):
        answer = await client.post(URL, data=form)
        assert answer.headers["location"] == "/articles/hips?held=1#respond"
    async with db.transaction() as session:
        assert len(list(await session.scalars(select(Comment)))) == 1


async def test_a_first_double_press_is_one_response_of_one_browser(
    client: httpx.AsyncClient, article: Article
) -> None:
    """Neither request carries a cookie yet."""
    form = {
        "name": "Ana",
        "email": "ana@example.com",
        "body": "Once.",
        "stamp": stamp(f"respond:{article.id}"),
    }
    await asyncio.gather(*(client.post(URL, data=form) for _twice in range(2)))
    async with db.transaction() as session:
        (row,) = await session.scalars(select(Comment))
    assert (await client.post(f"/responses/{row.id}/edit", data={"body": "Better."})).status_code == 303


async def test_the_mark_is_only_given_to_who_writes_and_scripts_cannot_read_it(
    client: httpx.AsyncClient, article: Article
) -> None:
    assert "set-cookie" not in (await client.get("/articles/hips")).headers
    form = {"name": "Ana", "email": "ana@example.com", "body": "Hm.", "stamp": stamp(f"respond:{article.id}")}
    cookie = (await client.post(URL, data=form)).headers["set-cookie"]
    for part in (COOKIE, "HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert part in cookie
