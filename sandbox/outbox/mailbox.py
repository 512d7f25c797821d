"""The mails, one .eml file each in a folder, so that they outlive the process."""

import email
import email.policy
import re
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

ENVELOPE_TO = "X-Outbox-Envelope-To"
_NAME = re.compile(r"\d{13}-[0-9a-f]{8}")


@dataclass(frozen=True)
class Mail:
    """One mail as received. `to` are the envelope's addresses, blind copies included."""

    id: str
    to: list[str]
    sender: str
    subject: str
    text: str
    html: str | None
    headers: list[tuple[str, str]]
    received_at: datetime


class Mailbox:
    """A folder of mails, newest first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, content: bytes, recipients: list[str]) -> str:
        """Keep a mail; gives its id. The file appears at once or not at all."""
        mail_id = f"{time.time_ns() // 1_000_000:013d}-{secrets.token_hex(4)}"
        header = f"{ENVELOPE_TO}: {', '.join(recipients)}\r\n".encode()
        partial = self._folder / f".{mail_id}"
        partial.write_bytes(header + content)
        partial.rename(self._folder / f"{mail_id}.eml")
        return mail_id

    def list(self, to: str | None = None) -> list[Mail]:
        """All mails, or those to one address, newest first."""
        names = sorted((path.stem for path in self._folder.glob("*.eml")), reverse=True)
        mails = (self.find(name) for name in names)
        found = [mail for mail in mails if mail is not None]
        return [mail for mail in found if to is None or to.lower() in [one.lower() for one in mail.to]]

    def find(self, mail_id: str) -> Mail | None:
        """One mail."""
        path = self._folder / f"{mail_id}.eml"
        if not _NAME.fullmatch(mail_id) or not path.is_file():
            return None
        return _read(mail_id, path.read_bytes())

    def clear(self) -> None:
        """Throw all mails away."""
        for path in self._folder.glob("*.eml"):
            path.unlink(missing_ok=True)


def _read(mail_id: str, content: bytes) -> Mail:
    message = email.message_from_bytes(content, policy=email.policy.default)
    if not isinstance(message, EmailMessage):
        raise TypeError("the default policy makes EmailMessage")
    recipients = [part.strip() for part in str(message[ENVELOPE_TO] or "").split(",") if part.strip()]
    return Mail(
        id=mail_id,
        to=recipients,
        sender=str(message["From"] or ""),
        subject=str(message["Subject"] or ""),
        text=_part(message, "plain") or "",
        html=_part(message, "html"),
        headers=[(name, str(value)) for name, value in message.items() if name != ENVELOPE_TO],
        received_at=datetime.fromtimestamp(int(mail_id[:13]) / 1000, UTC),
    )


def _part(message: EmailMessage, kind: str) -> str | None:
    body = message.get_body((kind,))
    if body is None:
        return None
    try:
        return str(body.get_content())
    except (LookupError, UnicodeError):
        # An unknown charset must not hide the mail.
        payload = body.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
