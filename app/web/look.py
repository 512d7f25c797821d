"""The studio's page about how the site looks: colour, logo and links, with the first page as it would be, unsaved.

A logo is stored with no transaction open meanwhile; its address is made of its content, so looking changes nothing.
"""

from dataclasses import dataclass, field, replace

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData, UploadFile

from app import db
from app.accounts.permissions import Permission, Viewer
from app.articles import pictures
from app.clock import utcnow
from app.errors import BadInput
from app.i18n import _
from app.practice import colours, look, menu_rows, navigation
from app.practice.front import front
from app.practice.look import LookDraft
from app.practice.menu_rows import Row
from app.practice.navigation import Navigation, PageLink
from app.practice.queries import PracticeView, practice
from app.web.guard import BriefSignedIn, needs_briefly
from app.web.pages import Frame, draw, pages_of
from app.web.shield import content_security_policy

router = APIRouter(prefix="/studio/look", dependencies=[needs_briefly(Permission.STAFF)], tags=["studio"])

LOGO_BYTES = 2_000_000
# A header's height on the sharpest screens, and as wide as a phone.
LOGO_SIDE_PX = 640


@dataclass(frozen=True)
class LookPage:
    """`choices`: (address, name) of what a link may lead to. `sample`: what becomes of the colour."""

    draft: LookDraft
    choices: tuple[tuple[str, str], ...]
    sample: colours.Palette
    errors: dict[str, str] = field(default_factory=dict)
    said: str = ""
    presets: tuple[tuple[str, str], ...] = colours.CHOICES
    built_in: str = colours.CLAY
    heading: str = navigation.HEADING

    def rows(self, place: str) -> list[tuple[Row, tuple[str, ...]]]:
        """The links of a place, each with the buttons that would move it, and an empty row."""
        rows = menu_rows.flat(getattr(self.draft.navigation, place))
        found = [
            (row, tuple(what for what in ("up", "in", "out") if menu_rows.can_move(rows, what, at)))
            for at, row in enumerate(rows)
        ]
        return [*found, (Row(), ())]


