"""Mail as Limber writes it: templates/email/<name>/ rendered to text and HTML, sent over SMTP."""

from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

import aiosmtplib

from app.errors import Unavailable
from app.i18n import _, current_locale, direction, language_tag
from app.settings import get_settings
from app.templating import environment


def render(template: str, to: str, context: dict[str, Any], site_name: str = "") -> EmailMessage:
    """Build the message `templates/email/<template>/{subject.txt,body.txt,body.html}` for one address.

    `site_name`: who writes, at its head and foot.

    Raises:
        jinja2.UndefinedError: when the context lacks what the template uses.
    """
    settings = get_settings()
    spoken = current_locale()
    frame = {
        "base_url": settings.base_url,
        "site_name": site_name,
        "language": language_tag(spoken),
        "direction": direction(spoken),
    }
    values = {"to": to, **frame, **context}
    env = environment()

    def part(name: str) -> str:
        return env.get_template(f"email/{template}/{name}").render(values)

    message = EmailMessage()
    message["Subject"] = in_header(part("subject.txt"))
    message["From"] = settings.mail_from
    message["To"] = to
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = make_msgid(
        domain=parseaddr(settings.mail_from)[1].rpartition("@")[2] or "localhost"
    )
    message["Auto-Submitted"] = "auto-generated"
    if reply_to := context.get("reply_to"):
        message["Reply-To"] = str(reply_to)
    if unsubscribe := context.get("unsubscribe_url"):
        # RFC 8058: the mail program's own button ends it, without a page.
        message["List-Unsubscribe"] = f"<{unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(part("body.txt").strip() + "\n")
    message.add_alternative(part("body.html"), subtype="html")
    return message


def in_header(text: str) -> str:
    """Typed words as one line that a header can hold.

    A line break would start a new header; and so would `=?utf-8?q?=0D=0ABcc:…?=`, which Python decodes when the value
    is set and writes out as it is. Whoever types `=?` means those two characters.
    """
    return " ".join(text.split()).replace("=?", "= ?")


async def deliver(message: EmailMessage) -> None:
    """Hand the message to the SMTP server of SMTP_URL.

    Raises:
        Unavailable: when none is configured, so that the work stays and can be seen.
        aiosmtplib.SMTPException: when the server refuses or does not answer.
    """
    settings = get_settings()
    if not settings.smtp_url:
        raise Unavailable(_("No mail server is set (SMTP_URL), so this mail waits."))
    url = urlsplit(settings.smtp_url)
    await aiosmtplib.send(
        message,
        hostname=url.hostname or "127.0.0.1",
        port=url.port or (465 if url.scheme == "smtps" else 587),
        username=unquote(url.username) if url.username else None,
        password=unquote(url.password) if url.password else None,
        use_tls=url.scheme == "smtps",
        timeout=30,
    )
