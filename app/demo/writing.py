"""Puts the demo's words in place as the teacher would: practice, course, articles and responses."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.accounts.permissions import Viewer
from app.articles import bans, series, writing
from app.articles.markdown import render_response
from app.articles.models import Article, Comment
from app.articles.rules import ArticleDraft, SeriesDraft
from app.catalog import arranging, editing, publishing
from app.catalog.models import Course, Lesson
from app.clock import for_field, utcnow
from app.demo import stills, texts
from app.finding import writing as finding
from app.finding.models import Term
from app.finding.rules import TermDraft
from app.practice.editing import add_location, save_practice
from app.practice.models import Practice
from app.practice.rules import LocationDraft, PracticeDraft
from app.video import captioning
from app.video.captions_models import CaptionTrack
from app.video.models import Video
from app.waiting import topics
from app.waiting.models import Waiting
from app.waiting.rules import TopicDraft


async def add_practice(teacher: Viewer) -> None:
    """The practice's facts and addresses."""
    words = texts.practice()
    async with db.transaction() as session:
        if await session.get(Practice, 1) is not None:
            return
        draft = PracticeDraft(
            site_name=words.site_name,
            tagline=words.tagline,
            teacher_name=words.teacher_name,
            teacher_role=words.teacher_role,
            teacher_bio=words.teacher_bio,
            contact_email=words.contact_email,
            time_zone=words.time_zone,
        )
        await save_practice(session, teacher, draft)
        for place in words.locations:
            await add_location(
                session,
                teacher,
                LocationDraft(
                    city=place.city,
                    street=place.street,
                    postal_code=place.postal_code,
                    region=place.region,
                    phone=place.phone,
                    hours=place.hours,
                ),
            )
            await session.flush()


async def add_course(_teacher: Viewer) -> None:
    """The course with its sections and lessons, still without films."""
    words = texts.course()
    async with db.transaction() as session:
        if await _course(session) is not None:
            return
        course = await editing.create_course(
            session,
            editing.CourseForm(
                title=words.title, slug=words.slug, summary=words.summary, body_md=words.body_md
            ),
        )
        for part in words.sections:
            section = await arranging.add_section(session, course.id, part.title)
            for lesson in part.lessons:
                form = editing.LessonForm(
                    title=lesson.title,
                    slug=lesson.slug,
                    summary=lesson.summary,
                    body_md=lesson.body_md,
                    needs=lesson.needs,
                    section_id=str(section.id),
                    is_free=lesson.is_free,
                )
                await editing.create_lesson(session, course.id, form)


async def publish_course(_teacher: Viewer) -> None:
    """Give each lesson its film and put it out; announce the ones that have none yet."""
    now = utcnow()
    async with db.transaction() as session:
        course = await _course(session)
        if course is None or course.state == "published":
            return
        made = {video.source_filename: video.id for video in await session.scalars(select(Video))}
        lessons = {
            lesson.slug: lesson
            for lesson in await session.scalars(select(Lesson).where(Lesson.course_id == course.id))
        }
        for part in texts.course().sections:
            for words in part.lessons:
                lesson = lessons[words.slug]
                if words.state == "announced":
                    await publishing.announce_lesson(session, course.id, lesson.id)
                    continue
                lesson.video_id = made[f"{words.slug}.mp4"]
                await session.flush()
                await publishing.publish_lesson(session, course.id, lesson.id, now)
        await publishing.publish_course(session, course.id, now)


async def _course(session: AsyncSession) -> Course | None:
    found: Course | None = await session.scalar(select(Course).where(Course.slug == texts.course().slug))
    return found


async def add_articles(teacher: Viewer) -> None:
    """The articles with their pictures, related to each other, and the responses under them."""
    now = utcnow()
    addresses = await stills.stored([words.body_md for words in texts.articles()])
    async with db.transaction() as session:
        if await session.scalar(select(Article.id).limit(1)):
            return
        lessons = {lesson.slug: lesson.id for lesson in await session.scalars(select(Lesson))}
        made: dict[str, Article] = {}
        for words in texts.articles():
            draft = _draft(words, lessons, {}, addresses)
            article = await writing.create(session, teacher, draft, _written(words, now))
            article.published_at = now - timedelta(days=words.days_ago)
            writing.publish(session, teacher, article, _written(words, now))
            made[words.slug] = article
            await _respond(session, teacher, article)
        await _ban(session, teacher)
        ids = {slug: article.id for slug, article in made.items()}
        for words in texts.articles():
            day = made[words.slug].published_at
            draft = replace(_draft(words, lessons, ids, addresses), day=for_field(day, UTC))
            await writing.save(session, teacher, made[words.slug], draft, _written(words, now))
        await _add_series(session, teacher, ids)
        await _add_topics(session, teacher, ids)
        await stills.add_clip(session, teacher, now)


