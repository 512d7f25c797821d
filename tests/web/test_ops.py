"""Health, readiness and figures."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest


async def test_healthz_answers_without_a_session(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz")
    assert answer.json() == {"status": "ok"}


async def test_readyz_names_the_part_that_is_missing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "ok"
    assert "worker" in answer.json()["queue"]


async def test_a_missing_page_is_a_sentence_in_a_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nothing-here")
    assert answer.status_code == 404
    assert "This page is not here." in answer.text


async def test_a_cross_site_post_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/healthz", headers={"Origin": "https://evil.example", "Accept": "application/json"}
    )
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "origin", ["null", "http://[", "https://limber.test@evil.example", "https://sub.limber.test", "https://["]
)
async def test_an_origin_that_is_not_ours_is_another_site(client: httpx.AsyncClient, origin: str) -> None:
    answer = await client.post("/logout", headers={"Origin": origin})
    assert answer.status_code == 403


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
async def test_a_body_that_no_form_here_needs_is_not_read_to_its_end(
    client: httpx.AsyncClient, kind: str, *, announced: bool
) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 1
            yield b"a" * 2**18

    headers = {"Content-Type": kind} | ({"Content-Length": str(2**24)} if announced else {})
    answer = await client.post(f"/lessons/{uuid4()}/playback", content=endless(), headers=headers)
    assert answer.status_code == 413 if announced else answer.status_code in (400, 413)
    assert "on our side" not in answer.text, "what was sent is too much, and the site is well"
    assert sent <= 64 * 0.25


@pytest.mark.parametrize("name", ["a" * 300 + ".css", "a%00.css", "..%2fREADME.md", "manifest.json"])
async def test_what_was_not_built_is_not_served(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/static/{name}")).status_code == 404


@pytest.mark.parametrize("path", ["/", "/articles", "/healthz", "/account", "/nothing-here"])
async def test_head_answers_as_get_does_and_sends_no_body(client: httpx.AsyncClient, path: str) -> None:
    asked, got = await client.head(path), await client.get(path)
    assert asked.status_code == got.status_code
    assert asked.headers["content-type"] == got.headers["content-type"]
    assert "content-security-policy" in asked.headers
    assert asked.content == b""


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("/articles/?tag=hips", "/articles?tag=hips"),
        ("/nothing-here/", "/nothing-here"),
        ("//evil.example/", "/evil.example"),
        ("/%5Cevil.example/", "/%5Cevil.example"),
    ],
)
async def test_a_slash_at_the_end_is_forgiven_and_leads_to_no_other_host(
    client: httpx.AsyncClient, asked: str, leads_to: str
) -> None:
    url = httpx.URL("https://limber.test").copy_with(raw_path=asked.encode())
    answer = await client.get(url, headers={"Host": "evil.example"})
    assert (answer.status_code, answer.headers["location"]) == (308, leads_to)


@pytest.mark.parametrize("path", ["/courses/%00", "/articles/a%00b", "/billing/return?session_id=%00"])
async def test_what_a_database_cannot_hold_is_nowhere(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code in (401, 404)
