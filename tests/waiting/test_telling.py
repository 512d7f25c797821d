"""Who waits is told: one mail to each confirmed address, once, when it is out, however many workers there are."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import delete, func, select, text, update

from app import db
from app.accounts.models import Attempt
from app.articles.rules import THROTTLE_LIMIT
from app.catalog import editing, publishing
from app.catalog.models import Course, Lesson
from app.clock import utcnow
from app.errors import BadInput, Conflict, NotFound, TooMany
from app.jobs import engine, lifeline
from app.mail import render
from app.settings import get_settings
from app.waiting import asking, telling
from app.waiting.models import Topic, Waiting
from app.waiting.rules import QUESTIONS_ADDRESS, QUESTIONS_UNPROVEN
from tests import factories
from tests.articles.forms import stamp
from tests.letters import letters

NOW = utcnow()
SOON = NOW + timedelta(days=2)


@pytest.fixture
async def lesson(database: db.Database) -> Lesson:
    """Announced for `SOON`, with a film that is ready."""
    async with db.transaction() as session:
        course = await factories.course(session, summary="For hips.")
        section = await factories.section(session, course)
        return await factories.lesson(
            session, section, title="Deep rotators", state="announced", published_at=None, available_at=SOON
        )


_networks = count(1)


async def ask(
    lesson: Lesson,
    *addresses: str,
    at: datetime = NOW,
    ip: str | None = None,
    is_proven: bool = True,
    is_worked: bool = True,
) -> None:
    """Each address asks from a network of its own; it is known to be theirs unless told otherwise."""
    for address in addresses:
        n = next(_networks)
        async with db.transaction() as session:
            topic_id = await asking.topic_of_lesson(session, lesson.id, at)
            place = ip or f"10.{n // 250}.{n % 250}.1"
            await asking.ask(
                session, topic_id, address, ip=place, is_proven=is_proven, is_worked=is_worked, now=at
            )


async def send(at: datetime) -> int:
    async with db.transaction() as session:
        return await telling.send_due(session, at)


async def publish(lesson: Lesson, at: datetime = NOW) -> None:
    async with db.transaction() as session:
        await publishing.publish_lesson(session, lesson.course_id, lesson.id, at)


async def set_day(lesson: Lesson, day: datetime | None) -> None:
    """The teacher types another day, or none, into the lesson's form."""
    form = editing.LessonForm(
        title=lesson.title,
        section_id=str(lesson.section_id),
        video_id=str(lesson.video_id),
        available_at=day.isoformat() if day else "",
    )
    async with db.transaction() as session:
        await editing.edit_lesson(session, lesson.course_id, lesson.id, form)


async def told() -> list[str]:
    """The addresses that got a mail."""
    return [letter["to"] for letter in await letters()]


async def kept() -> list[str]:
    async with db.transaction() as session:
        return list(await session.scalars(select(Waiting.email).order_by(Waiting.email)))


async def test_the_mail_goes_out_with_the_lesson_and_never_again(lesson: Lesson) -> None:
    await ask(lesson, "ana@example.com", "bo@example.com")
    await publish(lesson)
    assert await send(SOON - timedelta(seconds=1)) == 0
    assert await told() == []
    assert await send(SOON) == 2
    assert await told() == ["ana@example.com", "bo@example.com"]
    for later in (SOON, SOON + timedelta(minutes=1), SOON + timedelta(days=400)):
        assert await send(later) == 0
    assert len(await told()) == 2


async def test_the_mail_says_which_lesson_and_leads_to_it(lesson: Lesson) -> None:
    await ask(lesson, "ana@example.com")
    await publish(lesson)
    await send(SOON)
    (letter,) = await letters()
    assert letter["template"] == "topic_out"
    assert letter["context"]["title"] == letter["context"]["name"] == "Deep rotators"
    async with db.transaction() as session:
        course = await session.get(Course, lesson.course_id)
    assert course is not None
    assert letter["context"]["url"] == f"{get_settings().base_url}/courses/{course.slug}/{lesson.slug}"


