"""The studio's waiting lists: what is announced, how many want it, whose readers asked, and what to do next."""

from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse, Response

from app.accounts.rules import tidy
from app.articles import studio_queries as articles
from app.clock import utcnow
from app.db import Db
from app.errors import BadInput
from app.i18n import _
from app.waiting import queries, suspects, topics
from app.waiting.models import Topic, Waiting
from app.waiting.queries import Asker, Demand
from app.waiting.rules import STEPS, Errors, Thing, TopicDraft, Week, check_topic
from app.web.guard import SignedIn
from app.web.pages import Page, Pages

router = APIRouter(prefix="/waiting")


@dataclass(frozen=True)
class WaitingPage:
    """`steps`: what to do next, in words, by topic."""

    demand: list[Demand]
    steps: dict[UUID, str]
    did: str = ""


@dataclass(frozen=True)
class TopicPage:
    """One topic, or a new one (`demand` None). `choices`: what it may have become; `words`: looked for in titles of
    articles, of which `is_none_found`. `suspects`: requests that may be programs'; `count`: of how many was just
    decided."""

    draft: TopicDraft
    choices: list[tuple[str, str]]
    demand: Demand | None = None
    step: str = ""
    weeks: list[Week] = field(default_factory=list)
    askers: list[Asker] = field(default_factory=list)
    errors: Errors = field(default_factory=dict)
    did: str = ""
    words: str = ""
    is_none_found: bool = False
    suspects: list[Waiting] = field(default_factory=list)
    count: int = 0

    @property
    def suspect_fields(self) -> list[tuple[str, UUID]]:
        """Form fields that name those on the page."""
        return [("id", row.id) for row in self.suspects]

    @property
    def address(self) -> str:
        return f"/studio/waiting/{self.demand.topic.id}" if self.demand else "/studio/waiting"

    @property
    def most_in_a_week(self) -> int:
        return max((week.asked for week in self.weeks), default=0)


async def topic_form(
    title: Annotated[str, Form()] = "",
    slug: Annotated[str, Form()] = "",
    summary: Annotated[str, Form()] = "",
    becomes: Annotated[str, Form()] = "",
) -> TopicDraft:
    """The form about a topic, as it was sent."""
    return TopicDraft(title, slug, summary, becomes).tidy()


Sent = Annotated[TopicDraft, Depends(topic_form)]
Do = Annotated[str, Form()]
Find = Annotated[str, Form()]


def _looks(do: str, find: str) -> bool:
    """Whether the form was sent only to look for an article. Enter in that field means nothing else."""
    return do == "find" or (do == "enter" and bool(find.strip()))


async def _articles(db: Db, becomes: str, words: str) -> list[tuple[str, str]]:
    """A few of perhaps thousands: the one chosen, those with the words looked for, and those changed last."""
    thing, _colon, number = becomes.partition(":")
    found = await articles.article_titles(db, [number]) if thing == Thing.ARTICLE else []
    if words:
        found += await articles.article_choices(db, words)
    found += await articles.latest_articles(db)
    return list(dict.fromkeys(found))


async def _choices(db: Db, becomes: str, words: str) -> list[tuple[str, str]]:
    found = [("", _("Nothing yet"))]
    for thing, name, rows in (
        (Thing.ARTICLE, _("Article"), await _articles(db, becomes, words)),
        (Thing.LESSON, _("Lesson"), await articles.lesson_choices(db)),
        (Thing.COURSE, _("Course"), await queries.course_choices(db)),
    ):
        found += [(f"{thing}:{number}", f"{name} · {title}") for number, title in rows]
    return found


