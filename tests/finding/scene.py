"""What the tests of the search ask of: an article, a free and a paid lesson with captions, a condition."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.access.queries import facts_for
from app.accounts.models import User
from app.accounts.permissions import Viewer
from app.articles import writing as articles
from app.articles.models import Article
from app.articles.rules import ArticleDraft
from app.catalog import indexed
from app.catalog.models import Course, Lesson
from app.finding import searching
from app.finding import writing as terms
from app.finding.models import Term
from app.finding.rules import TermDraft
from app.finding.searching import Asking, Results
from app.video import captioning
from tests import factories

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
FREE_VTT = """WEBVTT

00:00:01.000 --> 00:00:04.000
Lie down on the mat

00:00:12.000 --> 00:00:15.000
and lift the leg with the strap
"""
PAID_VTT = """WEBVTT

00:00:02.000 --> 00:00:05.000
Let the shin fall outward

00:01:23.500 --> 00:01:27.000
the hidden obturator lets go last
"""


@dataclass
class Scene:
    teacher: Viewer
    article: Article
    course: Course
    free: Lesson
    paid: Lesson
    term: Term


def viewer(user: User) -> Viewer:
    return Viewer(user.id, uuid4(), user.name, user.email, is_staff=user.role == "staff", is_confirmed=True)


async def make(session: AsyncSession) -> Scene:
    """Everything published."""
    teacher = viewer(await factories.staff(session))
    draft = ArticleDraft(
        title="Hip pain from running",
        summary="An ache deep in the seat.",
        body_md="It begins there.\n\n## Why it tightens\n\n"
        "The muscles of the hip complain when you run & sit <b>all</b> day.",
    )
    article = await articles.create(session, teacher, draft, NOW)
    articles.publish(session, teacher, article, NOW)
    course = await factories.course(session, title="Lower body", slug="lower-body")
    section = await factories.section(session, course)
    films = [(await factories.video(session, duration_s=120.0)).id for _film in range(2)]
    free = await factories.lesson(
        session,
        section,
        title="Hamstrings with a strap",
        slug="hamstrings",
        is_free=True,
        body_md="On your *back*.",
        video_id=films[0],
    )
    paid = await factories.lesson(
        session, section, title="Deep rotators", slug="rotators", summary="Face down.", video_id=films[1]
    )
    await indexed.index_course(session, course)
    for lesson, vtt in ((free, FREE_VTT), (paid, PAID_VTT)):
        await indexed.index_lesson(session, lesson)
        assert lesson.video_id
        await captioning.add(session, teacher.user_id, lesson.video_id, "en", "", vtt.encode(), NOW)
    condition = TermDraft(
        kind="condition",
        name="Sciatica",
        synonyms="ischias\npinched nerve",
        summary="Pain down the back of the leg.",
        body_md="It often begins in the piriformis.",
        regions=("seat", "hamstrings"),
        lessons=(str(paid.id),),
        articles=(str(article.id),),
    )
    term = await terms.create(session, teacher, condition, NOW)
    return Scene(teacher, article, course, free, paid, term)


async def ask(question: str, who: Viewer | None = None, *, kind: str = "", page: int = 1) -> Results:
    """What is found by somebody; None: anybody."""
    async with db.transaction() as session:
        facts = tuple(await facts_for(session, who.user_id)) if who else ()
        return await searching.search(
            session, question, Asking(who, facts, datetime.now(UTC)), kind=kind, page=page
        )


def urls(results: Results) -> list[str]:
    return [hit.url for hit in results.hits]
