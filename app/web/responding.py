"""What comes from the form under "Leave a Reply": taken, or shown again with sentences and the typed words."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from app.accounts.permissions import Permission
from app.articles import bans, pacing, proofs, responding
from app.articles.models import Article, Comment
from app.articles.rules import Errors, ResponseDraft, check_response
from app.articles.writers import Sender
from app.clock import utcnow
from app.db import Db
from app.errors import NotFound, TooMany
from app.practice.queries import mail_recipients, suspicion
from app.web.articles import ReplyForm, purpose_of, readable, show, uuid_or_none
from app.web.guard import MaybeViewer, needs
from app.web.pages import Page
from app.web.writers import ban_sentence, marked, remember, sender_of
from app.web.writing_forms import new_stamp, pace_error

router = APIRouter(prefix="/articles", dependencies=[needs(Permission.PUBLIC)], tags=["articles"])


@dataclass(frozen=True)
class Sent:
    """The form as it came. `website` is the field that nobody sees."""

    draft: ResponseDraft
    parent: str
    stamp: str
    website: str
    proof: str


async def sent_form(
    name: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
    body: Annotated[str, Form()] = "",
    parent: Annotated[str, Form()] = "",
    stamp: Annotated[str, Form()] = "",
    website: Annotated[str, Form()] = "",
    replies: Annotated[str, Form()] = "",
    proof: Annotated[str, Form()] = "",
) -> Sent:
    return Sent(ResponseDraft(name, email, body, bool(replies)).tidy(), parent, stamp, website, proof)


@router.post("/{slug}/responses")
async def respond(
    slug: str,
    request: Request,
    page: Page,
    db: Db,
    viewer: MaybeViewer,
    sent: Annotated[Sent, Depends(sent_form)],
) -> Response:
    """POST /articles/{slug}/responses."""
    article, draft = await readable(db, slug, viewer), sent.draft
    if not article.is_listed:
        raise NotFound
    if viewer is not None:
        draft = replace(draft, name=viewer.name, email=viewer.email)
    sender, now = marked(sender_of(request, viewer), sent.stamp), utcnow()
    answered = await responding.parent_of(db, article.id, uuid_or_none(sent.parent))
    errors, status = await _refusal(db, article, replace(sent, draft=draft), sender, now)
    if errors:
        form = ReplyForm(new_stamp(purpose_of(article)), draft, answered, errors)
        return await show(page, db, article, form, status)
    comment = await _take(db, article, replace(sent, draft=draft), sender, answered, now)
    target = f"#response-{comment.id}" if comment.state == "approved" else "?held=1#respond"
    answer = RedirectResponse(f"/articles/{article.slug}{target}", status_code=303)
    if sender.writer is not None and sender.viewer is None:
        remember(answer, sender.writer)
    return answer


async def _refusal(db: Db, article: Article, sent: Sent, sender: Sender, now: datetime) -> tuple[Errors, int]:
    """What is wrong with it, by field ("_": with the whole), and the status that says so."""
    if errors := check_response(sent.draft):
        return errors, 422
    if sender.viewer is None and (sentence := pace_error(purpose_of(article), sent.stamp)):
        return {"_": sentence}, 422
    if sender.is_staff:
        return {}, 200
    if not await pacing.may_write(db, "respond", sender.ip, now):
        return {"_": TooMany().sentence}, 429
    ban = await bans.against(db, sender, sent.draft.email, now)
    if ban is not None and bans.may_be_told(ban, sender):
        return {"_": ban_sentence(ban)}, 403
    return {}, 200


async def _take(
    db: Db, article: Article, sent: Sent, sender: Sender, answered: Comment | None, now: datetime
) -> Comment:
    is_proven = proofs.is_proven(sent.stamp, sent.proof) and await proofs.spend(db, sent.stamp, now)
    # After the pace, which lets those of one network through one by one: a double click is two requests at once.
    twin = await responding.twin_of(db, article.id, sent.draft, answered, now)
    if twin is not None and sender.wrote(twin.user_id, twin.writer):
        return twin
    return await responding.respond(
        db,
        article,
        sent.draft,
        sender,
        parent=answered,
        trapped=bool(sent.website),
        is_proven=is_proven,
        notify=await mail_recipients(db),
        suspicion=await suspicion(db),
        now=now,
    )
