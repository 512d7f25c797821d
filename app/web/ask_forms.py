""" "Tell me when it is out": the form, wherever it stands, and what is done with what was sent."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Form, Request

from app.accounts.permissions import Viewer
from app.accounts.rules import clean_email
from app.articles import queries as articles
from app.clock import utcnow
from app.db import Db
from app.errors import BadInput
from app.waiting import asking
from app.web.writing_forms import WORK, client_ip, has_worked, new_stamp, pace_error

# What the page says after sending: look into your mail, or nothing more to do.
MAILED, KNOWN = "1", "2"


@dataclass(frozen=True)
class Asked:
    """What was typed and what is wrong with it, or `told`: what became of it."""

    email: str = ""
    error: str = ""
    told: str = ""
    came_from: str = ""


@dataclass(frozen=True)
class AskForm:
    """The form for one topic. `key`: part of the ids on the page. `came_from`: the article that it stands in.
    `work`: what a guest's browser is asked to do (`writing_forms.WORK`)."""

    key: str
    action: str
    stamp: str
    email: str
    error: str
    is_mailed: bool
    is_known: bool
    came_from: str
    work: tuple[int, int] | None


@dataclass(frozen=True)
class SentForm:
    email: str
    stamp: str
    website: str
    came_from: str
    proof: str


async def sent_form(
    email: Annotated[str, Form()] = "",
    stamp: Annotated[str, Form()] = "",
    website: Annotated[str, Form()] = "",
    came_from: Annotated[str, Form(alias="from")] = "",
    proof: Annotated[str, Form()] = "",
) -> SentForm:
    """The form as it was sent."""
    return SentForm(email[:1000], stamp, website, came_from[:100], proof)


Sent = Annotated[SentForm, Depends(sent_form)]


def _purpose(key: str) -> str:
    return f"wait:{key}"


def form_for(viewer: Viewer | None, key: str, action: str, asked: Asked) -> AskForm:
    """An empty form, one with what was typed, or the thanks."""
    return AskForm(
        key=key,
        action=action,
        stamp=new_stamp(_purpose(key)),
        email=asked.email or (viewer.email if viewer else ""),
        error=asked.error,
        is_mailed=asked.told == MAILED,
        is_known=asked.told == KNOWN,
        came_from=asked.came_from,
        work=None if viewer else WORK,
    )


async def take(
    db: Db, request: Request, viewer: Viewer | None, topic_id: UUID, key: str, sent: SentForm
) -> str:
    """Ask for the topic with what was sent; answers `MAILED` or `KNOWN`.

    Raises:
        BadInput: for an address that mail cannot reach, or a form that was sent too fast or too late.
        Conflict: when it is out.
        TooMany: after too many.
    """
    address = clean_email(sent.email)
    if viewer is None and (sentence := pace_error(_purpose(key), sent.stamp)):
        raise BadInput(sentence, field="email")
    is_proven = viewer is not None and viewer.is_confirmed and viewer.email == address
    await asking.ask(
        db,
        topic_id,
        address,
        ip=client_ip(request),
        is_proven=is_proven,
        is_worked=await has_worked(db, viewer, sent.stamp, sent.proof),
        trapped=bool(sent.website),
        article_id=await articles.id_of(db, sent.came_from),
        now=utcnow(),
    )
    return KNOWN if is_proven else MAILED
