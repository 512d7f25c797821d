"""The cookie by which a guest's browser is known again: set when somebody writes, never when they only read."""

from dataclasses import replace
from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from app.accounts.permissions import Viewer
from app.articles import writers
from app.articles.models import Ban
from app.articles.writers import Sender
from app.i18n import _
from app.settings import get_settings
from app.templating import day
from app.web.writing_forms import client_ip

# Browsers keep no cookie for longer.
KEEP_S = 400 * 86_400


def cookie_name() -> str:
    return "__Host-limber-writer" if get_settings().secure_cookies else "limber-writer"


def sender_of(request: Request, viewer: Viewer | None) -> Sender:
    """Who sends this request, or looks at the page."""
    value = request.cookies.get(cookie_name(), "")
    return Sender(viewer, writers.read(get_settings().link_ring, value), client_ip(request))


def marked(sender: Sender, stamp: str) -> Sender:
    """The same; a guest's browser without a mark gets one with its first response."""
    if sender.viewer is not None or sender.writer is not None:
        return sender
    return replace(sender, writer=writers.first_mark(get_settings().link_ring, stamp, sender.ip))


def remember(response: Response, writer: UUID) -> None:
    """Hand the browser its mark."""
    settings = get_settings()
    response.set_cookie(
        cookie_name(),
        writers.sign(settings.link_ring, writer),
        max_age=KEEP_S,
        path="/",
        secure=settings.secure_cookies,
        httponly=True,
        samesite="lax",
    )


def ban_sentence(ban: Ban) -> str:
    """What a banned person reads, where they may be told (`bans.may_be_told`)."""
    if ban.kind == "network" and ban.ends_at is not None:
        return _(
            "Responses from your network are not taken until %(day)s, because of what others sent from it."
            " Members can log in and respond; anybody can send an email. Your words are still here."
        ) % {"day": day(ban.ends_at)}
    return _(
        "You cannot respond here any more. If you think that this is a mistake, please send an email."
        " Your words are still here."
    )
