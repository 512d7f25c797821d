"""Responses as readers write them: who is held, who is trusted, what is refused, and that no typed word is lost."""

import asyncio
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select, update

from app import db
from app.accounts.models import User
from app.articles.models import Article, Comment
from app.articles.rules import THROTTLE_LIMIT
from app.clock import utcnow
from app.mail import render
from app.practice.models import Practice
from tests import factories
from tests.articles.forms import stamp, words_of
from tests.letters import letters

URL = "/articles/hips/responses"


@pytest.fixture
async def article(client: httpx.AsyncClient) -> Article:
    async with db.transaction() as session:
        await factories.staff(session, email="teacher@example.com")
        return await factories.article(session, slug="hips", title="Hips")


async def signed_in(client: httpx.AsyncClient, *, staff: bool = False, **values: object) -> User:
    async with db.transaction() as session:
        user = await (factories.staff if staff else factories.user)(session, **values)
    await factories.sign_in(client, user)
    return user


async def put(article: Article, **values: object) -> Comment:
    async with db.transaction() as session:
        words = {"name": "Dana", "email": "dana@secret.example", "body_md": "Hm.", "body_html": "<p>Hm.</p>"}
        row: Comment = await factories.save(
            session, Comment(**{"article_id": article.id, "state": "approved", **words, **values})
        )
        return row


async def send(client: httpx.AsyncClient, article: Article, **values: str) -> httpx.Response:
    form = {
        "name": "Ana Lu",
        "email": "ana@example.com",
        "body": "Mine is on the *left*.",
        "stamp": stamp(f"respond:{article.id}"),
        "website": "",
    }
    return await client.post(URL, data={**form, **values})


async def stored() -> list[Comment]:
    async with db.transaction() as session:
        return list(await session.scalars(select(Comment).order_by(Comment.created_at, Comment.id)))


async def let_in() -> None:
    """The teacher approves all that waits."""
    async with db.transaction() as session:
        await session.execute(update(Comment).where(Comment.state == "pending").values(state="approved"))


async def test_a_trusted_member_waits_too_with_many_links_or_a_word_that_the_teacher_named(
    client: httpx.AsyncClient, article: Article
) -> None:
    member = await signed_in(client)
    for _n in range(2):
        await put(article, user_id=member.id)
    async with db.transaction() as session:
        session.add(Practice(id=1, most_links=1, held_words="casino\npills"))
    for body, state in (
        ("It helped.", "approved"),
        ("Cheap PILLS here", "pending"),
        ("https://a.example https://b.example", "pending"),
    ):
        await send(client, article, body=body)
        async with db.transaction() as session:
            found = await session.scalar(select(Comment.state).where(Comment.body_md == body))
        assert found == state, body


async def test_a_guests_response_is_held_and_the_teacher_told_once(
    client: httpx.AsyncClient, article: Article
) -> None:
    answer = await send(client, article)
    assert (answer.status_code, answer.headers["location"]) == (303, "/articles/hips?held=1#respond")
    (row,) = await stored()
    assert (row.state, row.name, row.email, row.ip) == ("pending", "Ana Lu", "ana@example.com", "127.0.0.1")
    page = (await client.get("/articles/hips?held=1")).text
    assert "Your response appears once" in page
    client.cookies.clear()
    assert "Mine is on the" not in (await client.get("/articles/hips?held=1")).text, "nobody else sees it"
    (letter,) = await letters()
    assert (letter["template"], letter["to"]) == ("new_response", "teacher@example.com")
    mail = render(letter["template"], letter["to"], letter["context"])
    body = mail.get_body(("plain",))
    assert body is not None
    assert "Mine is on the *left*." in body.get_content()
    assert "/studio/responses" in body.get_content()


async def test_a_members_first_responses_are_held_until_two_were_let_in(
    client: httpx.AsyncClient, article: Article
) -> None:
    user = await signed_in(client, name="Kimo")
    assert (
        "held=1"
        in (await send(client, article, name="Somebody Else", email="x@example.com")).headers["location"]
    )
    (first,) = await stored()
    assert (first.name, first.email, first.user_id) == ("Kimo", user.email, user.id)
    await let_in()
    assert "held=1" in (await send(client, article, body="And another.")).headers["location"]
    await let_in()
    answer = await send(client, article, body="A third.")
    third = (await stored())[-1]
    assert third.state == "approved"
    assert answer.headers["location"] == f"/articles/hips#response-{third.id}"
    assert len(await letters()) == 3


