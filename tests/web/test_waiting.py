"""Waiting lists in the browser: asked, confirmed, ended with one click; nobody else is mailed, nothing is told."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app import db
from app.accounts import throttle
from app.accounts.links import Purpose
from app.articles.models import Article
from app.articles.rules import THROTTLE_LIMIT
from app.clock import utcnow
from app.mail import render
from app.waiting import telling
from app.waiting.models import Topic, Waiting
from app.waiting.rules import QUESTIONS_UNPROVEN, question_buckets
from tests import factories
from tests.articles.forms import stamp, words_of
from tests.articles.work import solve
from tests.letters import letters, token_of
from tests.web.sitemap import whole_sitemap

URL = "/coming/neck"


@pytest.fixture
async def topic(client: httpx.AsyncClient) -> Topic:
    async with db.transaction() as session:
        row: Topic = await factories.save(
            session, Topic(slug="neck", title="Stretches for the neck", summary="For desks.")
        )
        return row


async def ask(client: httpx.AsyncClient, email: str = "ana@example.com", **values: str) -> httpx.Response:
    return await client.post(URL, data={"email": email, "stamp": stamp("wait:neck"), **values})


async def stored() -> list[Waiting]:
    async with db.transaction() as session:
        return list(await session.scalars(select(Waiting).order_by(Waiting.email)))


async def test_the_page_says_what_it_will_be_and_stands_in_the_list(
    client: httpx.AsyncClient, topic: Topic
) -> None:
    page = await client.get(URL)
    assert "Stretches for the neck" in page.text
    assert "Tell me when it is out" in page.text
    for path in ("/coming", "/courses"):
        assert 'href="/coming/neck"' in (await client.get(path)).text, path
    assert "<loc>https://limber.test/coming/neck</loc>" in await whole_sitemap(client)
    for path in ("/coming/none", "/coming/NECK", "/coming/a%00b"):
        assert (await client.get(path)).status_code == 404


async def test_nothing_but_the_question_is_mailed_until_its_link_is_pressed(
    client: httpx.AsyncClient, topic: Topic
) -> None:
    answer = await ask(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/coming/neck?told=1")
    assert "Please look into your mail" in (await client.get("/coming/neck?told=1")).text
    (letter,) = await letters()
    assert (letter["template"], letter["to"]) == ("wait_confirm", "ana@example.com")
    assert "unsubscribe_url" not in letter["context"]
    link = f"/waiting/confirm?token={token_of(letter)}"
    shown = await client.get(link)
    assert "Shall we write to ana@example.com" in words_of(shown.text)
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert (await stored())[0].confirmed_at is None, "a mail scanner that opens the link confirms nothing"
    done = await client.post("/waiting/confirm", data={"token": token_of(letter)})
    assert "You are on the list" in done.text
    assert (await stored())[0].confirmed_at is not None
    again = (await client.get(link)).text
    assert "You are on the list" in again, "who opens the link once more is told, not asked"
    assert "Shall we write to" not in again
    await ask(client)
    assert len(await letters()) == 1, "who is on the list is not asked again"


async def test_a_member_needs_no_confirmation_for_the_own_address_and_for_any_other_does(
    client: httpx.AsyncClient, topic: Topic
) -> None:
    async with db.transaction() as session:
        member = await factories.user(session, email="mele@example.com")
    await factories.sign_in(client, member)
    assert 'value="mele@example.com"' in (await client.get(URL)).text
    filled_in = {"email": "Mele@example.com", "website": "by the browser"}
    own = await client.post(URL, data=filled_in)
    assert own.headers["location"] == "/coming/neck?told=2"
    other = await client.post(URL, data={"email": "friend@example.com"})
    assert other.headers["location"] == "/coming/neck?told=1"
    assert [(row.email, row.confirmed_at is not None) for row in await stored()] == [
        ("friend@example.com", False),
        ("mele@example.com", True),
    ]
    assert [letter["to"] for letter in await letters()] == ["friend@example.com"]


@pytest.mark.parametrize(
    ("values", "status", "says"),
    [
        ({"email": "ana@@example"}, 422, "This does not look like an e-mail address."),
        ({"stamp": ""}, 422, "This page was open for a long time."),
        ({"stamp": "x.y"}, 422, "This page was open for a long time."),
    ],
)
async def test_what_no_person_sends_is_refused_with_a_sentence(
    client: httpx.AsyncClient, topic: Topic, values: dict[str, str], status: int, says: str
) -> None:
    answer = await ask(client, **values)
    assert answer.status_code == status
    assert says in words_of(answer.text)
    assert await stored() == []
    assert await letters() == []


async def test_programs_are_caught_by_haste_the_trap_and_their_number(
    client: httpx.AsyncClient, topic: Topic
) -> None:
    assert (await ask(client, stamp=stamp("wait:neck", -30))).status_code == 422
    assert (await ask(client, stamp=stamp("wait:other"))).status_code == 422
    trapped = await ask(client, website="https://spam.example")
    assert trapped.headers["location"] == "/coming/neck?told=1", "and cannot tell"
    assert await letters() == []
    for n in range(THROTTLE_LIMIT - 1):
        assert (await ask(client, f"a{n}@example.com")).status_code == 303
    late = await ask(client, "late@example.com")
    assert late.status_code == 429
    assert 'value="late@example.com"' in late.text


async def test_a_request_whose_hidden_field_was_filled_in_is_kept_marked_and_not_mailed(
    client: httpx.AsyncClient, topic: Topic
) -> None:
    for _again in range(2):
        answer = await ask(client, website="filled in by the browser")
        assert answer.headers["location"] == "/coming/neck?told=1"
    (row,) = await stored()
    assert (row.email, row.is_trapped, row.held_at, row.confirmed_at) == ("ana@example.com", True, None, None)
    async with db.transaction() as session:
        assert await telling.ask_held(session, utcnow()) == 0
    assert await letters() == []
    # The same person without it is asked as all are, and is not marked again.
    await ask(client)
    await ask(client, website="filled in by the browser")
    assert [row.is_trapped for row in await stored()] == [False]
    (letter,) = await letters()
    assert (letter["template"], letter["to"]) == ("wait_confirm", "ana@example.com")


async def test_who_has_confirmed_or_left_is_not_touched_by_a_program_but_asked_anew_by_themselves(
    client: httpx.AsyncClient, topic: Topic
) -> None:
    async with db.transaction() as session:
        session.add(Waiting(topic_id=topic.id, email="ana@example.com", confirmed_at=utcnow()))
        session.add(Waiting(topic_id=topic.id, email="left@example.com", ended_at=utcnow()))
    await ask(client, website="x")
    await ask(client, "left@example.com", website="x")
    here, left = await stored()
    assert (here.is_trapped, here.confirmed_at is not None) == (False, True)
    assert (left.is_trapped, left.ended_at) == (True, None)
    assert await letters() == []


async def test_the_release_mail_ends_everything_with_the_mail_programs_own_button(
    client: httpx.AsyncClient, topic: Topic
) -> None:
    async with db.transaction() as session:
        article = await factories.article(session, slug="neck-article", title="Your neck")
        row = await session.get_one(Topic, topic.id)
        row.article_id = article.id
        other = await factories.save(session, Topic(slug="back", title="Back"))
        for topic_id in (row.id, other.id):
            session.add(Waiting(topic_id=topic_id, email="ana@example.com", confirmed_at=utcnow()))
        await session.flush()
        await telling.send_due(session, utcnow())
    (letter,) = await letters()
    mail = render(**letter)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = mail["List-Unsubscribe"].strip("<>")
    client.cookies.clear()
    answer = await client.post(
        url,
        content="List-Unsubscribe=One-Click",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 200
    assert all(row.ended_at is not None for row in await stored())
    assert (await client.get(URL)).headers["location"] == "/articles/neck-article"
    assert (await ask(client)).headers["location"] == "/articles/neck-article"


async def test_one_topic_or_all_are_ended_and_can_be_asked_for_again(
    client: httpx.AsyncClient, topic: Topic
) -> None:
    from app.accounts import links

    async with db.transaction() as session:
        other = await factories.save(session, Topic(slug="back", title="Back"))
        mine = await factories.save(
            session, Waiting(topic_id=topic.id, email="ana@example.com", confirmed_at=utcnow())
        )
        session.add(Waiting(topic_id=other.id, email="ana@example.com", confirmed_at=utcnow()))
    url = links.url(Purpose.UNWAIT, links.Claims(str(mine.id), "", {}), utcnow()).partition(".test")[2]
    assert "Nor of anything else" in (await client.get(url)).text
    assert sum(row.ended_at is not None for row in await stored()) == 0
    await client.post(url)
    assert sum(row.ended_at is not None for row in await stored()) == 1
    await client.post(url, data={"everywhere": "1"})
    assert sum(row.ended_at is not None for row in await stored()) == 2
    await ask(client)
    (again,) = [row for row in await stored() if row.id == mine.id]
    assert (again.ended_at, again.confirmed_at) == (None, None)
    assert [letter["template"] for letter in await letters()] == ["wait_confirm"]


@pytest.mark.parametrize("path", ["/waiting/confirm", "/waiting/end"])
async def test_forged_and_foreign_links_do_nothing(
    client: httpx.AsyncClient, topic: Topic, path: str
) -> None:
    await ask(client)
    (letter,) = await letters()
    other = "/waiting/end" if path.endswith("confirm") else "/waiting/confirm"
    for token in ("", "nonsense", token_of(letter) + "x"):
        dead = await client.get(path, params={"token": token})
        assert dead.status_code == 410
        # A reader of the list has no account to log in to, and no password to ask for.
        onward = "See what is in the making" if path.endswith("confirm") else "Send me an email"
        assert onward in dead.text.partition("<main")[2].partition("</main>")[0]
        assert "Ask for a new link" not in dead.text
    assert (await client.post(f"{other}?token={token_of(letter)}", data={})).status_code == 410
    assert [(row.confirmed_at, row.ended_at) for row in await stored()] == [(None, None)]


async def test_the_article_under_which_somebody_asked_is_remembered_and_led_back_to(
    client: httpx.AsyncClient, topic: Topic
) -> None:
    async with db.transaction() as session:
        article: Article = await factories.article(session, slug="desk")
    answer = await ask(client, **{"from": "desk"})
    assert answer.headers["location"] == "/articles/desk?told=neck:1#wait-neck"
    await ask(client, "bo@example.com", **{"from": "//evil.example"})
    rows: dict[str, Any] = {row.email: row.article_id for row in await stored()}
    assert rows == {"ana@example.com": article.id, "bo@example.com": None}


async def test_the_work_of_a_guests_browser_pays_for_one_question(
    client: httpx.AsyncClient, topic: Topic
) -> None:
    page = (await client.get(URL)).text
    assert 'name="proof"' in page
    assert "forms." in page
    async with db.transaction() as session:
        now = utcnow()
        for _n in range(QUESTIONS_UNPROVEN.tries):
            await throttle.allow(session, question_buckets(is_worked=False), now)
    made = stamp("wait:neck")
    proof = solve(made)
    told = await ask(client, "ana@example.com", stamp=made, proof=proof)
    assert told.headers["location"] == "/coming/neck?told=1"
    assert [letter["to"] for letter in await letters()] == ["ana@example.com"]
    for email, values in (("bo@example.com", {"stamp": made, "proof": proof}), ("cy@example.com", {})):
        again = await ask(client, email, **values)
        assert again.headers["location"] == "/coming/neck?told=1", "taken, and the answer tells nothing"
    assert len(await letters()) == 1
    assert [(row.email, row.held_at is not None) for row in await stored()] == [
        ("ana@example.com", False),
        ("bo@example.com", True),
        ("cy@example.com", True),
    ]


async def test_members_are_asked_for_no_work(client: httpx.AsyncClient, topic: Topic) -> None:
    async with db.transaction() as session:
        member = await factories.user(session, email="mele@example.com")
    await factories.sign_in(client, member)
    assert 'name="proof"' not in (await client.get(URL)).text