async def test_announced_is_not_out_even_when_its_day_has_come(lesson: Lesson) -> None:
    await ask(lesson, "ana@example.com")
    assert await send(SOON + timedelta(days=9)) == 0


async def test_a_lesson_of_a_course_that_is_a_draft_is_not_out(lesson: Lesson) -> None:
    await ask(lesson, "ana@example.com")
    await publish(lesson)
    async with db.transaction() as session:
        await publishing.unpublish_course(session, lesson.course_id)
    assert await send(SOON) == 0
    async with db.transaction() as session:
        await publishing.publish_course(session, lesson.course_id, SOON)
    assert await send(SOON) == 1


async def test_a_lesson_that_was_taken_back_tells_nobody(lesson: Lesson) -> None:
    await ask(lesson, "ana@example.com")
    await publish(lesson)
    async with db.transaction() as session:
        await publishing.unpublish_lesson(session, lesson.course_id, lesson.id)
    assert await send(SOON) == 0


async def test_a_day_that_moves_moves_the_mail(lesson: Lesson) -> None:
    await ask(lesson, "ana@example.com")
    await publish(lesson)
    later = SOON + timedelta(days=5)
    await set_day(lesson, later)
    assert await send(SOON) == 0
    assert await send(later - timedelta(seconds=1)) == 0
    assert await send(later) == 1
    # Moved again after the mail: it was told once, and that is all.
    await set_day(lesson, later + timedelta(days=5))
    assert await send(later + timedelta(days=6)) == 0
    assert await told() == ["ana@example.com"]


async def test_a_lesson_that_comes_out_early_tells_at_once(lesson: Lesson) -> None:
    await ask(lesson, "ana@example.com")
    await publish(lesson)
    assert await send(NOW + timedelta(minutes=1)) == 0
    await set_day(lesson, None)
    assert await send(NOW + timedelta(minutes=1)) == 1
    assert await send(SOON) == 0


async def test_an_address_is_one_however_it_is_typed(lesson: Lesson) -> None:
    await ask(
        lesson,
        "Ana@Example.com",
        " ana@example.com ",
        "ANA@EXAMPLE.COM",
        "ana@example.com\n",
        "bo@bücher.example.com",
        "bo@xn--bcher-kva.example.com",
    )
    assert await kept() == ["ana@example.com", "bo@xn--bcher-kva.example.com"]
    await set_day(lesson, None)
    await publish(lesson)
    assert await send(NOW) == 2
    assert sorted(await told()) == await kept()


async def test_one_address_may_wait_for_two_lessons(lesson: Lesson) -> None:
    async with db.transaction() as session:
        section = await factories.section(session, await factories.course(session))
        other = await factories.lesson(session, section, state="announced", title="Hamstrings")
    await ask(lesson, "ana@example.com")
    await ask(other, "ana@example.com")
    await publish(lesson)
    await publish(other)
    assert await send(SOON) == 2
    assert {letter["context"]["title"] for letter in await letters()} == {"Deep rotators", "Hamstrings"}


async def test_many_who_ask_with_one_address_at_once_are_one(lesson: Lesson) -> None:
    await asyncio.gather(*(ask(lesson, "Ana@example.com") for _ in range(5)))
    assert await kept() == ["ana@example.com"]


async def test_while_one_worker_sends_another_finds_nothing_to_do(lesson: Lesson) -> None:
    await ask(lesson, "ana@example.com", "bo@example.com")
    await publish(lesson)
    async with db.transaction() as first:
        assert await telling.send_due(first, SOON) == 2
        # It does not wait either: the first one may be long about it.
        async with asyncio.timeout(10):
            assert await send(SOON) == 0
    assert await send(SOON) == 0
    assert len(await told()) == 2


async def test_what_a_worker_that_died_had_not_committed_is_sent_by_the_next(lesson: Lesson) -> None:
    await ask(lesson, "ana@example.com")
    await publish(lesson)

    async def die() -> None:
        async with db.transaction() as session:
            assert await telling.send_due(session, SOON) == 1
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await die()
    assert await told() == []
    assert await send(SOON) == 1
    assert await told() == ["ana@example.com"]


