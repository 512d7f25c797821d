"""What strangers type never becomes a header of a mail, nor another address than the one that was typed."""

from email.message import EmailMessage
from email.utils import formataddr, getaddresses

import pytest

from app import mail
from app.accounts import rules
from app.errors import BadInput

HEADERS = {
    "Subject",
    "From",
    "To",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Reply-To",
    "MIME-Version",
    "Content-Type",
}
NAMES = [
    # Python's parser decodes these, line breaks and all, and writes what comes out into the head of the mail.
    "=?utf-8?q?x=0d=0aBcc:_evil@evil.example?=",
    "=?utf-8?b?eA0KQmNjOiBldmlsQGV2aWwuZXhhbXBsZQ==?=",
    "=?utf-8?q?=00?=",
    "==?utf-8?q??==?utf-8?q?x=0aBcc:_e?=",
    "x\r\nBcc: evil@evil.example",
    "x\u2028Bcc: evil@evil.example",
    "evil@evil.example, x",
    'a "quoted" \\ name <b@evil.example>',
    "Ünï \U0001f642 " + "é" * 100,
]


def heads(message: EmailMessage) -> list[str]:
    """Names of the headers as they go out over the wire."""
    head = message.as_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    assert b"\r" not in head
    assert b"\0" not in head
    return [line.partition(b":")[0].decode() for line in head.split(b"\n") if not line.startswith(b" ")]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_adds_no_header_and_no_address(name: str) -> None:
    writer = "writer@example.com"
    message = mail.render(
        "new_message",
        "teacher@example.com",
        {
            "name": name,
            "email": writer,
            "phone": "",
            "words": "Hello",
            "reply_to": formataddr((mail.in_header(name), writer)),
        },
    )
    assert set(heads(message)) <= HEADERS
    assert [address for _name, address in getaddresses([str(message["Reply-To"])])] == [writer]
    response = mail.render(
        "new_response",
        "teacher@example.com",
        {
            "name": name,
            "words": "Hello",
            "article_title": name,
            "article_path": "/articles/x",
            "response_path": "/articles/x#y",
            "is_held": True,
        },
    )
    assert set(heads(response)) <= HEADERS
    assert [address for _name, address in getaddresses([str(response["To"])])] == ["teacher@example.com"]


@pytest.mark.parametrize(
    "typed",
    [
        "=?utf-8?q?x=0d=0abcc=3a_evil=40evil.example?=@example.com",
        "=?us-ascii?q?=3ca=40evil.example=3e?=@example.com",
    ],
)
def test_an_address_that_mail_reads_as_another_one_is_refused(typed: str) -> None:
    with pytest.raises(BadInput):
        rules.clean_email(typed)