async def test_a_member_whose_address_is_not_confirmed_is_held(
    client: httpx.AsyncClient, article: Article
) -> None:
    user = await signed_in(client, email_confirmed_at=None)
    for _n in range(3):
        await put(article, user_id=user.id)
    await send(client, article)
    assert (await stored())[-1].state == "pending"


async def test_staff_are_shown_at_once_as_the_author_and_nobody_is_mailed(
    client: httpx.AsyncClient, article: Article
) -> None:
    await signed_in(client, staff=True, name="Leilani")
    await send(client, article, stamp="", name="", email="")
    (row,) = await stored()
    assert (row.state, row.is_author, row.name) == ("approved", True, "Leilani")
    assert await letters() == []
    assert '<span class="badge">Author</span>' in (await client.get("/articles/hips")).text


async def test_a_guest_called_like_the_teacher_is_not_marked_as_the_author(
    client: httpx.AsyncClient, article: Article
) -> None:
    await send(client, article, name="Leilani", email="teacher@example.com")
    (row,) = await stored()
    assert (row.is_author, row.state) == (False, "pending")


async def test_who_fills_in_the_hidden_field_is_thanked_and_kept_as_spam(
    client: httpx.AsyncClient, article: Article
) -> None:
    answer = await send(client, article, website="https://pills.example")
    assert (answer.status_code, answer.headers["location"]) == (303, "/articles/hips?held=1#respond")
    (row,) = await stored()
    assert row.state == "spam"
    assert await letters() == []


async def test_the_hidden_field_is_out_of_sight_and_out_of_the_tab_order(
    client: httpx.AsyncClient, article: Article
) -> None:
    page = (await client.get("/articles/hips")).text
    assert '<p class="hidden" aria-hidden="true">' in page
    assert 'name="website" tabindex="-1" autocomplete="off"' in page


@pytest.mark.parametrize("seconds", [0, 3 * 86_400, -5])
async def test_a_form_that_returns_at_once_or_after_days_comes_back_with_its_words(
    client: httpx.AsyncClient, article: Article, seconds: float
) -> None:
    answer = await send(client, article, stamp=stamp(f"respond:{article.id}", seconds))
    assert answer.status_code == 422
    assert "Your words are still here" in answer.text
    assert "Mine is on the *left*." in answer.text
    assert await stored() == []


@pytest.mark.parametrize("forged", ["", "x", "l1.1.x"])
async def test_a_form_without_a_true_stamp_comes_back_with_its_words(
    client: httpx.AsyncClient, article: Article, forged: str
) -> None:
    for value in (forged, stamp(f"respond:{uuid4()}"), stamp("contact")):
        answer = await send(client, article, stamp=value)
        assert answer.status_code == 422
        assert "Mine is on the *left*." in answer.text
    assert await stored() == []


async def test_wrong_fields_get_their_sentence_and_nothing_typed_is_lost(
    client: httpx.AsyncClient, article: Article
) -> None:
    answer = await send(client, article, name="", email="ana@@example", body="Half a <thought> & more")
    assert answer.status_code == 422
    assert 'id="name-error"' in answer.text
    assert 'id="email-error"' in answer.text
    assert 'value="ana@@example"' in answer.text
    assert "Half a &lt;thought&gt; &amp; more</textarea>" in answer.text
    assert 'name="stamp"' in answer.text
    assert await stored() == []


async def test_an_empty_post_gets_sentences(client: httpx.AsyncClient, article: Article) -> None:
    answer = await client.post(URL)
    assert answer.status_code == 422
    for name in ("name", "email", "body"):
        assert f'id="{name}-error"' in answer.text


async def test_one_network_may_write_so_much_and_no_more_and_keeps_its_words(
    client: httpx.AsyncClient, article: Article
) -> None:
    for n in range(THROTTLE_LIMIT):
        assert (await send(client, article, body=f"Number {n}")).status_code == 303
    refused = await send(client, article, body="One too many")
    assert refused.status_code == 429
    assert "One too many</textarea>" in refused.text
    assert len(await stored()) == THROTTLE_LIMIT


