"""The SMTP side: takes every mail for every address, and keeps it."""

import asyncio

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.loopback import require_loopback
from sandbox.outbox.mailbox import Mailbox

_LARGEST_BYTES = 10_000_000


class _Keep:
    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Named by aiosmtpd."""
        content = envelope.content
        data = content.encode() if isinstance(content, str) else content or b""
        self._mailbox.add(data, [str(one) for one in envelope.rcpt_tos])
        return "250 OK: kept in the outbox"


async def listen(mailbox: Mailbox, host: str, port: int) -> asyncio.Server:
    """Start receiving.

    Raises:
        NotLoopback: for a host that other machines could reach.
        OSError: when the port is taken.
    """
    require_loopback(host)
    loop = asyncio.get_running_loop()

    def protocol() -> SMTP:
        return SMTP(
            _Keep(mailbox),
            data_size_limit=_LARGEST_BYTES,
            enable_SMTPUTF8=True,
            hostname="localhost",
            loop=loop,
        )

    return await loop.create_server(protocol, host, port)
