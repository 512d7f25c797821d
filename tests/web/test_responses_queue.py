"""The studio's queue of responses: approve, spam, remove, take back, many at once, answer; each decision audited."""

from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from app import db
from app.accounts.models import AuditEntry, User
from app.articles.models import Article, Comment
from app.clock import utcnow
from tests import factories
from tests.articles.forms import words_of
from tests.statements import statements

ID = UUID(int=7)
POSTS = ["/studio/responses/moderate", "/studio/responses/undo", f"/studio/responses/{ID}/reply"]


@pytest.fixture
async def article(client: httpx.AsyncClient) -> Article:
    async with db.transaction() as session:
        return await factories.article(session, slug="hips", title="Hips")


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    async with db.transaction() as session:
        user = await factories.staff(session, name="Leilani")
    await factories.sign_in(client, user)
    return user


async def put(article: Article, name: str = "Dana", **values: object) -> Comment:
    words = {"email": "dana@example.com", "body_md": "Hm.", "body_html": f"<p>Words of {name}</p>"}
    async with db.transaction() as session:
        row: Comment = await factories.save(
            session, Comment(**{"article_id": article.id, "name": name, **words, **values})
        )
        return row


async def states() -> dict[str, str]:
    async with db.transaction() as session:
        return {row.name: row.state for row in await session.scalars(select(Comment))}


async def trail() -> list[tuple[str, str]]:
    async with db.transaction() as session:
        rows = await session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [(row.action, row.subject_id) for row in rows]


async def press(
    client: httpx.AsyncClient, action: str, *ids: object, state: str = "pending"
) -> httpx.Response:
    form = {"action": action, "state": state, "id": [str(each) for each in ids]}
    return await client.post("/studio/responses/moderate", data=form)


@pytest.mark.parametrize("path", POSTS)
async def test_only_staff_moderate(client: httpx.AsyncClient, article: Article, path: str) -> None:
    row = await put(article)
    form = {"action": f"approve:{row.id}", "was": f"{row.id}.approved", "body": "x"}
    assert (await client.post(path, data=form)).status_code == 401
    async with db.transaction() as session:
        member = await factories.user(session)
    await factories.sign_in(client, member)
    assert (await client.post(path, data=form)).status_code == 403
    assert await states() == {"Dana": "pending"}


async def test_only_staff_see_the_queue(client: httpx.AsyncClient) -> None:
    assert (await client.get("/studio/responses")).status_code == 401
    async with db.transaction() as session:
        member = await factories.user(session)
    await factories.sign_in(client, member)
    assert (await client.get("/studio/responses")).status_code == 403


