"""The contact page: a message is kept and mailed once, with the writer as Reply-To, and nothing typed is lost."""

import httpx
import pytest
from sqlalchemy import select

from app import db
from app.articles import pacing
from app.articles.models import ContactMessage
from app.articles.pacing import UNPROVEN
from app.articles.rules import THROTTLE_LIMIT
from app.clock import utcnow
from app.mail import render
from app.practice.models import Location, Practice
from tests import factories
from tests.articles.forms import stamp, words_of
from tests.articles.work import solve
from tests.letters import letters


@pytest.fixture(autouse=True)
async def practice(client: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        session.add(Practice(id=1, site_name="Kapahulu", contact_email="desk@example.com"))
        session.add(Location(city="Honolulu", street="1414 Kapahulu Lane", phone="(808) 555-0142"))


async def send(client: httpx.AsyncClient, **values: str) -> httpx.Response:
    form = {
        "name": "Ana Lu",
        "email": "ana@example.com",
        "phone": "555 0100",
        "body": "My hip hurts.\n\nSince May.",
        "stamp": stamp("contact"),
        "website": "",
    }
    return await client.post("/contact", data={**form, **values})


async def stored() -> list[ContactMessage]:
    async with db.transaction() as session:
        return list(await session.scalars(select(ContactMessage)))


async def test_the_page_has_addresses_numbers_to_tap_and_the_form(client: httpx.AsyncClient) -> None:
    page = await client.get("/contact")
    assert page.status_code == 200
    assert "Send me an email" in page.text
    assert "1414 Kapahulu Lane" in page.text
    assert 'href="tel:' in page.text
    assert "<script src" not in page.text


async def test_a_message_is_kept_and_mailed_once_with_its_writer_as_reply_to(
    client: httpx.AsyncClient,
) -> None:
    answer = await send(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/contact/sent")
    assert "Your message is on its way." in (await client.get("/contact/sent")).text
    (row,) = await stored()
    assert (row.name, row.email, row.phone) == ("Ana Lu", "ana@example.com", "555 0100")
    assert row.body == "My hip hurts.\n\nSince May."
    assert row.handled_at is None
    (letter,) = await letters()
    assert (letter["template"], letter["to"]) == ("new_message", "desk@example.com")
    mail = render(letter["template"], letter["to"], letter["context"])
    assert mail["Reply-To"] == "Ana Lu <ana@example.com>"
    assert mail["Subject"] == "Message from Ana Lu"
    body = mail.get_body(("plain",))
    assert body is not None
    assert "My hip hurts.\n\nSince May." in body.get_content()


@pytest.mark.parametrize(
    ("name", "email", "reply_to"),
    [
        ("José Müller", "Jose@Example.com", "José Müller <jose@example.com>"),
        ('Ana "Lu", x', "ana@example.com", '"Ana \\"Lu\\", x" <ana@example.com>'),
        ("Ana\r\nBcc: all@example.com", "ana@example.com", '"Ana Bcc: all@example.com" <ana@example.com>'),
        ("=?utf-8?q?A=0d=0aBcc:_e?=", "ana@example.com", '"= ?utf-8?q?A=0d=0aBcc:_e?=" <ana@example.com>'),
        ("Ana", "ana@exämple.com", "Ana <ana@xn--exmple-cua.com>"),
    ],
)
async def test_odd_names_and_addresses_make_one_right_header(
    client: httpx.AsyncClient, name: str, email: str, reply_to: str
) -> None:
    assert (await send(client, name=name, email=email)).status_code == 303
    (letter,) = await letters()
    mail = render(letter["template"], letter["to"], letter["context"])
    assert str(mail["Reply-To"]) == reply_to
    assert mail["Bcc"] is None
    assert mail.as_bytes()


async def test_without_an_address_of_the_practice_all_staff_are_told(client: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        (await session.get_one(Practice, 1)).contact_email = ""
        for name in ("a", "b"):
            await factories.staff(session, email=f"{name}@example.com")
        await factories.user(session, email="member@example.com")
    await send(client)
    assert sorted(letter["to"] for letter in await letters()) == ["a@example.com", "b@example.com"]


async def test_wrong_fields_get_their_sentence_and_nothing_typed_is_lost(client: httpx.AsyncClient) -> None:
    answer = await send(client, email="ana@@example", phone="5" * 41, body="Half a <thought>")
    assert answer.status_code == 422
    assert 'id="email-error"' in answer.text
    assert 'id="phone-error"' in answer.text
    assert 'value="Ana Lu"' in answer.text
    assert 'value="ana@@example"' in answer.text
    assert "Half a &lt;thought&gt;</textarea>" in answer.text
    assert await stored() == []


async def test_an_empty_form_names_every_field_that_is_needed(client: httpx.AsyncClient) -> None:
    answer = await client.post("/contact")
    assert answer.status_code == 422
    for name in ("name", "email", "body"):
        assert f'id="{name}-error"' in answer.text
    assert 'id="phone-error"' not in answer.text


async def test_a_message_whose_hidden_field_was_filled_in_is_not_mailed_and_stays_open(
    client: httpx.AsyncClient,
) -> None:
    answer = await send(client, website="x")
    assert (answer.status_code, answer.headers["location"]) == (303, "/contact/sent")
    (row,) = await stored()
    assert (row.handled_at, row.is_held, row.is_trapped) == (None, True, True)
    assert await letters() == []


@pytest.mark.parametrize("seconds", [0, 3 * 86_400])
async def test_a_form_that_returns_at_once_or_after_days_comes_back_with_its_words(
    client: httpx.AsyncClient, seconds: float
) -> None:
    answer = await send(client, stamp=stamp("contact", seconds))
    assert answer.status_code == 422
    assert "Your words are still here" in answer.text
    assert "My hip hurts." in answer.text
    assert await stored() == []


async def test_one_network_may_send_so_many_and_no_more(client: httpx.AsyncClient) -> None:
    for _n in range(THROTTLE_LIMIT):
        assert (await send(client)).status_code == 303
    refused = await send(client, body="One too many")
    assert refused.status_code == 429
    assert "One too many</textarea>" in refused.text
    assert len(await stored()) == THROTTLE_LIMIT


async def test_members_find_their_name_and_address_filled_in(client: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        user = await factories.user(session, name="Kimo", email="kimo@example.com")
    await factories.sign_in(client, user)
    page = (await client.get("/contact")).text
    assert 'value="Kimo"' in page
    assert 'value="kimo@example.com"' in page
    assert "no-store" in (await client.get("/contact")).headers["cache-control"]


async def test_the_head_has_title_description_and_canonical(client: httpx.AsyncClient) -> None:
    page = (await client.get("/contact")).text
    assert "<title>Contact · Kapahulu</title>" in page
    assert '<link rel="canonical" href="https://limber.test/contact">' in page
    assert '<meta property="og:title" content="Contact">' in page
    assert "Tell me what hurts" in words_of(page)


async def test_of_messages_without_work_few_are_mailed_and_the_others_wait_in_the_studio(
    client: httpx.AsyncClient,
) -> None:
    for n in range(UNPROVEN.tries):
        await send(client, body=f"Flood {n}.")
    assert len(await letters()) == UNPROVEN.tries, "people without JavaScript are heard"
    answer = await send(client, body="One of a flood.")
    assert (answer.status_code, answer.headers["location"]) == (303, "/contact/sent")
    assert len(await letters()) == UNPROVEN.tries
    held = [row for row in await stored() if row.is_held]
    assert [(row.body, row.handled_at) for row in held] == [("One of a flood.", None)]
    async with db.transaction() as session:
        teacher = await factories.staff(session)
    await factories.sign_in(client, teacher)
    inbox = (await client.get("/studio/messages")).text
    assert inbox.count("Not mailed: a program may have sent it") == 1
    assert "One of a flood." in inbox


async def test_a_message_with_work_is_mailed_in_the_midst_of_a_flood_and_once(
    client: httpx.AsyncClient,
) -> None:
    page = (await client.get("/contact")).text
    assert 'name="proof"' in page
    assert "forms." in page
    for n in range(UNPROVEN.tries - 1):
        await send(client, body=f"Flood {n}.")
    made = stamp("contact")
    proof = solve(made)
    for _n in range(2):
        await send(client, stamp=made, proof=proof, body="My neck.")
    # The second time its work is spent, so it took the last place of those without.
    assert [letter["context"]["words"] for letter in await letters()].count("My neck.") == 2
    assert [row.is_held for row in await stored()] == [False] * (UNPROVEN.tries + 1)
    async with db.transaction() as session:
        assert not await pacing.may_pass_on(session, is_worked=False, now=utcnow())
        assert await pacing.may_pass_on(session, is_worked=True, now=utcnow())


async def test_members_are_asked_for_no_work(client: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        member = await factories.user(session)
    await factories.sign_in(client, member)
    assert 'name="proof"' not in (await client.get("/contact")).text
