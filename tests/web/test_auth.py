"""Signing in and out, joining and recovery as a browser meets them."""

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import func, select, update

from app import db
from app.accounts import rules
from app.accounts.links import Claims, Purpose, sign
from app.accounts.models import User, UserSession
from app.clock import utcnow
from tests import factories
from tests.letters import letters, token_of

PASSWORD = "three quiet hips"
WRONG = "This e-mail address and password do not match. Please check both."


async def member(email: str = "kai@example.com", **values: Any) -> User:
    async with db.transaction() as session:
        return await factories.user(
            session, **{"email": email, "password_hash": factories.kept(PASSWORD), **values}
        )


async def sign_in(client: httpx.AsyncClient, email: str = "kai@example.com", **fields: str) -> httpx.Response:
    return await client.post("/login", data={"email": email, "password": PASSWORD, "next": "", **fields})


async def open_sessions(user: User) -> int:
    async with db.transaction() as session:
        wanted = select(func.count()).where(UserSession.user_id == user.id, UserSession.revoked_at.is_(None))
        return await session.scalar(wanted) or 0


async def test_the_form_has_the_fields_that_others_rely_on(client: httpx.AsyncClient) -> None:
    page = await client.get("/login?next=/courses/lower-body/hips")
    assert page.status_code == 200
    assert 'name="email"' in page.text
    assert 'name="password"' in page.text
    assert 'name="next" value="/courses/lower-body/hips"' in page.text
    assert "Please log in to watch the paid videos." in page.text


async def test_a_right_password_leads_to_the_page_that_was_wanted(client: httpx.AsyncClient) -> None:
    await member()
    answer = await sign_in(client, next="/courses/lower-body/hips")
    assert (answer.status_code, answer.headers["location"]) == (303, "/courses/lower-body/hips")
    assert (await client.get("/login")).status_code == 303


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(client: httpx.AsyncClient) -> None:
    await member()
    cookie = (await sign_in(client)).headers["set-cookie"]
    assert cookie.startswith("__Host-limber=")
    for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", f"Max-Age={30 * 86400}"):
        assert part in cookie
    assert "Domain" not in cookie


async def test_only_a_hash_of_the_cookie_is_kept(client: httpx.AsyncClient) -> None:
    await member()
    await sign_in(client)
    token = client.cookies["__Host-limber"]
    async with db.transaction() as session:
        kept = await session.scalar(select(UserSession.token_hash))
    assert kept is not None
    assert token.encode() not in kept
    assert len(token) >= 43


async def test_a_planted_cookie_gains_nothing(client: httpx.AsyncClient) -> None:
    user = await member()
    client.cookies.set("__Host-limber", "planted", domain="limber.test")
    await sign_in(client)
    assert client.cookies["__Host-limber"] != "planted"
    first = client.cookies["__Host-limber"]
    await sign_in(client)
    assert client.cookies["__Host-limber"] != first
    assert await open_sessions(user) == 1


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:x",
        "/" + "a" * 1000,
        "",
    ],
)
async def test_nobody_is_led_to_another_site(client: httpx.AsyncClient, target: str) -> None:
    await member()
    assert (await sign_in(client, next=target)).headers["location"] == "/library"


async def test_staff_land_in_the_studio(client: httpx.AsyncClient) -> None:
    await member(role="staff")
    assert (await sign_in(client)).headers["location"] == "/studio"


async def test_a_wrong_password_keeps_the_address_and_says_one_sentence(client: httpx.AsyncClient) -> None:
    await member()
    answer = await sign_in(client, password="another password", next="/courses/a/b")
    assert answer.status_code == 422
    assert answer.text.count(WRONG) == 1
    assert 'value="kai@example.com"' in answer.text
    assert 'value="/courses/a/b"' in answer.text
    assert "another password" not in answer.text
    assert "set-cookie" not in answer.headers


def without_what_differs(page: str, *words: str) -> str:
    page = re.sub(r'nonce="[^"]*"', "", page)
    for word in words:
        page = page.replace(word, "…")
    return page


