"""The studio's first page: what needs the teacher today, first; then what goes on by itself."""

from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from app.accounts import queries as accounts
from app.articles import inbox_queries as inbox
from app.articles import studio_queries as articles
from app.billing import watch
from app.catalog import queries as catalog
from app.clock import utcnow
from app.db import Db
from app.i18n import _, ngettext
from app.playback import queries as playback
from app.video import queries as videos
from app.video import words
from app.video.models import Video
from app.waiting import queries as waiting_lists
from app.web.pages import Page

router = APIRouter()

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Todo:
    """One thing to do: how much of it, in words, and where."""

    words: str
    url: str
    action: str


@dataclass(frozen=True)
class FilmLine:
    """A video that failed (`says`: why) or is being worked on (`says`: at which stage)."""

    title: str
    url: str
    says: str
    percent: int


@dataclass(frozen=True)
class TodayPage:
    todos: list[Todo]
    failed: list[FilmLine]
    busy: list[FilmLine]
    drafts: list[Todo]
    joined_this_week: int
    waiting: int


@router.get("")
async def today(page: Page, db: Db) -> Response:
    """GET /studio."""
    now = utcnow()
    waiting = await inbox.waiting(db)
    failed = await videos.in_state(db, "failed")
    busy = await videos.in_state(db, *words.BUSY)
    course_drafts, lesson_drafts = await catalog.count_drafts(db)
    shown = TodayPage(
        todos=_money_todos(*await watch.needing_staff(db, now))
        + _todos(waiting, await waiting_lists.count_trapped(db), len(await playback.spread_members(db, now))),
        failed=[_line(video, words.failure(video) or _("It failed.")) for video in failed],
        busy=[_line(video, words.stage(video)) for video in busy],
        drafts=_drafts(await articles.count_drafts(db), course_drafts, lesson_drafts),
        joined_this_week=await accounts.count_joined_since(db, now - WEEK),
        waiting=await waiting_lists.waiting_in_all(db),
    )
    return await page.show("studio/today.html", shown)


def _line(video: Video, says: str) -> FilmLine:
    return FilmLine(video.title, f"/studio/videos/{video.id}", says, video.percent)


def _todos(waiting: inbox.Waiting, unasked: int, spread: int) -> list[Todo]:
    found = []
    responses, messages, unmailed = waiting.responses, waiting.messages, waiting.unmailed
    if responses:
        text = ngettext("%(n)s response waits for you", "%(n)s responses wait for you", responses)
        found.append(Todo(text % {"n": responses}, "/studio/responses", _("Read and approve")))
    if messages:
        text = ngettext("%(n)s message is unanswered", "%(n)s messages are unanswered", messages)
        found.append(Todo(text % {"n": messages}, "/studio/messages", _("Answer")))
    if unmailed:
        text = ngettext(
            "%(n)s message was not mailed to you: it may be spam",
            "%(n)s messages were not mailed to you: they may be spam",
            unmailed,
        )
        found.append(Todo(text % {"n": unmailed}, "/studio/messages", _("Have a look")))
    if waiting.reports:
        text = ngettext(
            "%(n)s reported response was not mailed to you: the report may be spam",
            "%(n)s reported responses were not mailed to you: the reports may be spam",
            waiting.reports,
        )
        found.append(
            Todo(text % {"n": waiting.reports}, "/studio/responses?state=reported", _("Have a look"))
        )
    if unasked:
        text = ngettext(
            "%(n)s request for a waiting list may be a program’s",
            "%(n)s requests for waiting lists may be programs’",
            unasked,
        )
        found.append(Todo(text % {"n": unasked}, "/studio/waiting", _("Have a look")))
    if spread:
        text = ngettext(
            "%(n)s member watched from unusually many networks",
            "%(n)s members watched from unusually many networks",
            spread,
        )
        found.append(Todo(text % {"n": spread}, "/studio/members/sharing", _("Have a look")))
    return found


def _money_todos(disputed: int, odd: int) -> list[Todo]:
    found = []
    if disputed:
        text = ngettext(
            "A bank asks for %(n)s payment back, and waits for your answer",
            "Banks ask for %(n)s payments back, and wait for your answer",
            disputed,
        )
        found.append(Todo(text % {"n": disputed}, "/studio/money", _("See what is disputed")))
    if odd:
        text = ngettext("%(n)s thing about money needs a look", "%(n)s things about money need a look", odd)
        found.append(Todo(text % {"n": odd}, "/studio/money", _("Have a look")))
    return found


def _drafts(articles_: int, courses: int, lessons: int) -> list[Todo]:
    found = []
    if articles_:
        text = ngettext("%(n)s article is a draft", "%(n)s articles are drafts", articles_)
        found.append(Todo(text % {"n": articles_}, "/studio/articles?state=draft", _("Go on writing")))
    if courses:
        text = ngettext("%(n)s course is a draft", "%(n)s courses are drafts", courses)
        found.append(Todo(text % {"n": courses}, "/studio/courses", _("See the courses")))
    if lessons:
        text = ngettext("%(n)s lesson is a draft", "%(n)s lessons are drafts", lessons)
        found.append(Todo(text % {"n": lessons}, "/studio/courses", _("See the courses")))
    return found
