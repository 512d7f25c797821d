"""A member's own account as a browser meets it."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest

from app import db
from app.accounts import queries, rules
from app.accounts.models import User
from app.billing.queries import Membership
from app.clock import utcnow
from app.templating import environment
from tests import factories
from tests.letters import letters, token_of

PASSWORD = "three quiet hips"
NEW = "four quiet hips"


@pytest.fixture
async def kai(client: httpx.AsyncClient) -> User:
    """A member who is signed in on the client."""
    async with db.transaction() as session:
        user = await factories.user(
            session, email="kai@example.com", name="Kai", password_hash=factories.kept(PASSWORD)
        )
    await factories.sign_in(client, user)
    return user


async def fresh(user: User) -> User:
    async with db.transaction() as session:
        return await queries.by_id(session, user.id)


async def devices(user: User) -> list[queries.Device]:
    async with db.transaction() as session:
        return await queries.devices(session, user.id, utcnow())


async def other_device(client: httpx.AsyncClient, user: User) -> httpx.AsyncClient:
    other = httpx.AsyncClient(
        transport=client._transport, base_url=client.base_url, headers={"Accept": "text/html"}
    )
    await factories.sign_in(other, user)
    return other


PAGES = ["/account", "/account/name", "/account/email", "/account/password"]
POSTS = [
    "/account/name",
    "/account/email",
    "/account/password",
    f"/account/devices/{UUID(int=7)}/sign-out",
    "/account/sign-out-everywhere",
]


@pytest.mark.parametrize("path", PAGES)
async def test_nobody_sees_an_account_without_signing_in(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 401
    assert answer.headers["cache-control"] == "no-store"
    assert not answer.headers["www-authenticate"].startswith("Basic")
    assert f'name="next" value="{path}"' in answer.text
    assert "Please log in to see this page." in answer.text
    assert "paid videos" not in answer.text


@pytest.mark.parametrize("path", POSTS)
async def test_nobody_changes_an_account_without_signing_in(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.post(path)).status_code == 401


@pytest.mark.parametrize("path", PAGES)
async def test_the_pages_open_for_a_member(client: httpx.AsyncClient, kai: User, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-store"


async def test_the_name_is_changed(client: httpx.AsyncClient, kai: User) -> None:
    answer = await client.post("/account/name", data={"name": " Kai   Mahoe "})
    assert answer.status_code == 303
    page = await client.get(answer.headers["location"])
    assert "Kai Mahoe" in page.text
    assert "Your name is changed." in page.text


@pytest.mark.parametrize(("done", "tone"), [("paid", "ok"), ("unpaid", "warn"), ("rests", "warn")])
async def test_what_failed_does_not_look_like_what_went_well(
    client: httpx.AsyncClient, kai: User, done: str, tone: str
) -> None:
    page = (await client.get(f"/account?done={done}")).text
    assert f'<p class="notice notice-{tone}" role="status">' in page


async def test_an_empty_name_gets_a_sentence(client: httpx.AsyncClient, kai: User) -> None:
    answer = await client.post("/account/name", data={"name": " "})
    assert answer.status_code == 422
    assert "Please tell us your name." in answer.text


async def ask(client: httpx.AsyncClient, email: str, current: str = PASSWORD) -> httpx.Response:
    return await client.post("/account/email", data={"email": email, "current": current})


async def test_a_new_address_counts_once_its_link_was_used(client: httpx.AsyncClient, kai: User) -> None:
    assert (await ask(client, "Kai@New.example")).status_code == 303
    assert (await fresh(kai)).email == "kai@example.com"
    letter = (await letters())[0]
    assert (letter["template"], letter["to"]) == ("change_email", "kai@new.example")
    token = token_of(letter)
    page = await client.get(f"/change-email?token={token}")
    assert page.status_code == 200
    assert page.headers["referrer-policy"] == "no-referrer"
    assert (await fresh(kai)).email == "kai@example.com"
    done = await client.post("/change-email", data={"token": token})
    assert (done.status_code, done.headers["location"]) == (303, "/change-email/done")
    assert (await fresh(kai)).email == "kai@new.example"
    notice = (await letters())[1]
    assert (notice["template"], notice["to"]) == ("email_changed", "kai@example.com")
    assert (await client.post("/change-email", data={"token": token})).status_code == 410
    assert (await client.get("/change-email/done")).status_code == 200


async def test_changing_to_a_taken_address_answers_the_same(client: httpx.AsyncClient, kai: User) -> None:
    async with db.transaction() as session:
        await factories.user(session, email="taken@example.com")
    free, taken = await ask(client, "free@example.com"), await ask(client, "taken@example.com")
    assert (free.status_code, free.headers["location"]) == (taken.status_code, taken.headers["location"])
    assert {letter["to"]: letter["template"] for letter in await letters()} == {
        "free@example.com": "change_email",
        "taken@example.com": "email_taken",
    }


async def test_an_address_taken_in_the_meantime_is_not_changed(client: httpx.AsyncClient, kai: User) -> None:
    await ask(client, "kai@new.example")
    token = token_of((await letters())[0])
    async with db.transaction() as session:
        await factories.user(session, email="kai@new.example")
    answer = await client.post("/change-email", data={"token": token})
    assert answer.status_code == 409
    assert "Your address was not changed." in answer.text
    assert (await fresh(kai)).email == "kai@example.com"


async def test_a_new_password_kills_the_link_for_a_new_address(client: httpx.AsyncClient, kai: User) -> None:
    await ask(client, "kai@new.example")
    token = token_of((await letters())[0])
    await client.post("/account/password", data={"current": PASSWORD, "password": NEW})
    assert (await client.post("/change-email", data={"token": token})).status_code == 410


async def test_a_wrong_present_password_changes_nothing(client: httpx.AsyncClient, kai: User) -> None:
    answers = [
        await ask(client, "kai@new.example", "wrong"),
        await client.post("/account/password", data={"current": "wrong", "password": NEW}),
    ]
    for answer in answers:
        assert answer.status_code == 422
        assert "This is not your present password." in answer.text
        assert "wrong" not in answer.text
    assert 'value="kai@new.example"' in answers[0].text
    assert await letters() == []


async def test_the_present_password_cannot_be_guessed_without_end(
    client: httpx.AsyncClient, kai: User
) -> None:
    data = {"current": "wrong", "password": NEW}
    statuses = [
        (await client.post("/account/password", data=data)).status_code
        for _try in range(rules.REAUTHENTICATE.tries + 1)
    ]
    assert statuses[-2:] == [422, 429]
    assert (await client.post("/account/password", data={**data, "current": PASSWORD})).status_code == 429


async def test_a_new_password_signs_the_other_devices_out(client: httpx.AsyncClient, kai: User) -> None:
    other = await other_device(client, kai)
    before = client.cookies["__Host-limber"]
    answer = await client.post("/account/password", data={"current": PASSWORD, "password": NEW})
    assert answer.status_code == 303
    assert client.cookies["__Host-limber"] != before
    assert (await client.get("/account")).status_code == 200
    assert (await other.get("/account")).status_code == 401
    assert [letter["template"] for letter in await letters()] == ["password_changed"]


async def test_a_weak_new_password_gets_a_sentence(client: httpx.AsyncClient, kai: User) -> None:
    answer = await client.post("/account/password", data={"current": PASSWORD, "password": "short"})
    assert answer.status_code == 422
    assert "Please choose at least 10 characters." in answer.text


async def test_one_device_is_signed_out(client: httpx.AsyncClient, kai: User) -> None:
    this = (await devices(kai))[0]
    other = await other_device(client, kai)
    that = next(device for device in await devices(kai) if device.id != this.id)
    answer = await client.post(f"/account/devices/{that.id}/sign-out")
    assert answer.headers["location"] == "/account?done=device"
    assert (await other.get("/account")).status_code == 401
    assert (await client.get("/account")).status_code == 200


async def test_somebody_elses_device_stays_signed_in(client: httpx.AsyncClient, kai: User) -> None:
    async with db.transaction() as session:
        somebody = await factories.user(session)
    other = await other_device(client, somebody)
    theirs = (await devices(somebody))[0]
    await client.post(f"/account/devices/{theirs.id}/sign-out")
    assert (await other.get("/account")).status_code == 200


@pytest.mark.parametrize("how", ["this", "everywhere"])
async def test_signing_this_device_out_leads_to_the_login_page(
    client: httpx.AsyncClient, kai: User, how: str
) -> None:
    other = await other_device(client, kai)
    this = (await devices(kai))[1]
    path = "/account/sign-out-everywhere" if how == "everywhere" else f"/account/devices/{this.id}/sign-out"
    answer: Any = await client.post(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert (await client.get("/account")).status_code == 401
    assert (await other.get("/account")).status_code == (401 if how == "everywhere" else 200)


async def test_the_devices_are_named_in_words(client: httpx.AsyncClient, kai: User) -> None:
    page = await client.get("/account")
    assert "Unknown device" in page.text
    assert "This device, now" in page.text


async def test_a_right_given_free_of_charge_is_not_called_no_membership(
    client: httpx.AsyncClient, kai: User
) -> None:
    assert "You have no membership." in (await client.get("/account")).text
    async with db.transaction() as session:
        await factories.entitlement(session, kai)
    page = (await client.get("/account")).text
    assert "You have no membership." not in page
    assert "free of charge" in page


def membership(state: str, next_at: datetime | None, ends_at: datetime | None) -> str:
    """The membership's part of the account page."""
    plan = Membership("Whole body", 1900, "usd", "month", state, next_at, ends_at)
    return (
        environment().get_template("account/_membership.html").render(page=SimpleNamespace(membership=plan))
    )


DAY = datetime(2026, 12, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "next_at", "ends_at", "sentence"),
    [
        ("active", DAY, None, "The next payment is on 24 December 2026."),
        ("trial", DAY, None, "The first payment is on 24 December 2026."),
        ("ending", None, DAY, "You can watch until 24 December 2026, and nothing more is charged."),
        ("past_due", None, DAY, "If your card works again, try it; else give another one above."),
        ("stopped", None, None, "The membership is paused because it is not paid."),
    ],
)
def test_a_membership_says_what_is_paid_when_next_and_how_to_stop(
    state: str, next_at: datetime | None, ends_at: datetime | None, sentence: str
) -> None:
    words = membership(state, next_at, ends_at)
    assert "Whole body" in words
    assert "$19 a month" in words
    assert sentence in words
    assert 'action="/account/portal"' in words
