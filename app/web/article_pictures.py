"""A picture for an article: taken in, stored with no transaction open meanwhile, and put into the text."""

from dataclasses import dataclass, replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.responses import JSONResponse, Response

from app import db
from app.accounts.permissions import Permission, Viewer
from app.articles import figures, picture_sizes, pictures
from app.articles.rules import ArticleDraft, Errors, PictureDraft, check_picture, with_line
from app.errors import BadInput, LimberError, TooLarge
from app.web.failures import wants_json
from app.web.guard import BriefSignedIn, needs_briefly
from app.web.pages import pages_of
from app.web.studio import article_editor as editor
from app.web.studio.article_editor import Draft, Terms

router = APIRouter(prefix="/studio/articles", dependencies=[needs_briefly(Permission.STAFF)])


@dataclass(frozen=True)
class Sent:
    """What was sent beside the article's own fields."""

    wanted: PictureDraft
    picture: UploadFile | str


async def picture_form(
    picture: Annotated[UploadFile | str, File()] = "",
    picture_alt: Annotated[str, Form()] = "",
    picture_decorative: Annotated[str, Form()] = "",
    picture_caption: Annotated[str, Form()] = "",
) -> Sent:
    """The picture and what was said about it."""
    return Sent(PictureDraft(picture_alt, bool(picture_decorative), picture_caption).tidy(), picture)


Picture = Annotated[Sent, Depends(picture_form)]


@router.post("/picture")
async def for_new(
    request: Request, viewer: BriefSignedIn, draft: Draft, terms: Terms, sent: Picture
) -> Response:
    """POST /studio/articles/picture: the editor's whole form, with a picture; to scripts the line that shows it."""
    return await _answer(request, viewer, None, draft, terms, sent)


@router.post("/{article_id}/picture")
async def for_article(
    article_id: UUID, request: Request, viewer: BriefSignedIn, draft: Draft, terms: Terms, sent: Picture
) -> Response:
    """POST /studio/articles/{id}/picture: the same while an article is edited. Nothing of it is saved by it."""
    async with db.transaction() as session:
        await editor.found(session, article_id)
    return await _answer(request, viewer, article_id, draft, terms, sent)


async def _answer(
    request: Request,
    viewer: Viewer,
    article_id: UUID | None,
    draft: ArticleDraft,
    terms: list[str],
    sent: Sent,
) -> Response:
    line, errors = await _taken(sent)
    if wants_json(request.scope):
        return JSONResponse({"errors": errors}, 422) if errors else JSONResponse({"line": line})
    if line:
        draft = replace(draft, body_md=with_line(draft.body_md, line))
    async with db.transaction() as session:
        return await editor.show(
            await pages_of(request, session, viewer),
            session,
            await editor.found(session, article_id) if article_id else None,
            draft,
            errors=errors,
            terms=terms,
            picture=sent.wanted if errors else None,
            preview=not errors,
            said="" if errors else "picture",
        )


async def _taken(sent: Sent) -> tuple[str, Errors]:
    """Store the picture; the line of Markdown that shows it, or a sentence for each field at fault."""
    errors = check_picture(sent.wanted)
    # A form without a chosen file sends an empty text.
    data = b"" if isinstance(sent.picture, str) else await sent.picture.read(pictures.FILE_BYTES + 1)
    try:
        made = await pictures.make_picture(data)
    except (BadInput, TooLarge) as refused:
        return "", {"picture": refused.sentence, **errors}
    if errors:
        return "", errors
    try:
        await pictures.store(made)
    except LimberError as refused:
        return "", {"picture": refused.sentence}
    async with db.transaction() as session:
        await picture_sizes.begin(session, made.name)
    return figures.line(sent.wanted.description, made.path, sent.wanted.caption), {}