async def test_signing_in_never_tells_whether_there_is_an_account(client: httpx.AsyncClient) -> None:
    await member()
    pages = []
    for email in ("kai@example.com", "nobody@example.com", "not an address"):
        answer = await sign_in(client, email, password="wrong")
        pages.append((answer.status_code, without_what_differs(answer.text, email)))
    assert pages[0] == pages[1] == pages[2]


@pytest.mark.parametrize("path", ["/join", "/forgot"])
async def test_asking_for_a_link_never_tells_whether_there_is_an_account(
    client: httpx.AsyncClient, path: str
) -> None:
    await member()
    seen = []
    for email in ("kai@example.com", "nobody@example.com"):
        answer = await client.post(path, data={"email": email, "name": "Kai", "next": "/courses/a/b"})
        assert answer.status_code == 303
        page = await client.get(answer.headers["location"])
        where = answer.headers["location"].replace(urlencode({"to": email}), "…")
        quoted = urlencode({"email": email})
        seen.append((where, page.status_code, without_what_differs(page.text, quoted, email)))
    assert seen[0] == seen[1]
    assert [letter["to"] for letter in await letters()] == ["kai@example.com", "nobody@example.com"]


async def test_asking_twice_in_a_minute_sends_one_mail(client: httpx.AsyncClient) -> None:
    await member()
    for _time in range(2):
        await client.post("/forgot", data={"email": "kai@example.com"})
        await client.post("/join", data={"email": "new@example.com", "name": "New"})
    # Two, unless the minute turned between the two rounds.
    assert len(await letters()) in (2, 4)
    assert len({(letter["to"], letter["template"]) for letter in await letters()}) == 2


