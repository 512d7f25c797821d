""" "Why can she watch?", for one member and one lesson: facts, rule, answer, and what would change it."""

from datetime import timedelta
from typing import Any

import pytest

from app import db
from app.access.why import Answer, why
from app.clock import utcnow
from app.errors import NotFound
from tests import factories

EMAIL = "noe@example.com"


async def ask(path: str = "hips/openers") -> Answer:
    async with db.transaction() as session:
        return await why(session, EMAIL, path, utcnow())


async def site(
    *, right: dict[str, Any] | None = None, user: dict[str, Any] | None = None, **lesson: Any
) -> None:
    """One member, one paid lesson that is out, and perhaps a right."""
    async with db.transaction() as session:
        member = await factories.user(session, email=EMAIL, **(user or {}))
        course = await factories.course(session, slug="hips", title="Hips")
        video = await factories.video(session)
        section = await factories.section(session, course)
        await factories.lesson(
            session, section, slug="openers", title="Openers", **{"video_id": video.id, **lesson}
        )
        if right is not None:
            await factories.entitlement(session, member, **right)


@pytest.mark.parametrize(
    ("given", "may", "rule", "change"),
    [
        ({"right": {"source_kind": "purchase"}}, True, "A right that holds now covers", "refunded"),
        ({}, False, "No right covers this course", "A plan that covers this course"),
        (
            {"right": {"ends_at": utcnow() - timedelta(days=1), "starts_at": utcnow() - timedelta(days=9)}},
            False,
            "has ended",
            "A new payment",
        ),
        ({"is_free": True}, True, "The lesson is free", "not free any more"),
        ({"user": {"role": "staff"}}, True, "Staff may watch everything", "were a member’s"),
        (
            {"user": {"banned_at": utcnow()}, "right": {}},
            False,
            "The account is closed",
            "Open the account again",
        ),
        ({"state": "announced", "right": {}}, False, "not out yet", "Publish the lesson"),
        ({"video_id": None, "right": {}}, False, "no film that is ready", "Give the lesson a video"),
    ],
)
async def test_the_answer_names_its_rule_and_what_would_change_it(
    database: db.Database, given: dict[str, Any], may: bool, rule: str, change: str
) -> None:
    await site(**given)
    answer = await ask()
    assert answer.may_watch is may
    text = "\n".join(answer.lines)
    assert rule in text
    assert change in text
    assert EMAIL in text
    assert "Openers in Hips" in text


@pytest.mark.parametrize("path", ["hips", "hips/unknown", "knees/openers", "", "a/b/c"])
async def test_a_lesson_that_is_not_there_is_named(database: db.Database, path: str) -> None:
    await site()
    with pytest.raises(NotFound) as refused:
        await ask(path)
    assert "There is no lesson" in refused.value.sentence


async def test_an_address_that_nobody_has_is_named(database: db.Database) -> None:
    with pytest.raises(NotFound) as refused:
        await ask()
    assert EMAIL in refused.value.sentence


async def test_the_address_of_the_lessons_page_will_do(database: db.Database) -> None:
    await site(right={})
    assert (await ask("/courses/hips/openers")).may_watch