async def test_even_a_mark_that_was_lost_sends_no_second_mail(lesson: Lesson) -> None:
    await ask(lesson, "ana@example.com")
    await publish(lesson)
    await send(SOON)
    async with db.transaction() as session:
        await session.execute(update(Waiting).values(told_at=None))
    await send(SOON)
    assert await told() == ["ana@example.com"]


@pytest.fixture
async def working(database: db.Database) -> AsyncIterator[None]:
    """The engine alone: it runs handlers, but takes nothing from queues, so that mail stays to be counted."""
    executor_id = lifeline.new_executor_id()
    await lifeline.register(executor_id)
    engine.start(database.url, executor_id)
    yield
    await asyncio.to_thread(engine.stop, 2)


async def test_two_workers_that_run_the_handler_at_once_send_each_mail_once(
    lesson: Lesson, working: None
) -> None:
    addresses = [f"person{n}@example.com" for n in range(2 * telling.BATCH + 50)]
    async with db.transaction() as session:
        topic_id = await asking.topic_of_lesson(session, lesson.id, NOW)
        session.add_all(Waiting(topic_id=topic_id, email=address, confirmed_at=NOW) for address in addresses)
    await set_day(lesson, None)
    await publish(lesson)
    await asyncio.gather(telling.tell(NOW, None), telling.tell(NOW, None))
    assert sorted(await told()) == sorted(addresses)
    async with db.transaction() as session:
        unsent = await session.scalar(select(func.count()).where(Waiting.told_at.is_(None)))
        ids = list(
            await session.scalars(
                text("SELECT workflow_uuid FROM dbos.workflow_status WHERE name = 'send_mail'")
            )
        )
    assert unsent == 0
    assert len(ids) == len(set(ids)) == len(addresses)


NO_ADDRESSES = (
    "",
    " ",
    "ana",
    "ana@",
    "@example.com",
    "ana@@example.com",
    "ana@example",
    "ana@example..com",
    "ana b@example.com",
    "ana@example.com, bo@example.com",
    "ana@example.com\nBcc: bo@example.com",
    "Ana <ana@example.com>",
    "ana@exa\x00mple.com",
    "ana@[192.0.2.1]",
    "ä@example.com",
    "x" * 243 + "@example.com",
    "a@" + "x" * 5000 + ".com",
)


async def test_an_address_that_mail_cannot_reach_gets_a_sentence(lesson: Lesson) -> None:
    for typed in NO_ADDRESSES:
        with pytest.raises(BadInput) as refused:
            await ask(lesson, typed)
        assert refused.value.field == "email"
        sentence = "This does not look like an e-mail address. It should be like name@example.com."
        assert refused.value.sentence == sentence
    assert await kept() == []


async def test_only_a_lesson_that_is_awaited_takes_addresses(lesson: Lesson) -> None:
    await publish(lesson)
    await ask(lesson, "scheduled@example.com")
    with pytest.raises(Conflict):
        await ask(lesson, "late@example.com", at=SOON)
    async with db.transaction() as session:
        await publishing.unpublish_lesson(session, lesson.course_id, lesson.id)
    with pytest.raises(NotFound):
        await ask(lesson, "draft@example.com")
    async with db.transaction() as session:
        await publishing.announce_lesson(session, lesson.course_id, lesson.id)
        await publishing.unpublish_course(session, lesson.course_id)
    with pytest.raises(NotFound):
        await ask(lesson, "hidden@example.com")
    assert await kept() == ["scheduled@example.com"]


async def test_a_flood_from_one_place_is_slowed_whether_addresses_are_new_or_known(lesson: Lesson) -> None:
    for n in range(THROTTLE_LIMIT):
        await ask(lesson, "ana@example.com" if n % 2 else f"a{n}@example.com", ip="192.0.2.1")
    for address in ("ana@example.com", "new@example.com"):
        with pytest.raises(TooMany):
            await ask(lesson, address, ip="192.0.2.1")
    await ask(lesson, "new@example.com", ip="192.0.2.1", at=NOW + timedelta(hours=1, seconds=1))