def _written(words: texts.ArticleText, now: datetime) -> datetime:
    return min(now, now - timedelta(days=words.days_ago))


async def _add_series(session: AsyncSession, teacher: Viewer, articles: dict[str, UUID]) -> None:
    for words in texts.series():
        draft = SeriesDraft(words.title, words.slug, words.summary)
        made = await series.create(session, teacher, draft, utcnow())
        for slug in words.parts:
            await series.add(session, teacher, made, articles[slug])


async def _add_topics(session: AsyncSession, teacher: Viewer, articles: dict[str, UUID]) -> None:
    """Announcements, and people of the past weeks who want them: they do not come through the form, which knows only
    today."""
    now = utcnow()
    for words in texts.topics():
        draft = TopicDraft(words.title, words.slug, words.summary)
        topic = await topics.create(session, teacher, draft, now - timedelta(days=80))
        for is_confirmed, days in ((True, words.asked), (False, words.unanswered)):
            for n, ago in enumerate(days):
                at = now - timedelta(days=ago)
                session.add(
                    Waiting(
                        topic_id=topic.id,
                        email=f"{'waits' if is_confirmed else 'asked'}-{n}@{words.slug}.example",
                        article_id=articles[words.article],
                        asked_at=at,
                        confirmed_at=at + timedelta(minutes=7) if is_confirmed else None,
                    )
                )


def _draft(
    words: texts.ArticleText, lessons: dict[str, UUID], ids: dict[str, UUID], addresses: dict[str, str]
) -> ArticleDraft:
    return ArticleDraft(
        title=words.title,
        slug=words.slug,
        summary=words.summary,
        body_md=stills.shown(words.body_md, addresses),
        related=tuple(str(ids[slug]) for slug in words.related if slug in ids),
        lesson=str(lessons[words.lesson]) if words.lesson else "",
        tags=words.tags,
    )


async def _ban(session: AsyncSession, teacher: Viewer) -> None:
    """Whoever wrote what stands in the demo's spam."""
    for comment in await session.scalars(select(Comment).where(Comment.cause == "ban")):
        for target in await bans.targets_of(session, comment):
            await bans.ban(session, teacher, target, "The third advertisement", utcnow())


async def _respond(session: AsyncSession, teacher: Viewer, article: Article) -> None:
    """Responses of years, dated as they would be: they do not come through the form, which knows only today."""
    now, made = utcnow(), dict[str, UUID]()
    for words in texts.responses(article.slug):
        made[words.key] = uuid4()
        session.add(
            Comment(
                id=made[words.key],
                article_id=article.id,
                parent_id=made[words.parent] if words.parent else None,
                user_id=teacher.user_id if words.is_author else None,
                name=words.name,
                email=words.email,
                is_author=words.is_author,
                body_md=words.body_md,
                body_html=render_response(words.body_md),
                state=words.state,
                cause=words.cause,
                created_at=now - timedelta(days=words.days_ago),
                moderated_at=now if words.state == "approved" else None,
            )
        )
        await session.flush()


async def add_captions(teacher: Viewer) -> None:
    """What the films say and what their parts are called, so that a search leads to the second."""
    async with db.transaction() as session:
        if await session.scalar(select(CaptionTrack.id).limit(1)):
            return
        made = {video.source_filename: video.id for video in await session.scalars(select(Video))}
        for slug, vtt in texts.captions().items():
            await captioning.add(
                session, teacher.user_id, made[f"{slug}.mp4"], "en", "", vtt.encode(), utcnow()
            )
        for slug, typed in texts.chapters().items():
            await captioning.set_chapters(session, teacher.user_id, made[f"{slug}.mp4"], typed)


async def add_terms(teacher: Viewer) -> None:
    """The muscles and conditions, with the lessons and articles that help."""
    now = utcnow()
    async with db.transaction() as session:
        if await session.scalar(select(Term.id).limit(1)):
            return
        lessons = {lesson.slug: str(lesson.id) for lesson in await session.scalars(select(Lesson))}
        articles = {article.slug: str(article.id) for article in await session.scalars(select(Article))}
        for words in texts.terms():
            draft = TermDraft(
                kind=words.kind,
                name=words.name,
                slug=words.slug,
                synonyms="\n".join(words.synonyms),
                summary=words.summary,
                body_md=words.body_md,
                regions=words.regions,
                lessons=tuple(lessons[slug] for slug in words.lessons),
                articles=tuple(articles[slug] for slug in words.articles),
            )
            await finding.create(session, teacher, draft, now)