async def test_joining_leads_through_the_mail_to_the_lesson_signed_in(client: httpx.AsyncClient) -> None:
    await client.post("/join", data={"email": "New@Example.com", "name": " Noa  K ", "next": "/courses/a/b"})
    letter = (await letters())[0]
    assert (letter["template"], letter["to"]) == ("confirm", "new@example.com")
    token = token_of(letter)
    page = await client.get(f"/confirm?token={token}")
    assert page.status_code == 200
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "new@example.com" in page.text
    async with db.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(User)) == 0
    answer = await client.post("/confirm", data={"token": token, "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/courses/a/b")
    async with db.transaction() as session:
        user = (await session.scalars(select(User))).one()
    assert (user.name, user.email, user.role) == ("Noa K", "new@example.com", "member")
    assert user.email_confirmed_at is not None
    assert (await client.get("/login")).status_code == 303


async def test_a_joining_link_works_once(client: httpx.AsyncClient) -> None:
    await client.post("/join", data={"email": "new@example.com", "name": "Noa"})
    token = token_of((await letters())[0])
    await client.post("/confirm", data={"token": token, "password": PASSWORD})
    client.cookies.clear()
    for answer in (
        await client.post("/confirm", data={"token": token, "password": "another password"}),
        await client.get(f"/confirm?token={token}"),
    ):
        assert answer.status_code == 410
        assert "This link was used already" in answer.text
    assert (await sign_in(client, "new@example.com")).status_code == 303


@pytest.mark.parametrize("password", ["short", "1234567890", "new@example.com", "aaaaaaaaaaaa"])
async def test_a_weak_password_gets_a_sentence_and_the_link_still_works(
    client: httpx.AsyncClient, password: str
) -> None:
    await client.post("/join", data={"email": "new@example.com", "name": "Noa"})
    token = token_of((await letters())[0])
    answer = await client.post("/confirm", data={"token": token, "password": password})
    assert answer.status_code == 422
    assert "Please choose" in answer.text
    assert "autofocus" in answer.text.partition('id="password"')[2].partition(">")[0]
    assert (await client.post("/confirm", data={"token": token, "password": PASSWORD})).status_code == 303


async def test_what_was_typed_at_joining_is_kept_beside_both_sentences(client: httpx.AsyncClient) -> None:
    answer = await client.post("/join", data={"email": "kai@", "name": "", "next": "/courses/a/b"})
    assert answer.status_code == 422
    assert 'value="kai@"' in answer.text
    assert "Please tell us your name." in answer.text
    assert "This does not look like an e-mail address." in answer.text
    assert 'value="/courses/a/b"' in answer.text


@pytest.mark.parametrize("name", ["Kai\x00", "Kai\x07", "K" * 121, "see www.evil.example"])
async def test_odd_names_never_break_the_page(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.post("/join", data={"email": "kai@example.com", "name": name})
    assert answer.status_code in (303, 422)


async def test_a_new_password_signs_out_every_other_device(client: httpx.AsyncClient) -> None:
    user = await member()
    await sign_in(client)
    await client.post("/forgot", data={"email": "kai@example.com"})
    token = token_of((await letters())[0])
    client.cookies.clear()
    assert "kai@example.com" in (await client.get(f"/reset?token={token}")).text
    answer = await client.post("/reset", data={"token": token, "password": "four quiet hips"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/library")
    assert await open_sessions(user) == 1
    assert (await client.post("/reset", data={"token": token, "password": PASSWORD})).status_code == 410
    assert [letter["template"] for letter in await letters()] == ["reset_password", "password_changed"]
    client.cookies.clear()
    assert (await sign_in(client)).status_code == 422
    assert (await sign_in(client, password="four quiet hips")).status_code == 303


LINKS = ["/confirm", "/reset", "/change-email"]


@pytest.mark.parametrize("path", LINKS)
@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é" * 40, "\x00"])
async def test_a_broken_link_is_gone_with_a_way_to_a_new_one(
    client: httpx.AsyncClient, path: str, token: str
) -> None:
    for answer in (
        await client.get(path, params={"token": token}),
        await client.post(path, data={"token": token, "password": PASSWORD}),
    ):
        assert answer.status_code == 410
        assert "This link no longer works." in answer.text


async def test_who_is_logged_in_is_not_told_by_a_dead_link_to_log_in(client: httpx.AsyncClient) -> None:
    await member()
    await sign_in(client)
    for path, onward in (
        ("/confirm", "/account"),
        ("/reset", "/forgot"),
        ("/change-email", "/account/email"),
    ):
        page = (await client.get(path, params={"token": "x"})).text
        main = page.partition("<main")[2].partition("</main>")[0]
        assert 'href="/login"' not in main, path
        assert f'href="{onward}"' in main, path


def foreign_tokens() -> Iterator[tuple[str, str]]:
    claims = Claims("new@example.com", "new", {"name": "Noa"})
    yield "/reset", sign(Purpose.JOIN, claims, utcnow())
    yield "/confirm", sign(Purpose.RESET, claims, utcnow())
    yield "/change-email", sign(Purpose.JOIN, claims, utcnow())
    yield "/confirm", sign(Purpose.JOIN, claims, utcnow() - timedelta(hours=25))


@pytest.mark.parametrize(("path", "number"), [(path, n) for n, (path, _token) in enumerate(foreign_tokens())])
async def test_a_link_for_another_purpose_or_of_yesterday_is_gone(
    client: httpx.AsyncClient, path: str, number: int
) -> None:
    token = list(foreign_tokens())[number][1]
    assert (await client.get(path, params={"token": token})).status_code == 410
    assert (await client.post(path, data={"token": token, "password": PASSWORD})).status_code == 410


async def test_guessing_is_slowed_down_and_the_owner_elsewhere_is_not(client: httpx.AsyncClient) -> None:
    await member()
    for _try in range(rules.SIGN_IN_PAIR.tries):
        assert (await sign_in(client, password="wrong")).status_code == 422
    answer = await sign_in(client)
    assert answer.status_code == 429
    assert "Please wait a few minutes" in answer.text
    assert 'value="kai@example.com"' in answer.text
    elsewhere = httpx.ASGITransport(app=client._transport.app, client=("203.0.113.9", 1))  # type: ignore[attr-defined]
    async with httpx.AsyncClient(transport=elsewhere, base_url=client.base_url) as other:
        assert (await sign_in(other)).status_code == 303


async def test_the_throttle_is_the_same_for_an_address_without_an_account(client: httpx.AsyncClient) -> None:
    statuses = [
        (await sign_in(client, "nobody@example.com", password="wrong")).status_code
        for _try in range(rules.SIGN_IN_PAIR.tries + 1)
    ]
    assert statuses == [422] * rules.SIGN_IN_PAIR.tries + [429]


async def test_a_mailbox_is_not_flooded(client: httpx.AsyncClient) -> None:
    answers = [
        (await client.post("/join", data={"email": "kai@example.com", "name": f"Name {n}"})).status_code
        for n in range(rules.LETTER_ADDRESS.tries + 1)
    ]
    assert answers[-1] == 429
    assert answers[:-1] == [303] * rules.LETTER_ADDRESS.tries


async def test_a_banned_member_learns_it_only_with_the_right_password(client: httpx.AsyncClient) -> None:
    await member(banned_at=utcnow(), ban_reason="shared the password")
    assert (await sign_in(client, password="wrong")).status_code == 422
    answer = await sign_in(client)
    assert answer.status_code == 403
    assert "This account is closed." in answer.text
    assert "shared the password" not in answer.text
    assert "set-cookie" not in answer.headers


async def test_logging_out_ends_the_sign_in_on_the_server(client: httpx.AsyncClient) -> None:
    user = await member()
    await sign_in(client)
    token = client.cookies["__Host-limber"]
    answer = await client.post("/logout")
    assert answer.status_code == 303
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert "Secure" in answer.headers["set-cookie"]
    assert await open_sessions(user) == 0
    client.cookies.set("__Host-limber", token, domain="limber.test")
    assert (await client.get("/account")).status_code == 401


async def test_logging_out_twice_is_no_error(client: httpx.AsyncClient) -> None:
    assert (await client.post("/logout")).status_code == 303


async def test_an_expired_sign_in_is_nobody(client: httpx.AsyncClient) -> None:
    user = await member()
    await sign_in(client)
    async with db.transaction() as session:
        past = utcnow() - timedelta(seconds=1)
        await session.execute(
            update(UserSession).where(UserSession.user_id == user.id).values(expires_at=past)
        )
    answer = await client.get("/account")
    assert answer.status_code == 401
    assert 'action="/login"' in answer.text
    assert 'name="next" value="/account"' in answer.text


@pytest.mark.parametrize(
    "path", ["/login", "/logout", "/join", "/forgot", "/confirm", "/reset", "/change-email"]
)
@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}],
)
async def test_a_form_on_another_site_changes_nothing(
    client: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    user = await member()
    await sign_in(client)
    answer = await client.post(path, data={"email": "kai@example.com", "password": PASSWORD}, headers=headers)
    assert answer.status_code == 403
    assert await open_sessions(user) == 1


async def test_every_page_of_a_signed_in_member_renews_the_cookie(client: httpx.AsyncClient) -> None:
    await member()
    await sign_in(client)
    page = await client.get("/forgot")
    assert f"Max-Age={30 * 86400}" in page.headers["set-cookie"]
    assert page.headers["cache-control"] == "private, no-store"


async def test_a_link_used_twice_at_once_works_once(client: httpx.AsyncClient) -> None:
    await member()
    await client.post("/forgot", data={"email": "kai@example.com"})
    await client.post("/join", data={"email": "new@example.com", "name": "Noa"})
    tokens = {letter["template"]: token_of(letter) for letter in await letters()}
    for path, template in (("/reset", "reset_password"), ("/confirm", "confirm")):
        data = {"token": tokens[template], "password": "four quiet hips"}
        answers = await asyncio.gather(*(client.post(path, data=data) for _time in range(3)))
        assert sorted(answer.status_code for answer in answers) == [303, 410, 410]


async def test_many_sign_ins_at_once_do_not_stand_still(client: httpx.AsyncClient) -> None:
    await member()
    client.cookies.set("__Host-limber", "stale", domain="limber.test")
    # More than there are connections: each request needs one for its count and one for the rest, never both at once.
    answers = await asyncio.wait_for(
        asyncio.gather(*(sign_in(client, f"nobody{n}@example.com") for n in range(25))), timeout=60
    )
    assert {answer.status_code for answer in answers} == {422}
