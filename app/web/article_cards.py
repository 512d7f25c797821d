"""What an article's places are filled with: lessons with the player's link or the wall, and what is in the making."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from markupsafe import Markup

from app.access.queries import facts_for
from app.access.rules import Denied, EntitlementFacts, LessonFacts, ViewerFacts, decide
from app.accounts.permissions import Viewer
from app.articles.directives import Part, parts
from app.billing.offers import PlanOffer
from app.catalog import queries as catalog
from app.catalog.queries import LessonElsewhere
from app.catalog.views import OutlineLesson, poster_url
from app.db import Db
from app.waiting import queries as waiting
from app.waiting.standing import Standing
from app.web.ask_forms import Asked, AskForm, form_for
from app.web.course_views import Wall, offers_now, wall_for
from app.web.origin import carried


@dataclass(frozen=True)
class LessonCard:
    """`wall` None: the viewer may watch it, or it is not out, and then `ask` is the form. `key`: part of its ids."""

    key: str
    lesson: OutlineLesson
    course: str
    url: str
    poster: str | None
    wall: Wall | None
    ask: AskForm | None


@dataclass(frozen=True)
class TopicCard:
    """`form` None: it is out."""

    topic: Standing
    url: str
    form: AskForm | None


@dataclass(frozen=True)
class Filled:
    """A piece of the article as the page shows it: one of the three."""

    html: Markup | None = None
    lesson: LessonCard | None = None
    topic: TopicCard | None = None


@dataclass(frozen=True)
class Reader:
    """Who reads which article: `told`: what became of a form in it, "neck:1"."""

    viewer: Viewer | None
    slug: str
    told: str = ""

    def asked(self, key: str) -> Asked:
        name, _colon, told = self.told.partition(":")
        return Asked(told=told if name == key else "", came_from=self.slug)


async def fill(
    db: Db, body_html: str, own_lesson: UUID | None, reader: Reader, now: datetime
) -> tuple[Filled, ...]:
    """The article in pieces, its places filled. The own lesson stands at the end when it has no place.

    The number of queries does not depend on how many places there are.
    """
    pieces = parts(body_html)
    paths = {_path(part.name) for part in pieces if part.kind == "lesson" and part.name}
    lessons = await catalog.lessons_elsewhere(db, paths, {own_lesson} if own_lesson else (), now)
    topics = await waiting.by_slugs(db, {part.name for part in pieces if part.kind == "topic"}, now)
    own = next((one for one in lessons if one.lesson.id == own_lesson), None)
    named = {f"{one.course_slug}/{one.lesson.slug}": one for one in lessons}
    if own and not any(part.kind == "lesson" and named.get(part.name, own) is own for part in pieces):
        pieces.append(Part("", "lesson"))
    draw = await _drawer(db, lessons, reader, now)
    filled: list[Filled] = []
    for n, part in enumerate(pieces):
        lesson = named.get(part.name) if part.name else own
        topic = topics.get(part.name)
        if part.kind == "lesson" and lesson is not None:
            filled.append(Filled(lesson=draw(lesson, n)))
        elif part.kind == "topic" and topic is not None:
            filled.append(Filled(topic=_topic(topic, reader)))
        elif not part.kind:
            # Sanitised when it was saved.
            filled.append(Filled(html=Markup(part.html)))  # noqa: S704
    return tuple(filled)


def _path(name: str) -> tuple[str, str]:
    course, _slash, lesson = name.partition("/")
    return course, lesson


class _Drawer:
    """Makes cards for one reader."""

    def __init__(
        self,
        reader: Reader,
        entitlements: Sequence[EntitlementFacts],
        offers: Sequence[PlanOffer],
        now: datetime,
    ) -> None:
        self._reader = reader
        self._entitlements = entitlements
        self._offers = offers
        self._now = now

    def __call__(self, found: LessonElsewhere, n: int) -> LessonCard:
        lesson, reader = found.lesson, self._reader
        url = carried(lesson.url, reader.slug)
        wall = ask = None
        if lesson.is_soon:
            key = str(lesson.id)
            ask = form_for(reader.viewer, key, f"{lesson.url}/reminder", reader.asked(key))
        else:
            facts = LessonFacts(lesson.id, found.course_id, lesson.is_free, lesson.is_out, lesson.has_poster)
            who = ViewerFacts(reader.viewer.is_staff) if reader.viewer else None
            verdict = decide(who, facts, self._entitlements, self._now)
            if isinstance(verdict, Denied):
                offer = next((one for one in self._offers if {None, found.course_id} & set(one.scope)), None)
                wall = wall_for(verdict, reader.viewer, lesson.url, lesson.id, found.free, offer, reader.slug)
        return LessonCard(
            key=f"card-{n}",
            lesson=lesson,
            course=found.course_title,
            url=url,
            poster=poster_url(lesson, small=True),
            wall=wall,
            ask=ask,
        )


async def _drawer(db: Db, lessons: Sequence[LessonElsewhere], reader: Reader, now: datetime) -> _Drawer:
    """Asks only for what the article's lessons need."""
    viewer = reader.viewer
    entitlements = await facts_for(db, viewer.user_id) if lessons and viewer else []
    needs_offer = any(one.lesson.is_out and not one.lesson.is_free for one in lessons)
    return _Drawer(reader, entitlements, await offers_now(db) if needs_offer else [], now)


def _topic(topic: Standing, reader: Reader) -> TopicCard:
    key = topic.slug or ""
    form = None if topic.is_out else form_for(reader.viewer, key, f"/coming/{key}", reader.asked(key))
    return TopicCard(topic, carried(topic.path, reader.slug) if topic.is_out else "", form)