async def test_the_queue_shows_held_ones_the_oldest_first_with_what_they_answer(
    client: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    now = utcnow()
    parent = await put(article, "Ruth", state="approved")
    await put(article, "Late", created_at=now)
    await put(article, "Early", created_at=now - timedelta(hours=1), parent_id=parent.id)
    page = (await client.get("/studio/responses")).text
    assert page.index("Words of Early") < page.index("Words of Late")
    assert "In reply to Ruth" in page
    assert "Words of Ruth" in page
    assert 'href="mailto:dana@example.com"' in page


async def test_an_empty_queue_says_so(client: httpx.AsyncClient, teacher: User) -> None:
    for state in ("pending", "approved", "spam", "removed", "nonsense"):
        assert (await client.get(f"/studio/responses?state={state}")).status_code == 200
    assert "Nothing waits for you" in (await client.get("/studio/responses")).text


@pytest.mark.parametrize(
    ("action", "state", "was"),
    [
        ("approve", "approved", "pending"),
        ("spam", "spam", "pending"),
        ("remove", "removed", "approved"),
        ("hold", "pending", "spam"),
    ],
)
async def test_one_press_decides_and_undo_takes_it_back(
    client: httpx.AsyncClient, article: Article, teacher: User, action: str, state: str, was: str
) -> None:
    row = await put(article, state=was)
    answer = await press(client, f"{action}:{row.id}", state=was)
    assert answer.status_code == 303
    assert await states() == {"Dana": state}
    page = (await client.get(answer.headers["location"])).text
    assert f'name="was" value="{row.id}.{was}"' in page
    assert ">Undo</button>" in page
    form = {"action": action, "state": was, "was": f"{row.id}.{was}"}
    back = await client.post("/studio/responses/undo", data=form)
    assert "Taken back." in (await client.get(back.headers["location"])).text
    assert await states() == {"Dana": was}
    assert await trail() == [(f"response.{action}", str(row.id)), ("response.undo", str(row.id))]


async def test_an_approved_response_is_on_the_page_and_a_removed_one_is_not(
    client: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    row = await put(article)
    await press(client, f"approve:{row.id}")
    assert "Words of Dana" in (await client.get("/articles/hips")).text
    await press(client, f"remove:{row.id}")
    assert "Words of Dana" not in (await client.get("/articles/hips")).text


async def test_many_are_decided_at_once_and_taken_back_each_to_its_own_state(
    client: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    one, two = await put(article, "One"), await put(article, "Two", state="spam")
    three = await put(article, "Three", state="approved")
    answer = await press(client, "approve", one.id, two.id, three.id)
    page = (await client.get(answer.headers["location"])).text
    assert "2 responses approved." in page
    assert set((await states()).values()) == {"approved"}
    assert len(await trail()) == 2
    form = {"action": "approve", "was": [f"{one.id}.pending", f"{two.id}.spam"]}
    await client.post("/studio/responses/undo", data=form)
    assert await states() == {"One": "pending", "Two": "spam", "Three": "approved"}


async def test_undo_leaves_alone_what_somebody_decided_meanwhile(
    client: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    row = await put(article, state="spam")
    form = {"action": "approve", "was": f"{row.id}.pending"}
    assert (await client.post("/studio/responses/undo", data=form)).status_code == 303
    assert await states() == {"Dana": "spam"}
    assert await trail() == []


@pytest.mark.parametrize(
    ("action", "ids", "sentence"),
    [
        ("explode", [str(ID)], "Please choose what to do"),
        ("", [], "Please choose what to do"),
        ("approve", [], "Please choose at least one response."),
        ("approve", ["x", "\x00"], "Please choose at least one response."),
        ("approve", [str(uuid4()) for _n in range(101)], "at most 100"),
    ],
)
async def test_a_press_that_makes_no_sense_gets_a_sentence(
    client: httpx.AsyncClient, article: Article, teacher: User, action: str, ids: list[str], sentence: str
) -> None:
    await put(article)
    answer = await press(client, action, *ids)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "Words of Dana" in answer.text


@pytest.mark.parametrize("was", ["x", f"{ID}", f"{ID}.exploded", f"{ID}.spam"])
async def test_odd_words_in_the_address_or_in_undo_do_no_harm(
    client: httpx.AsyncClient, teacher: User, was: str
) -> None:
    page = await client.get("/studio/responses", params={"did": "approve", "was": was, "page": "²"})
    assert page.status_code == 200
    for action in ("approve", "explode"):
        answer = await client.post("/studio/responses/undo", data={"action": action, "was": was})
        assert answer.status_code in (303, 422)
    assert await trail() == []


async def test_a_reply_approves_what_it_answers_and_is_shown_as_the_authors(
    client: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    row = await put(article)
    answer = await client.post(f"/studio/responses/{row.id}/reply", data={"body": "Try the *left* side."})
    assert answer.status_code == 303
    assert await states() == {"Dana": "approved", "Leilani": "approved"}
    page = (await client.get("/articles/hips")).text
    assert "2 Responses to “Hips”" in words_of(page)
    assert "Try the <em>left</em> side." in page
    assert [action for action, _id in await trail()] == ["response.approve", "response.reply"]


async def test_an_empty_reply_or_one_to_spam_is_refused_beside_its_field(
    client: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    held = await put(article)
    answer = await client.post(f"/studio/responses/{held.id}/reply", data={"body": " \n"})
    assert answer.status_code == 422
    assert f'id="reply-{held.id}-error"' in answer.text
    spam = await put(article, "Pills", state="spam")
    answer = await client.post(f"/studio/responses/{spam.id}/reply", data={"body": "No.", "state": "spam"})
    assert answer.status_code == 422
    assert "Approve the response first" in answer.text
    assert (await client.post(f"/studio/responses/{ID}/reply", data={"body": "x"})).status_code == 404
    assert await states() == {"Dana": "pending", "Pills": "spam"}


async def test_a_refused_reply_keeps_its_words_even_when_the_response_is_on_another_page(
    client: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    now = utcnow()
    for n in range(31):
        last = await put(article, f"P{n}", created_at=now + timedelta(seconds=n))
    answer = await client.post(f"/studio/responses/{last.id}/reply", data={"body": "Long words " * 800})
    assert answer.status_code == 422
    assert "longer than 8,000" in answer.text
    assert "Long words Long words" in answer.text


async def test_what_was_edited_after_it_was_read_is_not_let_in(
    client: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    """Its writer could show the teacher one text, and publish another."""
    row, other = await put(article), await put(article, "Ruth")
    page = (await client.get("/studio/responses")).text
    assert f'value="approve:{row.id}.0"' in page
    async with db.transaction() as session:
        changed = await session.get_one(Comment, row.id)
        changed.edits, changed.edited_at, changed.body_html = 1, utcnow(), "<p>Buy pills</p>"
    answer = await press(client, "approve", f"{row.id}.0", f"{other.id}.0")
    assert await states() == {"Dana": "pending", "Ruth": "approved"}
    page = (await client.get(answer.headers["location"])).text
    assert "1 response was changed by its writer while you read it" in page
    assert "1 response approved." in page
    reply = await client.post(f"/studio/responses/{row.id}/reply", data={"body": "Yes.", "seen": "0"})
    assert reply.status_code == 422
    assert "was changed while you read it" in reply.text
    await press(client, f"approve:{row.id}.1")
    assert (await states())["Dana"] == "approved"


async def test_undo_does_not_publish_words_that_nobody_has_read(
    client: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    now = utcnow()
    row = await put(article, state="spam", moderated_at=now, edits=1, edited_at=now + timedelta(minutes=1))
    await client.post("/studio/responses/undo", data={"action": "spam", "was": f"{row.id}.approved"})
    assert await states() == {"Dana": "pending"}


async def test_what_its_writer_took_back_is_nobodys_to_decide(
    client: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    row = await put(article, state="withdrawn")
    await press(client, f"approve:{row.id}.0")
    assert (await client.post(f"/studio/responses/{row.id}/reply", data={"body": "x"})).status_code == 404
    assert await states() == {"Dana": "withdrawn"}


async def test_the_queue_says_why_a_response_waits(
    client: httpx.AsyncClient, article: Article, teacher: User
) -> None:
    await put(article, cause="words")
    assert "Held: its links or words" in (await client.get("/studio/responses")).text


async def test_the_queue_asks_the_database_no_more_when_it_is_long(
    client: httpx.AsyncClient, article: Article, teacher: User, database: db.Database
) -> None:
    parent = await put(article, "Ruth")
    with statements(database) as asked:
        await client.get("/studio/responses")
        few = len(asked)
        for n in range(12):
            await put(article, f"P{n}", parent_id=parent.id)
        asked.clear()
        await client.get("/studio/responses")
    assert len(asked) == few <= 10