async def test_nobody_can_have_one_address_mailed_again_and_again_from_many_places(lesson: Lesson) -> None:
    for _n in range(5):
        await ask(lesson, "ana@example.com", is_proven=False)
    with pytest.raises(TooMany):
        await ask(lesson, "ana@example.com", is_proven=False)
    assert await told() == ["ana@example.com"]


async def _answer(client: httpx.AsyncClient, url: str, key: UUID, address: str) -> tuple[Any, ...]:
    form = {"email": address, "stamp": stamp(f"wait:{key}")}
    answer = await client.post(f"{url}/reminder", data=form)
    headers = {
        name: told
        for name, told in answer.headers.items()
        if name not in ("date", "content-security-policy", "server")
    }
    return answer.status_code, headers, answer.content


async def test_no_answer_tells_whether_the_address_asked_already_has_an_account_or_was_told(
    client: httpx.AsyncClient, lesson: Lesson
) -> None:
    async with db.transaction() as session:
        course = await session.get(Course, lesson.course_id)
        assert course is not None
        member = await factories.user(session)
    url = f"/courses/{course.slug}/{lesson.slug}"
    first = await _answer(client, url, lesson.id, "ana@example.com")
    assert first[0] == 303
    for address in ("ana@example.com", "Ana@Example.com", "new@example.com", member.email):
        assert await _answer(client, url, lesson.id, address) == first
    await ask(lesson, "ana@example.com")
    # Taken back after the mail, and announced anew: who was told is not told apart either.
    await set_day(lesson, None)
    await publish(lesson)
    await send(utcnow())
    async with db.transaction() as session:
        await publishing.announce_lesson(session, lesson.course_id, lesson.id)
        await session.execute(delete(Attempt))
    for address in ("ana@example.com", "another@example.com"):
        assert await _answer(client, url, lesson.id, address) == first


async def topic(**values: Any) -> Topic:
    async with db.transaction() as session:
        defaults = {"slug": "neck", "title": "Stretches for the neck"}
        row: Topic = await factories.save(session, Topic(**{**defaults, **values}))
        return row


async def wait(topic: Topic, *addresses: str, **values: Any) -> None:
    async with db.transaction() as session:
        session.add_all(
            Waiting(**{"topic_id": topic.id, "email": one, "confirmed_at": NOW, **values})
            for one in addresses
        )


async def tie(topic: Topic, **values: Any) -> None:
    async with db.transaction() as session:
        await session.execute(update(Topic).where(Topic.id == topic.id).values(**values))


async def test_a_topic_that_became_a_course_or_an_article_is_told_when_that_is_out(
    database: db.Database,
) -> None:
    neck, back = await topic(), await topic(slug="back", title="Your back at night")
    await wait(neck, "ana@example.com")
    await wait(back, "bo@example.com")
    assert await send(NOW) == 0
    async with db.transaction() as session:
        course = await factories.course(session, slug="neck-course", title="Neck", state="draft")
        article = await factories.article(session, slug="nights", title="Nights", published_at=SOON)
    await tie(neck, course_id=course.id)
    await tie(back, article_id=article.id)
    assert await send(NOW) == 0
    async with db.transaction() as session:
        await session.execute(update(Course).values(state="published"))
    assert await send(NOW) == 1
    assert await send(SOON - timedelta(seconds=1)) == 0
    assert await send(SOON) == 1
    first, second = await letters()
    base = get_settings().base_url
    assert (first["to"], first["context"]["thing"]) == ("ana@example.com", "course")
    assert first["context"]["url"] == f"{base}/courses/neck-course"
    assert (second["to"], second["context"]["thing"]) == ("bo@example.com", "article")
    assert second["context"]["url"] == f"{base}/articles/nights"
    text_of = render(**second).get_body(("plain",))
    assert text_of is not None
    assert "Your back at night" in text_of.get_content()


async def test_only_who_confirmed_and_did_not_end_it_is_told(database: db.Database) -> None:
    async with db.transaction() as session:
        article = await factories.article(session)
    neck = await topic(article_id=article.id)
    await wait(neck, "unconfirmed@example.com", confirmed_at=None)
    await wait(neck, "ended@example.com", ended_at=NOW)
    await wait(neck, "ana@example.com")
    assert await send(utcnow()) == 1
    assert await told() == ["ana@example.com"]


