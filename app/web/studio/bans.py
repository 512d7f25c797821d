"""Who may not respond: the list, how somebody gets onto it, and how off it again."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from app.articles import bans, moderating
from app.articles import inbox_queries as queries
from app.articles.bans import NETWORK_DAYS, Target
from app.articles.inbox_queries import ResponseLine
from app.articles.models import Ban
from app.clock import utcnow
from app.db import Db
from app.errors import BadInput, NotFound
from app.i18n import _, ngettext
from app.web.guard import SignedIn
from app.web.pages import Page, Pages
from app.web.studio.responses import decided_address

router = APIRouter(prefix="/responses")

Text = Annotated[str, Form()]


@dataclass(frozen=True)
class Typed:
    """What a form about a ban holds. `days`: "" for good."""

    who: str = ""
    days: str = ""
    reason: str = ""


@dataclass(frozen=True)
class BansPage:
    """`bans`: with who pronounced each. `just`: the ban that was lifted a moment ago."""

    bans: list[tuple[Ban, str | None]]
    typed: Typed
    errors: dict[str, str]
    said: str = ""
    just: UUID | None = None

    @property
    def lengths(self) -> list[tuple[str, str]]:
        return [*lengths(), ("", _("For good (addresses only)"))]


@dataclass(frozen=True)
class BanPage:
    """Who wrote one response, and what else they wrote. `person` is an account or an address."""

    line: ResponseLine
    person: Target | None
    network: Target | None
    others: int
    typed: Typed
    errors: dict[str, str]

    @property
    def words(self) -> Markup:
        """Sanitised when they were written."""
        return Markup(self.line.comment.body_html)  # noqa: S704

    @property
    def lengths(self) -> list[tuple[str, str]]:
        return [("", _("Not")), *lengths()]


def lengths() -> list[tuple[str, str]]:
    """How long a network can be banned for, as choices."""
    return [(str(n), ngettext("For %(num)s day", "For %(num)s days", n) % {"num": n}) for n in NETWORK_DAYS]


def _days(typed: str) -> int | None:
    """The chosen number of days, None for good.

    Raises:
        BadInput: (field "days") when it is none of the choices.
    """
    if typed not in ("", *map(str, NETWORK_DAYS)):
        raise BadInput(_("Please choose how long."), field="days")
    return int(typed) if typed else None


async def _list(page: Pages, db: Db, typed: Typed, refusal: BadInput | None = None, **said: str) -> Response:
    errors = {refusal.field or "_": refusal.sentence} if refusal else {}
    just = said.get("just", "")
    model = BansPage(
        await bans.standing(db, utcnow()), typed, errors, said.get("did", ""), UUID(just) if just else None
    )
    return await page.show("studio/responses/bans.html", model, status=refusal.status if refusal else 200)


@router.get("/bans")
async def ban_list(page: Page, db: Db, did: str = "", just: UUID | None = None) -> Response:
    """GET /studio/responses/bans."""
    return await _list(page, db, Typed(days="7"), did=did, just=str(just or ""))


@router.post("/bans")
async def add(
    page: Page, db: Db, viewer: SignedIn, who: Text = "", days: Text = "", reason: Text = ""
) -> Response:
    """POST /studio/responses/bans: an address or a network that was typed."""
    try:
        target = bans.typed_target(who)
        made = await bans.ban(db, viewer, target, reason, utcnow(), days=_days(days))
        if made is None:
            raise BadInput(_("This ban stands already."), field="who")
    except BadInput as refusal:
        return await _list(page, db, Typed(who, days, reason), refusal)
    return RedirectResponse("/studio/responses/bans?did=add", 303)


@router.post("/bans/{ban_id}/lift")
async def lift(ban_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/responses/bans/{id}/lift."""
    if not await bans.lift(db, viewer, [ban_id], utcnow()):
        raise NotFound
    return RedirectResponse(f"/studio/responses/bans?did=lift&just={ban_id}", 303)


@router.post("/bans/{ban_id}/restore")
async def restore(ban_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/responses/bans/{id}/restore: undo lifting it."""
    await bans.restore(db, viewer, ban_id)
    return RedirectResponse("/studio/responses/bans?did=restore", 303)


async def _one(
    page: Pages, db: Db, response_id: UUID, typed: Typed, refusal: BadInput | None = None
) -> Response:
    line = await queries.response_line(db, response_id)
    targets = await bans.targets_of(db, line.comment) if line else []
    if line is None or not targets:
        raise NotFound
    by_kind = {target.kind: target for target in targets}
    model = BanPage(
        line,
        by_kind.get("account") or by_kind.get("address"),
        by_kind.get("network"),
        len(await bans.others_of(db, line.comment, moderating.MOST_AT_ONCE - 1)),
        typed,
        {refusal.field or "_": refusal.sentence} if refusal else {},
    )
    return await page.show("studio/responses/ban.html", model, status=refusal.status if refusal else 200)


@router.get("/{response_id}/ban")
async def ban_form(response_id: UUID, page: Page, db: Db) -> Response:
    """GET /studio/responses/{id}/ban.

    Raises:
        NotFound: when it is gone, or nobody is known who could be banned.
    """
    return await _one(page, db, response_id, Typed())


@router.post("/{response_id}/ban")
async def ban(
    response_id: UUID,
    page: Page,
    db: Db,
    viewer: SignedIn,
    person: Text = "",
    days: Text = "",
    reason: Text = "",
    others: Text = "",
) -> Response:
    """POST /studio/responses/{id}/ban: who wrote it, their network for `days`, or both; the response is spam then."""
    now = utcnow()
    line = await queries.response_line(db, response_id)
    if line is None:
        raise NotFound
    try:
        made = []
        for target in await bans.targets_of(db, line.comment):
            is_network = target.kind == "network"
            if not (days if is_network else person):
                continue
            new = await bans.ban(db, viewer, target, reason, now, days=_days(days) if is_network else None)
            made += [new.id] if new else []
        if not person and not days:
            raise BadInput(_("Please choose whom to ban."))
    except BadInput as refusal:
        return await _one(page, db, response_id, Typed(days=days, reason=reason), refusal)
    ids = [response_id]
    if others:
        ids += await bans.others_of(db, line.comment, moderating.MOST_AT_ONCE - 1)
    decided = await moderating.moderate(db, viewer, ids, "spam", now)
    return decided_address("pending", "ban", decided, made)
