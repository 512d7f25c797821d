"""The outbox takes every mail over SMTP, keeps it, and shows it without trusting it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx
import pytest

from sandbox.loopback import NotLoopback
from sandbox.outbox.app import create_app
from sandbox.outbox.mailbox import Mailbox
from sandbox.outbox.receiver import listen
from tests.sandbox.stands import Served


class Outbox:
    """A running outbox: where its page is, and how to send to it."""

    def __init__(self, folder: Path, served: Served, smtp_port: int) -> None:
        self.folder = folder
        self.url = served.url
        self._port = smtp_port

    async def send(self, message: EmailMessage, to: list[str] | None = None) -> None:
        await aiosmtplib.send(
            message, recipients=to, hostname="127.0.0.1", port=self._port, start_tls=False, use_tls=False
        )


@pytest.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[Outbox]:
    mailbox = Mailbox(tmp_path / "outbox")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = await listen(mailbox, "127.0.0.1", port)
    served = Served(create_app(mailbox))
    yield Outbox(tmp_path / "outbox", served, port)
    await asyncio.to_thread(served.stop)
    server.close()
    await server.wait_closed()


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        yield client


def letter(to: str = "member@example.com", subject: str = "Confirm your address") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Limber <studio@example.com>"
    message["To"] = to
    message["Subject"] = subject
    message.set_content("Aloha,\nplease follow https://limber.test/confirm?token=a.b_c-d&x=1.\n")
    message.add_alternative(
        '<p style="color:teal">Aloha <script>alert(1)</script><a href="https://limber.test/confirm">here</a></p>',
        subtype="html",
    )
    return message


async def test_a_mail_is_listed_shown_and_given_as_json(outbox: Outbox, browser: httpx.AsyncClient) -> None:
    await outbox.send(letter(subject="Café: ‘confirm’"))
    page = await browser.get(outbox.url)
    assert "Café: ‘confirm’" in page.text
    (mail,) = (await browser.get(f"{outbox.url}/messages.json")).json()
    assert (mail["subject"], mail["to"]) == ("Café: ‘confirm’", ["member@example.com"])
    assert "https://limber.test/confirm?token=a.b_c-d&x=1" in mail["text"]
    shown = await browser.get(f"{outbox.url}/messages/{mail['id']}")
    assert '<a href="https://limber.test/confirm?token=a.b_c-d&amp;x=1">' in shown.text
    assert "<script>" not in shown.text


async def test_the_html_part_is_caged(outbox: Outbox, browser: httpx.AsyncClient) -> None:
    await outbox.send(letter())
    (mail,) = (await browser.get(f"{outbox.url}/messages.json")).json()
    shown = await browser.get(f"{outbox.url}/messages/{mail['id']}")
    assert f'src="/messages/{mail["id"]}/html"' in shown.text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in shown.text
    part = await browser.get(f"{outbox.url}/messages/{mail['id']}/html")
    policy = part.headers["content-security-policy"]
    assert policy.startswith("sandbox ")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


async def test_blind_copies_are_listed_by_envelope_and_found_by_address(
    outbox: Outbox, browser: httpx.AsyncClient
) -> None:
    await outbox.send(letter(), ["member@example.com", "Hidden@example.com"])
    await outbox.send(letter("other@example.com", "Another"))
    found = (await browser.get(f"{outbox.url}/messages.json", params={"to": "hidden@example.com"})).json()
    assert [one["to"] for one in found] == [["member@example.com", "Hidden@example.com"]]
    page = await browser.get(outbox.url, params={"to": "other@example.com"})
    assert ("Another" in page.text, "Confirm your address" in page.text) == (True, False)


async def test_mails_outlive_the_process_and_are_newest_first(outbox: Outbox) -> None:
    for number in range(3):
        await outbox.send(letter(subject=f"Letter {number}"))
        await asyncio.sleep(0.005)
    again = Mailbox(outbox.folder)
    assert [one.subject for one in again.list()] == ["Letter 2", "Letter 1", "Letter 0"]


async def test_the_outbox_can_be_emptied(outbox: Outbox, browser: httpx.AsyncClient) -> None:
    await outbox.send(letter())
    refused = await browser.post(f"{outbox.url}/clear", headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 403
    assert (await browser.delete(f"{outbox.url}/messages.json")).status_code == 204
    assert (await browser.get(f"{outbox.url}/messages.json")).json() == []
    assert "No mail yet" in (await browser.get(outbox.url)).text
    await outbox.send(letter())
    assert (await browser.post(f"{outbox.url}/clear")).status_code == 303
    assert Mailbox(outbox.folder).list() == []


@pytest.mark.parametrize("name", ["nothing", "..%2F..%2Fetc%2Fpasswd", "0000000000000-00000000"])
async def test_a_mail_that_is_not_there_is_404(outbox: Outbox, browser: httpx.AsyncClient, name: str) -> None:
    assert (await browser.get(f"{outbox.url}/messages/{name}")).status_code == 404
    assert (await browser.get(f"{outbox.url}/messages/{name}/html")).status_code == 404


async def test_a_foreign_host_name_is_refused(outbox: Outbox, browser: httpx.AsyncClient) -> None:
    assert (await browser.get(outbox.url, headers={"Host": "evil.example"})).status_code == 403


def test_a_mail_in_an_unknown_charset_or_in_pieces_is_still_shown(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path)
    strange = b"Subject: =?no-such?q?x?=\r\nContent-Type: text/plain; charset=no-such\r\n\r\nAloha \xff\r\n"
    torn = (
        b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhalf"
    )
    forged = b"X-Outbox-Envelope-To: forged@example.com\r\nSubject: Forged\r\n\r\nx"
    for content in (strange, torn, forged, b"", b"\x00\xff no headers"):
        mailbox.add(content, ["member@example.com"])
    shown = mailbox.list()
    assert len(shown) == 5
    assert {tuple(one.to) for one in shown} == {("member@example.com",)}
    assert any("Aloha" in one.text for one in shown)


async def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    with pytest.raises(NotLoopback):
        await listen(Mailbox(tmp_path), "0.0.0.0", 0)
