"""Rules of waiting lists, as tables."""

from datetime import UTC, datetime, timedelta

import pytest

from app.waiting.rules import Step, TopicDraft, by_week, check_topic, next_step

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("draft", "wrong"),
    [
        (TopicDraft("Stretches for the neck"), set()),
        (TopicDraft("Neck", "neck-stretches", "Where it hurts."), set()),
        (TopicDraft(" \t "), {"title"}),
        (TopicDraft("x" * 161, "No good", "x" * 321), {"title", "slug", "summary"}),
        (TopicDraft("Neck", "x" * 81), {"slug"}),
    ],
)
def test_what_cannot_be_announced_is_named(draft: TopicDraft, wrong: set[str]) -> None:
    assert set(check_topic(draft.tidy())) == wrong


@pytest.mark.parametrize(
    ("is_tied", "is_out", "asked", "step"),
    [
        (False, False, 0, Step.SHOW),
        (False, False, 3, Step.MAKE),
        (True, False, 0, Step.FINISH),
        (True, False, 3, Step.FINISH),
        (True, True, 3, Step.NOTHING),
    ],
)
def test_what_the_teacher_does_next(is_tied: bool, is_out: bool, asked: int, step: Step) -> None:
    assert next_step(is_tied=is_tied, is_out=is_out, asked=asked) == step


def test_demand_is_told_by_the_week_and_each_who_asked_is_in_one() -> None:
    day, second = timedelta(days=1), timedelta(seconds=1)
    asked = [
        (NOW, True),
        (NOW - 7 * day, False),
        (NOW - 7 * day - second, True),
        (NOW - 14 * day, True),
        (NOW - 14 * day - second, True),  # before the first week
        (NOW + second, True),  # a clock that runs ahead
    ]
    weeks = by_week(asked, NOW, 2)
    assert [(one.asked, one.confirmed) for one in weeks] == [(2, 2), (2, 1)]
    assert [one.begins_at for one in weeks] == [NOW - 14 * day, NOW - 7 * day]
    assert by_week([], NOW, 1)[0].asked == 0
