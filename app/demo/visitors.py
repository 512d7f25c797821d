"""The demo's people, acting as people do: over HTTP, through the same doors as everybody else."""

import asyncio
from base64 import b64encode
from pathlib import Path
from urllib.parse import urljoin

import httpx

from app.demo.processes import Fault

BLOCK_BYTES = 8 * 2**20
TUS = {"Tus-Resumable": "1.0.0"}


class Refused(Fault):
    """The site did not do what the demo asked of it."""


def browser(site: str) -> httpx.AsyncClient:
    """A client that keeps cookies and, like a person, looks where it is sent."""
    return httpx.AsyncClient(base_url=site, trust_env=False, timeout=60, headers={"Accept": "text/html"})


async def sign_in(client: httpx.AsyncClient, email: str, password: str) -> None:
    """Raises: Refused when the form does not let them in."""
    answer = await client.post("/login", data={"email": email, "password": password, "next": "/account"})
    if answer.status_code != 303:
        raise Refused(f"{email} could not sign in: {answer.status_code}")


def tus_metadata(filename: str, filetype: str) -> str:
    """The `Upload-Metadata` header. Source: tus 1.0, creation extension."""
    return ",".join(
        f"{name} {b64encode(value.encode()).decode()}"
        for name, value in (("filename", filename), ("filetype", filetype))
    )


async def upload(client: httpx.AsyncClient, path: Path) -> None:
    """Send a file by tus, as the studio's uploader does.

    Raises: Refused with the server's words.
    """
    size = (await asyncio.to_thread(path.stat)).st_size
    created = await client.post(
        "/studio/uploads",
        headers={**TUS, "Upload-Length": str(size), "Upload-Metadata": tus_metadata(path.name, "video/mp4")},
    )
    if created.status_code != 201:
        raise Refused(f"{path.name}: {created.status_code} {created.text}")
    where, offset = created.headers["location"], 0
    data = await asyncio.to_thread(path.read_bytes)
    while offset < size:
        sent = await client.patch(
            where,
            content=data[offset : offset + BLOCK_BYTES],
            headers={**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"},
        )
        if sent.status_code != 204:
            raise Refused(f"{path.name}: {sent.status_code} {sent.text}")
        offset = int(sent.headers["upload-offset"])


async def open_offer(client: httpx.AsyncClient, article: str) -> None:
    """Step from an article to the plans, as by its link in a browser.

    Raises: Refused when the plans are not shown.
    """
    said = {
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Site": "same-origin",
        "Referer": f"{client.base_url}/articles/{article}",
    }
    answer = await client.get("/plans", params={"from": article}, headers=said)
    if answer.status_code != 200:
        raise Refused(f"plans: {answer.status_code}")


async def pay(client: httpx.AsyncClient, plan_slug: str, next_path: str, article: str = "") -> None:
    """Buy a plan, coming from an article: the site's button, the card on the stand-in's page, and the way back.

    Raises: Refused when one of the three does not lead on.
    """
    started = await client.post(f"/checkout?from={article}", data={"plan": plan_slug, "next": next_path})
    if started.status_code != 303:
        raise Refused(f"checkout: {started.status_code}")
    page = started.headers["location"]
    card = {
        "email": "member@example.com",
        "card_number": "4242 4242 4242 4242",
        "expiry": "12 / 34",
        "cvc": "123",
        "name": "Demo Member",
        "action": "pay",
    }
    paid = await client.post(page, data=card)
    if paid.status_code != 303:
        raise Refused(f"payment: {paid.status_code}")
    back = await client.get(urljoin(page, paid.headers["location"]))
    if back.status_code >= 400:
        raise Refused(f"return: {back.status_code}")
