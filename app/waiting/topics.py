"""The teacher announces topics, says what they have become, and takes them away; each leaves an audit entry."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.permissions import Viewer
from app.articles.models import Article
from app.catalog.models import Course, Lesson
from app.catalog.rules import free_slug, slugify
from app.db import Base
from app.errors import BadInput, NotFound
from app.i18n import _
from app.waiting.models import Topic, Waiting
from app.waiting.rules import Thing, TopicDraft

_THINGS: dict[str, type[Base]] = {Thing.LESSON: Lesson, Thing.COURSE: Course, Thing.ARTICLE: Article}


def becomes(topic: Topic) -> str:
    """As `TopicDraft.becomes` says it."""
    for thing in Thing:
        if found := getattr(topic, f"{thing}_id"):
            return f"{thing}:{found}"
    return ""


async def find(db: AsyncSession, topic_id: UUID) -> Topic:
    """Raises: NotFound."""
    topic: Topic | None = await db.get(Topic, topic_id)
    if topic is None:
        raise NotFound
    return topic


async def create(db: AsyncSession, viewer: Viewer, draft: TopicDraft, now: datetime) -> Topic:
    """Announce something. Without a slug, one is made from the title.

    Raises:
        BadInput: with the field, for an address or a thing that another topic has.
    """
    topic = Topic(id=uuid4(), created_at=now, title=draft.title, summary=draft.summary)
    topic.slug = await _slug(db, topic.id, draft)
    db.add(topic)
    await db.flush()
    await _tie(db, topic, draft.becomes)
    audit.record(db, viewer.user_id, "topic.create", "topic", topic.id, title=topic.title)
    return topic


async def save(db: AsyncSession, viewer: Viewer, topic: Topic, draft: TopicDraft) -> None:
    """Write what the form holds; a lesson's own topic gets an address with it, and can be shown in articles.

    Raises:
        BadInput: with the field, for an address or a thing that another topic has.
    """
    topic.slug = await _slug(db, topic.id, draft)
    topic.title, topic.summary = draft.title, draft.summary
    await _tie(db, topic, draft.becomes)
    audit.record(db, viewer.user_id, "topic.save", "topic", topic.id, title=topic.title)


async def remove(db: AsyncSession, viewer: Viewer, topic: Topic) -> None:
    """For good, with the addresses that wait for it; nobody is told."""
    audit.record(db, viewer.user_id, "topic.delete", "topic", topic.id, title=topic.title)
    await db.delete(topic)


async def _slug(db: AsyncSession, topic_id: UUID, draft: TopicDraft) -> str:
    if draft.slug:
        other = await db.scalar(select(Topic.title).where(Topic.slug == draft.slug, Topic.id != topic_id))
        if other is not None:
            sentence = _("“%(title)s” has this address already. Please choose another one.")
            raise BadInput(sentence % {"title": other}, field="slug")
        return draft.slug
    base = slugify(draft.title) or "topic"
    taken = await db.scalars(
        select(Topic.slug).where(Topic.slug.startswith(base, autoescape=True), Topic.id != topic_id)
    )
    return free_slug(base, [slug for slug in taken if slug])


async def _tie(db: AsyncSession, topic: Topic, chosen: str) -> None:
    """Say what it has become. Those who wait for a lesson on its own page wait for the topic from now on."""
    thing, _colon, number = chosen.partition(":")
    target = await _target(db, thing, number)
    if target is not None:
        column = getattr(Topic, f"{thing}_id")
        other = await db.scalar(select(Topic).where(column == target, Topic.id != topic.id))
        if other is not None and other.slug is not None:
            sentence = _("This is what “%(title)s” has become already.")
            raise BadInput(sentence % {"title": other.title}, field="becomes")
        if other is not None:
            await _take_over(db, topic, other)
    topic.lesson_id = topic.course_id = topic.article_id = None
    if target is not None:
        setattr(topic, f"{thing}_id", target)
    await db.flush()


async def _target(db: AsyncSession, thing: str, number: str) -> UUID | None:
    """The id of what was chosen; what is gone by now is none."""
    model = _THINGS.get(thing)
    if model is None:
        return None
    try:
        wanted = UUID(number)
    except ValueError:
        return None
    return wanted if await db.get(model, wanted) is not None else None


async def _take_over(db: AsyncSession, topic: Topic, bare: Topic) -> None:
    here = select(Waiting.email).where(Waiting.topic_id == topic.id)
    await db.execute(
        update(Waiting)
        .where(Waiting.topic_id == bare.id, Waiting.email.not_in(here))
        .values(topic_id=topic.id)
    )
    await db.execute(delete(Topic).where(Topic.id == bare.id))