async def _show(
    page: Pages,
    db: Db,
    topic: Topic | None,
    draft: TopicDraft,
    *,
    errors: Errors | None = None,
    did: str = "",
    find: str = "",
    count: int = 0,
) -> Response:
    words = " ".join(tidy(find).split())[:100]
    demand = (await queries.demand(db, utcnow(), topic.id))[0] if topic else None
    model = TopicPage(
        draft=draft,
        choices=await _choices(db, draft.becomes, words),
        demand=demand,
        step=_(STEPS[demand.step]) if demand else "",
        weeks=await queries.weeks(db, topic.id, utcnow()) if topic else [],
        askers=await queries.askers(db, topic.id) if topic else [],
        errors=errors or {},
        did=did,
        words=words,
        suspects=await suspects.suspects(db, topic.id) if topic else [],
        count=count,
        is_none_found=bool(words) and not await articles.article_choices(db, words),
    )
    return await page.show("studio/waiting/topic.html", model, status=422 if errors else 200)


@router.get("")
async def waiting(page: Page, db: Db, did: str = "") -> Response:
    """GET /studio/waiting: what most people wait for, first."""
    found = await queries.demand(db, utcnow())
    steps = {one.topic.id: _(STEPS[one.step]) for one in found}
    return await page.show("studio/waiting/list.html", WaitingPage(found, steps, did))


@router.get("/new")
async def new(page: Page, db: Db) -> Response:
    """GET /studio/waiting/new."""
    return await _show(page, db, None, TopicDraft())


@router.post("")
async def create(page: Page, db: Db, viewer: SignedIn, draft: Sent, do: Do = "", find: Find = "") -> Response:
    """POST /studio/waiting: announce something, or look for an article that it has become."""
    if _looks(do, find):
        return await _show(page, db, None, draft, find=find)
    errors = check_topic(draft)
    if errors:
        return await _show(page, db, None, draft, errors=errors)
    try:
        async with db.begin_nested():
            topic = await topics.create(db, viewer, draft, utcnow())
    except BadInput as refused:
        return await _show(page, db, None, draft, errors={refused.field or "_": refused.sentence})
    return RedirectResponse(f"/studio/waiting/{topic.id}?did=create", 303)


@router.get("/{topic_id}")
async def topic(topic_id: UUID, page: Page, db: Db, did: str = "", n: str = "") -> Response:
    """GET /studio/waiting/{id}."""
    found = await topics.find(db, topic_id)
    draft = TopicDraft(found.title, found.slug or "", found.summary, topics.becomes(found))
    count = int(n) if n.isascii() and n.isdigit() and len(n) < 4 else 0
    return await _show(page, db, found, draft, did=did, count=count)


@router.post("/{topic_id}/suspects")
async def decide(
    topic_id: UUID,
    db: Db,
    viewer: SignedIn,
    do: Do = "",
    ids: Annotated[list[UUID] | None, Form(alias="id", max_length=suspects.PAGE)] = None,
) -> Response:
    """POST /studio/waiting/{id}/suspects: those of the page are asked (`do` is ask) or forgotten (drop)."""
    found = await topics.find(db, topic_id)
    if do == "ask":
        count = await suspects.have_asked(db, viewer, found, ids or [], utcnow())
    elif do == "drop":
        count = await suspects.drop(db, viewer, found, ids or [])
    else:
        raise BadInput(_("Please choose what should become of them."))
    return RedirectResponse(f"/studio/waiting/{found.id}?did={do}&n={count}", 303)


@router.post("/{topic_id}")
async def save(
    topic_id: UUID, page: Page, db: Db, viewer: SignedIn, draft: Sent, do: Do = "", find: Find = ""
) -> Response:
    """POST /studio/waiting/{id}."""
    found = await topics.find(db, topic_id)
    if _looks(do, find):
        return await _show(page, db, found, draft, find=find)
    errors = check_topic(draft)
    if errors:
        return await _show(page, db, found, draft, errors=errors)
    try:
        async with db.begin_nested():
            await topics.save(db, viewer, found, draft)
    except BadInput as refused:
        await db.refresh(found)
        return await _show(page, db, found, draft, errors={refused.field or "_": refused.sentence})
    return RedirectResponse(f"/studio/waiting/{found.id}?did=save", 303)


@router.post("/{topic_id}/delete")
async def delete(topic_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/waiting/{id}/delete: with its addresses, for good."""
    await topics.remove(db, viewer, await topics.find(db, topic_id))
    return RedirectResponse("/studio/waiting?did=delete", 303)