def _line(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _rows(form: FormData, place: str) -> list[Row]:
    """The rows of one place; an address of the teacher's own comes last."""
    labels, to, below = (
        [_line(value) for value in form.getlist(f"{place}_{name}")] for name in ("label", "to", "below")
    )
    below += [""] * (len(to) - len(below))
    rows = [Row(one, label, bool(at)) for one, label, at in zip(to, labels, below, strict=False)]
    own, own_label = _line(form.get(f"{place}_own")), _line(form.get(f"{place}_own_label"))
    return [*rows, Row(own, own_label)] if own else rows


def _navigation(form: FormData) -> Navigation:
    """The links of both places, after the press of a button beside one (`do` is `in:header:2`)."""
    what, _colon, which = _line(form.get("do")).partition(":")
    pressed, _colon, at = which.partition(":")
    rows = {place: _rows(form, place) for place in navigation.PLACES}
    if pressed in rows and at.isascii() and at.isdigit() and len(at) < 4:
        rows[pressed] = menu_rows.moved(rows[pressed], what, int(at))
    header, footer = (menu_rows.nested(rows[place]) for place in navigation.PLACES)
    return Navigation(header, footer, is_own=True)


async def _read(request: Request) -> tuple[LookDraft, FormData]:
    """The form as it was sent, its picture stored; the plain fields can still be read.

    Raises:
        BadInput: the file is no picture; field "logo".
    """
    async with request.form() as form:
        return await _draft(form), form


async def _draft(form: FormData) -> LookDraft:
    colour = _line(form.get("colour")) or colours.CLAY
    file = form.get("logo_file")
    logo = "" if form.get("no_logo") else _line(form.get("logo"))
    if isinstance(file, UploadFile) and file.size:
        logo = await _store(await file.read(LOGO_BYTES + 1))
    return LookDraft(
        accent=(_line(form.get("own_colour")) if colour == "own" else colour).lower(),
        logo=logo,
        is_name_shown=bool(form.get("is_name_shown")),
        navigation=_navigation(form),
    )


async def _store(data: bytes) -> str:
    if len(data) > LOGO_BYTES:
        raise BadInput(_("This file is larger than 2 MB. Please take a smaller one."), field="logo")
    try:
        made = await pictures.make(data, longest_side_px=LOGO_SIDE_PX)
    except BadInput as refused:
        raise BadInput(
            _("This file is no picture. Please take a PNG, JPEG or WebP."), field="logo"
        ) from refused
    if not made.path.startswith("/pictures/"):
        raise BadInput(_("This file is no picture. Please take a PNG, JPEG or WebP."), field="logo")
    await pictures.store(made)
    return made.path


def _kept(facts: PracticeView) -> LookDraft:
    return LookDraft(facts.accent, facts.logo, facts.is_name_shown, facts.kept_navigation)


async def _show(
    request: Request,
    viewer: Viewer,
    draft: LookDraft | None,
    *,
    errors: dict[str, str] | None = None,
    said: str = "",
) -> Response:
    """The form; `draft` None: what is kept."""
    async with db.transaction() as session:
        page = await pages_of(request, session, viewer)
        pages = await look.all_pages(session)
        assert page.facts is not None
        draft = draft or _kept(page.facts)
        known = [(to, _(name)) for to, name in navigation.DESTINATIONS.items()]
        known += [(navigation.PAGE + one.id, one.title) for one in pages]
        sample = colours.palette(draft.accent if colours.is_colour(draft.accent) else colours.CLAY)
        model = LookPage(draft, tuple(known), sample, errors or {}, said)
        policy = content_security_policy(request.state.csp_nonce, framing="'self'")
        status = 422 if errors else 200
        return await page.show(
            "studio/settings/look.html", model, status=status, headers={"Content-Security-Policy": policy}
        )


@router.get("")
async def form(request: Request, viewer: BriefSignedIn, did: str = "") -> Response:
    """GET /studio/look."""
    return await _show(request, viewer, None, said=did)


@router.post("")
async def save(request: Request, viewer: BriefSignedIn) -> Response:
    """POST /studio/look: saves it, or moves a link (`do` is `up:header:2`) without saving."""
    try:
        draft, sent = await _read(request)
    except BadInput as refused:
        return await _show(request, viewer, None, errors={refused.field or "_": refused.sentence})
    if ":" in _line(sent.get("do")):
        return await _show(request, viewer, draft)
    async with db.transaction() as session:
        errors = look.check_look(draft, await look.all_pages(session))
        if not errors:
            await look.save_look(session, viewer, draft)
    if errors:
        return await _show(request, viewer, draft, errors=errors)
    return RedirectResponse("/studio/look?did=save", status_code=303)


@router.get("/preview")
async def kept_preview(request: Request) -> Response:
    """GET /studio/look/preview: the first page as it is, for the frame."""
    return await _preview(request, None, "light")


@router.post("/preview")
async def preview(request: Request) -> Response:
    """POST /studio/look/preview: the first page as visitors would see it; nothing is saved."""
    try:
        draft, sent = await _read(request)
    except BadInput as refused:
        return await _preview(request, None, "light", {"logo": refused.sentence})
    return await _preview(request, draft, "dark" if sent.get("scheme") == "dark" else "light")


async def _preview(
    request: Request, draft: LookDraft | None, scheme: str, errors: dict[str, str] | None = None
) -> Response:
    async with db.transaction() as session:
        facts = await practice(session)
        if draft is not None:
            pages = await look.all_pages(session)
            errors = look.check_look(draft, pages)
            facts = _with(facts, draft, tuple(pages)) if not errors else facts
        model = await front(session, utcnow())
    frame = Frame(None, facts, request.state.csp_nonce, "/", preview=scheme)
    policy = content_security_policy(request.state.csp_nonce, framed_by="'self'")
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    if errors:
        text = draw("studio/settings/look_errors.html", frame, tuple(errors.values()))
        return HTMLResponse(text, status_code=422, headers=headers)
    return HTMLResponse(draw("home/home.html", frame, model), headers=headers)


def _with(facts: PracticeView, draft: LookDraft, pages: tuple[PageLink, ...]) -> PracticeView:
    return replace(
        facts,
        accent=draft.accent,
        logo=draft.logo,
        is_name_shown=draft.is_name_shown,
        navigation=draft.navigation.as_json(),
        pages=pages,
    )
