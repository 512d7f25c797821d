"""The safe way back: after signing in and paying one is on the page that was wanted, and never on another site."""

import re
from html import unescape
from typing import Any

import httpx
import pytest

from app import db
from app.accounts.models import User
from app.clock import utcnow
from app.web.failures import way_back
from tests import factories
from tests.web.viewers import Scene, build, entitled, sell
from tests.web.wall import MEMBERSHIP, SIGN_IN, hidden_next, next_of

PASSWORD = "three quiet hips"


@pytest.fixture
async def scene(client: httpx.AsyncClient) -> Scene:
    return await build()


ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/courses\\..\\..\\evil",
    "https://evil.example/courses",
    "https:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    " //evil.example",
    "",
]


async def a_reader(**values: Any) -> User:
    async with db.transaction() as session:
        return await factories.user(
            session, email="kai@example.com", password_hash=factories.kept(PASSWORD), **values
        )


async def test_the_way_back_never_leads_to_another_site(client: httpx.AsyncClient, scene: Scene) -> None:
    for bad in ELSEWHERE:
        page = await client.get("/login", params={"next": bad})
        assert hidden_next(page.text) == ""
        assert "evil" not in page.text
    await entitled(client)
    for bad in ELSEWHERE:
        for path in ("/login", "/join"):
            onward = await client.get(path, params={"next": bad})
            assert (onward.status_code, onward.headers["location"]) == (303, "/library")


async def test_signing_in_never_leads_to_another_site(client: httpx.AsyncClient) -> None:
    await a_reader()
    # Each costs a password's hash, so only one of each sort; test_auth.py has more.
    for bad in ("//evil.example", "/\\evil.example", "https://evil.example"):
        client.cookies.clear()
        form = {"email": "kai@example.com", "password": PASSWORD, "next": bad}
        wrong = await client.post("/login", data={**form, "password": "another"})
        assert hidden_next(wrong.text) == ""
        right = await client.post("/login", data=form)
        assert (right.status_code, right.headers["location"]) == (303, "/library")


async def test_a_page_of_another_site_is_no_way_back(client: httpx.AsyncClient) -> None:
    for page in (
        "https://evil.example/courses/lower-body",
        "https://limber.test.evil.example/courses",
        "https://limber.test@evil.example/courses",
        "https://limber.test//evil.example/",
        "https://limber.test/\\evil.example/",
        "javascript:alert(1)",
        "https://[",
        "",
    ):
        form = await client.post("/account/name", headers={"Referer": page})
        assert hidden_next(form.text) == "/library", page
        swap = await client.get("/studio/videos", headers={"HX-Request": "true", "HX-Current-URL": page})
        assert next_of(swap.headers["hx-redirect"], "/login") == "/studio", page
        script = await client.get("/account", headers={"Accept": "application/json", "Referer": page})
        assert next_of(script.json()["login_url"], "/login") == "/library", page


@pytest.mark.parametrize(
    ("path", "query", "back"),
    [
        ("/account", b"", "/account"),
        ("/studio/members", b"q=kai&page=2", "/studio/members?q=kai&page=2"),
        ("/studio/a b?c", b"", "/studio/a%20b%3Fc"),
        ("//evil.example/library", b"", "/library"),
        ("/\\evil.example", b"", "/%5Cevil.example"),
    ],
)
def test_a_page_leads_back_to_itself(path: str, query: bytes, back: str) -> None:
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query, "headers": []}
    assert way_back(scope) == back


def link_to(page: str, path: str) -> str:
    found = re.search(rf'href="({re.escape(path)}\?[^"]*)"', page)
    assert found, f"no link to {path}"
    return unescape(found[1])


async def test_after_signing_in_and_after_paying_one_is_on_the_lesson(
    client: httpx.AsyncClient, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sell(monkeypatch)
    user = await a_reader()
    wall = await client.get(scene.paid_url)
    form = await client.get(link_to(wall.text, "/login"))
    assert SIGN_IN in form.text
    data = {"email": "kai@example.com", "password": PASSWORD, "next": hidden_next(form.text)}
    arrived = await client.post("/login", data=data, follow_redirects=True)
    assert (arrived.status_code, arrived.url.path) == (200, scene.paid_url)
    assert MEMBERSHIP in arrived.text
    # From paying at Stripe on, tests/billing/test_checkout.py goes to the same lesson.
    plans = await client.get(link_to(arrived.text, "/plans"))
    assert f'name="next" value="{scene.paid_url}"' in plans.text
    async with db.transaction() as session:
        await factories.entitlement(session, user)
    assert f'data-lesson-id="{scene.paid.id}"' in (await client.get(scene.paid_url)).text


async def test_whoever_has_no_account_yet_keeps_the_lesson_in_sight(
    client: httpx.AsyncClient, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sell(monkeypatch)
    wall = await client.get(scene.paid_url)
    plans = await client.get(link_to(wall.text, "/plans"))
    assert f'name="next" value="{scene.paid_url}"' in plans.text
    answer = await client.post("/checkout", data={"plan": "monthly", "next": scene.paid_url})
    assert answer.status_code == 303
    after = next_of(answer.headers["location"], "/join")
    assert next_of(after, "/plans") == scene.paid_url


async def test_a_banned_person_is_told_so_once_they_have_shown_who_they_are(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    await a_reader(banned_at=utcnow())
    form = {"email": "kai@example.com", "password": PASSWORD, "next": scene.paid_url}
    answer = await client.post("/login", data=form)
    assert answer.status_code == 403
    assert "This account is closed." in answer.text
    assert "set-cookie" not in answer.headers
    assert SIGN_IN in (await client.get(scene.paid_url)).text
    assert "This account is closed." not in (await client.post("/login", data={**form, "password": "x"})).text