async def test_many_at_once_are_counted_together(client: httpx.AsyncClient, article: Article) -> None:
    answers = await asyncio.gather(
        *(send(client, article, body=f"Number {n}") for n in range(THROTTLE_LIMIT + 4))
    )
    assert sorted(answer.status_code for answer in answers) == [303] * THROTTLE_LIMIT + [429] * 4


async def test_replying_needs_no_script(client: httpx.AsyncClient, article: Article) -> None:
    parent = await put(article)
    page = (await client.get("/articles/hips")).text
    assert f'href="/articles/hips?reply={parent.id}#respond"' in page
    form = (await client.get(f"/articles/hips?reply={parent.id}")).text
    assert "You are answering Dana ·" in words_of(form), "a name may end in a full stop of its own"
    assert f'name="parent" value="{parent.id}"' in form
    await send(client, article, parent=str(parent.id))
    assert (await stored())[-1].parent_id == parent.id


async def test_a_refused_reply_still_knows_whom_it_answers(
    client: httpx.AsyncClient, article: Article
) -> None:
    parent = await put(article)
    answer = await send(client, article, parent=str(parent.id), body="")
    assert answer.status_code == 422
    assert f'name="parent" value="{parent.id}"' in answer.text


@pytest.mark.parametrize("kind", ["held", "foreign", "gone", "nonsense"])
async def test_a_reply_to_what_is_not_shown_here_begins_a_thread(
    client: httpx.AsyncClient, article: Article, kind: str
) -> None:
    async with db.transaction() as session:
        other = await factories.article(session, slug="other")
    parents: dict[str, str] = {
        "held": str((await put(article, state="pending")).id),
        "foreign": str((await put(other)).id),
        "gone": str(uuid4()),
        "nonsense": "' OR 1=1",
    }
    await send(client, article, parent=parents[kind], body="My own words")
    (row,) = [row for row in await stored() if row.body_md == "My own words"]
    assert row.parent_id is None


async def test_the_heading_counts_what_is_shown(client: httpx.AsyncClient, article: Article) -> None:
    assert "Responses to" not in words_of((await client.get("/articles/hips")).text)
    first = await put(article)
    assert "1 Response to “Hips”" in words_of((await client.get("/articles/hips")).text)
    for _n in range(7):
        await put(article, parent_id=first.id)
    for state in ("pending", "spam", "removed", "withdrawn"):
        await put(article, state=state, name="Nobody", body_html="<p>Hidden words</p>")
    page = (await client.get("/articles/hips")).text
    assert "8 Responses to “Hips”" in words_of(page)
    assert "Hidden words" not in page
    assert "Nobody" not in page


async def test_an_address_is_never_shown(client: httpx.AsyncClient, article: Article) -> None:
    row = await put(article)
    page = await client.get(f"/articles/hips?reply={row.id}")
    assert "secret.example" not in page.text + str(page.headers)
    assert "Your email address will not be published. Required fields are marked *" in words_of(page.text)


async def test_reloading_the_forms_address_leads_back_to_the_article(
    client: httpx.AsyncClient, article: Article
) -> None:
    answer = await client.get(URL)
    assert (answer.status_code, answer.headers["location"]) == (303, "/articles/hips#responses")


async def test_a_response_from_another_site_is_refused(client: httpx.AsyncClient, article: Article) -> None:
    answer = await client.post(URL, data={"body": "x"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert await stored() == []


async def test_control_characters_are_taken_out(client: httpx.AsyncClient, article: Article) -> None:
    answer = await send(client, article, name="A\x00na", body="One\x00two", parent="\x00")
    assert answer.status_code == 303
    (row,) = await stored()
    assert (row.name, row.body_md) == ("Ana", "Onetwo")


async def test_responses_go_when_their_article_goes_and_stay_when_their_writer_goes(
    client: httpx.AsyncClient, article: Article
) -> None:
    user = await signed_in(client)
    row = await put(article, user_id=user.id, moderated_at=utcnow())
    async with db.transaction() as session:
        await session.delete(await session.get_one(User, user.id))
    (kept,) = await stored()
    assert (kept.id, kept.user_id) == (row.id, None)
    async with db.transaction() as session:
        await session.delete(await session.get_one(Article, UUID(str(article.id))))
    assert await stored() == []