async def test_who_confirms_after_it_came_out_is_told_then(database: db.Database) -> None:
    async with db.transaction() as session:
        article = await factories.article(session)
    neck = await topic(article_id=article.id)
    await wait(neck, "late@example.com", confirmed_at=None)
    assert await send(utcnow()) == 0
    async with db.transaction() as session:
        await session.execute(update(Waiting).values(confirmed_at=NOW))
    assert await send(utcnow()) == 1


async def test_addresses_are_forgotten_once_they_have_served_and_still_counted(database: db.Database) -> None:
    neck, long_ago = await topic(), NOW - timedelta(days=31)
    await wait(neck, "told@example.com", told_at=long_ago)
    await wait(neck, "told-lately@example.com", told_at=NOW)
    await wait(neck, "waits@example.com", asked_at=long_ago)
    await wait(neck, "never@example.com", asked_at=long_ago, confirmed_at=None)
    await wait(neck, "ended@example.com", ended_at=long_ago)
    async with db.transaction() as session:
        await telling.forget_old(session, NOW)
        rows = list(await session.scalars(select(Waiting.email).order_by(Waiting.email)))
    assert [row for row in rows if "@" in row] == ["told-lately@example.com", "waits@example.com"]
    assert len(rows) == 3


async def ask_later(at: datetime) -> int:
    async with db.transaction() as session:
        return await telling.ask_held(session, at)


async def asked() -> list[str]:
    return [letter["to"] for letter in await letters() if letter["template"] == "wait_confirm"]


async def test_a_thousand_networks_without_work_mail_few_strangers_and_the_others_wait_their_turn(
    lesson: Lesson,
) -> None:
    most = QUESTIONS_UNPROVEN.tries
    strangers = [f"stranger{n}@example.com" for n in range(most + 5)]
    await ask(lesson, *strangers, is_proven=False, is_worked=False)
    assert await asked() == strangers[:most]
    await ask(lesson, "ana@example.com", is_proven=False)
    assert (await asked())[-1] == "ana@example.com", "who has worked does not wait behind them"
    assert await ask_later(NOW + timedelta(minutes=50)) == 0
    later = NOW + timedelta(minutes=61)
    assert await ask_later(later) == 5
    assert sorted(await asked()) == sorted([*strangers, "ana@example.com"]), "kept, not refused"
    assert await ask_later(later) == 0, "and each is asked once"


async def test_a_held_question_is_asked_at_once_when_its_sender_comes_back_with_work(lesson: Lesson) -> None:
    most = QUESTIONS_UNPROVEN.tries
    await ask(lesson, *(f"s{n}@example.com" for n in range(most)), is_proven=False, is_worked=False)
    await ask(lesson, "ana@example.com", is_proven=False, is_worked=False)
    assert "ana@example.com" not in await asked()
    await ask(lesson, "ana@example.com", is_proven=False)
    assert "ana@example.com" in await asked()
    assert await ask_later(NOW + timedelta(hours=2)) == 0


async def test_a_held_question_about_what_is_out_by_then_is_never_asked(lesson: Lesson) -> None:
    most = QUESTIONS_UNPROVEN.tries
    await ask(lesson, *(f"s{n}@example.com" for n in range(most + 2)), is_proven=False, is_worked=False)
    await publish(lesson, NOW)
    assert await ask_later(SOON + timedelta(hours=2)) == 0
    assert len(await asked()) == most


async def test_one_address_is_asked_so_often_in_a_day_and_no_more(lesson: Lesson) -> None:
    for n in range(QUESTIONS_ADDRESS.tries):
        await ask(lesson, "ana@example.com", is_proven=False, at=NOW + n * timedelta(minutes=90))
    with pytest.raises(TooMany):
        await ask(lesson, "ana@example.com", is_proven=False, at=NOW + timedelta(hours=20))
    await ask(lesson, "ana@example.com", is_proven=False, at=NOW + timedelta(hours=25))
