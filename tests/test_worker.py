"""What the worker adds to a mail: the day that it is at the practice, and who writes."""

import subprocess
import sys
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from app import db, worker
from app.practice.models import Practice
from app.settings import get_settings
from bench.start import free_ports
from tests.billing.test_letter_days import CONTEXT


def test_no_two_pieces_of_durable_work_have_one_name() -> None:
    """The engine keeps the last one of a name and only says so, as each worker starts."""
    register = [sys.executable, "-c", "from app import worker; worker.register_handlers()"]
    done = subprocess.run(register, capture_output=True, text=True, check=True, timeout=120)
    assert done.stderr == ""


class Box:
    """An SMTP server's end of the line."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"


async def test_a_mail_tells_the_day_at_the_practice_and_who_writes(
    database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with db.transaction() as session:
        session.add(Practice(id=1, site_name="Kapahulu Stretch", time_zone="Pacific/Honolulu"))
    port = free_ports()
    monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{port}")
    get_settings.cache_clear()
    box = Box()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        await worker._deliver("subscription_started", "visitor@example.com", CONTEXT)
    finally:
        server.stop()
        get_settings.cache_clear()
    body = box.mails[0].get_body(("plain",))
    assert body is not None
    assert "25 December 2026" in body.get_content()
    assert body.get_content().splitlines()[-2] == "Kapahulu Stretch"
    html = box.mails[0].get_body(("html",))
    assert html is not None
    assert '<p class="from">Kapahulu Stretch</p>' in html.get_content()
    assert '<html lang="en">' in html.get_content()
