"""A reader reports a response: noted once, told once, decided by staff, and never hidden by itself."""

from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from app import db
from app.articles import trust
from app.articles.letting_in import Standing
from app.articles.models import Article, Comment, Report
from app.articles.writers import Sender
from tests import factories
from tests.letters import letters


@pytest.fixture
async def comment(client: httpx.AsyncClient) -> Comment:
    async with db.transaction() as session:
        await factories.staff(session, email="teacher@example.com")
        article: Article = await factories.article(session, slug="hips", title="Hips")
        words = {
            "name": "Dana",
            "email": "dana@secret.example",
            "body_md": "Buy.",
            "body_html": "<p>Buy.</p>",
        }
        row: Comment = await factories.save(
            session, Comment(article_id=article.id, state="approved", **words)
        )
        return row


async def reported() -> list[Report]:
    async with db.transaction() as session:
        return list(await session.scalars(select(Report)))


async def test_a_report_is_noted_once_and_told_once_and_the_response_stays(
    client: httpx.AsyncClient, comment: Comment
) -> None:
    assert f"/responses/{comment.id}/report" in (await client.get("/articles/hips")).text
    page = await client.get(f"/responses/{comment.id}/report")
    assert "Buy." in page.text
    assert "dana@secret.example" not in page.text
    for _again in range(2):
        done = await client.post(f"/responses/{comment.id}/report", data={"reason": "It sells pills."})
        assert done.status_code == 303
    assert "Thank you." in (await client.get(done.headers["location"])).text
    (row,) = await reported()
    assert row.reason == "It sells pills."
    assert [one["template"] for one in await letters()] == ["response_reported"]
    assert "Buy." in (await client.get("/articles/hips")).text


@pytest.mark.parametrize(("action", "is_shown"), [("approve", True), ("remove", False)])
async def test_staff_decide_and_the_report_is_settled(
    client: httpx.AsyncClient, comment: Comment, action: str, is_shown: bool
) -> None:
    await client.post(f"/responses/{comment.id}/report", data={"reason": "It sells pills."})
    async with db.transaction() as session:
        staff = await factories.staff(session)
    await factories.sign_in(client, staff)
    queue = (await client.get("/studio/responses?state=reported")).text
    assert "It sells pills." in queue
    assert "Leave it" in queue
    done = await client.post(
        "/studio/responses/moderate", data={"action": f"{action}:{comment.id}", "state": "reported"}
    )
    assert done.status_code == 303
    assert "It sells pills." not in (await client.get("/studio/responses?state=reported")).text
    assert ("Buy." in (await client.get("/articles/hips")).text) is is_shown
    assert all(one.handled_at is not None for one in await reported())


async def test_what_is_not_shown_cannot_be_reported(client: httpx.AsyncClient, comment: Comment) -> None:
    async with db.transaction() as session:
        row = await session.get_one(Comment, comment.id)
        row.state = "pending"
    assert (await client.get(f"/responses/{comment.id}/report")).status_code == 404
    assert (await client.post(f"/responses/{comment.id}/report")).status_code == 404
    assert (await client.get(f"/responses/{uuid4()}/report")).status_code == 404


ID = UUID(int=7)
FILLED_IN = {"reason": "It sells pills.", "website": "https://x.example"}


async def test_a_report_whose_hidden_field_was_filled_in_is_kept_marked_and_not_mailed(
    client: httpx.AsyncClient, comment: Comment
) -> None:
    done = await client.post(f"/responses/{comment.id}/report", data=FILLED_IN)
    assert done.headers["location"] == f"/responses/{comment.id}/report?done=1"
    (row,) = await reported()
    assert (row.reason, row.is_trapped, row.handled_at) == ("It sells pills.", True, None)
    assert await letters() == []
    async with db.transaction() as session:
        (await session.get_one(Comment, comment.id)).writer = ID
        await session.flush()
        dana = Sender(None, ID, "192.0.2.1")
        assert (await trust.standing(session, dana, "dana@secret.example")) == Standing(1, 0, 0)
        staff = await factories.staff(session)
    await factories.sign_in(client, staff)
    queue = (await client.get("/studio/responses?state=reported")).text
    assert "It sells pills." in queue
    assert "Perhaps spam: not mailed" in queue
    assert "1 reported response was not mailed to you" in (await client.get("/studio")).text


async def test_a_reader_is_mailed_on_whatever_a_program_behind_the_same_network_did(
    client: httpx.AsyncClient, comment: Comment
) -> None:
    await client.post(f"/responses/{comment.id}/report", data=FILLED_IN)
    await client.post(f"/responses/{comment.id}/report", data={"reason": "Please look."})
    await client.post(f"/responses/{comment.id}/report", data=FILLED_IN)
    (row,) = await reported()
    assert (row.reason, row.is_trapped) == ("Please look.", False)
    assert [one["context"]["reason"] for one in await letters()] == ["Please look."]


async def test_a_response_that_a_reader_reported_too_was_mailed(
    client: httpx.AsyncClient, comment: Comment
) -> None:
    async with db.transaction() as session:
        session.add(Report(comment_id=comment.id, network="192.0.2.0/24", reason="Mine"))
        staff = await factories.staff(session)
    await client.post(f"/responses/{comment.id}/report", data=FILLED_IN)
    await factories.sign_in(client, staff)
    assert "not mailed to you" not in (await client.get("/studio")).text
    assert (await client.get("/studio/responses?state=reported")).text.count("Perhaps spam") == 1


async def test_programs_and_floods_are_kept_off(client: httpx.AsyncClient, comment: Comment) -> None:
    long = await client.post(f"/responses/{comment.id}/report", data={"reason": "x" * 601})
    assert long.status_code == 422
    assert 'class="error-summary"' in long.text, "it has the focus, above the field"
    assert "below 600" in long.text
    answers = [await client.post(f"/responses/{comment.id}/report") for _ in range(8)]
    assert answers[-1].status_code == 429
