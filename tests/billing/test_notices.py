"""Which mails about money are due: the table of notices. No database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.billing.mirror import SubscriptionFacts
from app.billing.notices import CardFacts, due_notices, next_charge_at, still_true, wants_card_look
from app.billing.rules import Policy

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = Policy()
END = NOW + 20 * DAY


def facts(status: str, **values: Any) -> SubscriptionFacts:
    """A subscription that began ten days ago and is paid for twenty more."""
    known: dict[str, Any] = {
        "id": "sub_1",
        "price_ids": ("price_1",),
        "started_at": NOW - 10 * DAY,
        "current_period_end_at": END,
    }
    return SubscriptionFacts(status=status, **{**known, **values})


def kinds(
    about: SubscriptionFacts,
    at: datetime,
    card: CardFacts | None = None,
    *,
    policy: Policy = POLICY,
    yearly: bool = False,
) -> list[str]:
    return [one.kind for one in due_notices(about, card, policy, at, is_yearly=yearly)]


@pytest.mark.parametrize(
    ("days", "kind"),
    [
        (-40, "payment_failed"),  # a stand-in's clock may run ahead of ours
        (0, "payment_failed"),
        (6.9, "payment_failed"),
        (7, "payment_reminder"),
        (11.9, "payment_reminder"),
        (12, "payment_last_call"),
        (13.9, "payment_last_call"),
        (14, "payment_failed"),  # told once already; when it was not, that is what there is to tell
    ],
)
def test_three_mails_follow_a_decline_and_only_the_latest_is_due(days: float, kind: str) -> None:
    assert kinds(facts("past_due", past_due_since_at=NOW), NOW + days * DAY) == [kind]


def test_a_later_mail_takes_the_keys_of_those_before_it() -> None:
    (last,) = due_notices(
        facts("past_due", past_due_since_at=NOW), None, POLICY, NOW + 12 * DAY, is_yearly=False
    )
    moment = int(NOW.timestamp())
    assert last.instead_of == (f"payment_failed:sub_1:{moment}", f"payment_reminder:sub_1:{moment}")


@pytest.mark.parametrize(
    ("grace", "expected"),
    [(0, {"payment_failed"}), (1, {"payment_failed"}), (3, {"payment_failed", "payment_last_call"})],
)
def test_a_short_grace_needs_fewer_mails(grace: int, expected: set[str]) -> None:
    about, policy = facts("past_due", past_due_since_at=NOW), Policy(past_due_grace=grace * DAY)
    hours = range(0, 24 * max(grace, 1))
    found = {kind for hour in hours for kind in kinds(about, NOW + hour * timedelta(hours=1), policy=policy)}
    assert found == expected


def test_each_decline_is_a_cause_of_its_own() -> None:
    first, second = (
        due_notices(facts("past_due", past_due_since_at=at), None, POLICY, at, is_yearly=False)[0].cause
        for at in (NOW, NOW + 30 * DAY)
    )
    assert first != second


TRIAL_END = NOW + 10 * DAY
OTHERS = [
    (facts("trialing", trial_end_at=TRIAL_END), TRIAL_END - 4 * DAY, False, []),
    (facts("trialing", trial_end_at=TRIAL_END), TRIAL_END - 3 * DAY, False, ["trial_ending"]),
    (facts("trialing", trial_end_at=TRIAL_END), TRIAL_END, False, []),
    (facts("trialing", trial_end_at=TRIAL_END, cancel_at=TRIAL_END), TRIAL_END - DAY, False, []),
    (facts("trialing", started_at=NOW, trial_end_at=NOW + 4 * DAY), NOW + 2 * DAY, False, []),
    (facts("active"), END - 29 * DAY, False, []),
    (facts("active"), END - 31 * DAY, True, []),
    (facts("active"), END - 30 * DAY, True, ["renewal_coming"]),
    (facts("active"), END - 7 * DAY, True, ["renewal_soon"]),
    (facts("active"), END, True, []),
    (facts("active", cancel_at_period_end=True), END - 7 * DAY, True, []),
    (facts("active", pause_behavior="void"), END - 7 * DAY, True, []),
    (facts("active", pause_behavior="void", resumes_at=END), END - 4 * DAY, False, []),
    (facts("active", pause_behavior="void", resumes_at=END), END - 3 * DAY, False, ["pause_ending"]),
    (facts("active", pause_behavior="void"), END - 3 * DAY, False, []),
    (facts("canceled"), END - DAY, True, []),
    (facts("unpaid"), NOW, False, ["membership_rests"]),
    (facts("incomplete"), END - DAY, True, []),
]  # fmt: skip


@pytest.mark.parametrize(("about", "at", "yearly", "expected"), OTHERS)
def test_what_is_coming_is_told_in_time_and_not_when_it_is_not_coming(
    about: SubscriptionFacts, at: datetime, yearly: bool, expected: list[str]
) -> None:
    assert kinds(about, at, yearly=yearly) == expected


# The next charge is on 15 December 2026.
CARDS = [
    (2026, 11, ["card_expiring"]),
    (2026, 12, []),
    (2025, 12, ["card_expiring"]),
    (2027, 1, []),
]


@pytest.mark.parametrize(("year", "month", "expected"), CARDS)
def test_a_card_that_expires_before_the_next_charge_is_told_of(
    year: int, month: int, expected: list[str]
) -> None:
    card = CardFacts("pm_1", "visa", "4242", year, month)
    assert kinds(facts("active"), END - 14 * DAY, card) == expected
    assert kinds(facts("active"), END - 15 * DAY, card) == []
    assert kinds(facts("active", cancel_at_period_end=True), END - DAY, card) == []


def test_a_card_is_looked_at_once_for_each_charge() -> None:
    about = facts("active")
    assert not wants_card_look(about, None, END - 15 * DAY)
    assert wants_card_look(about, None, END - 14 * DAY)
    assert wants_card_look(about, END - 30 * DAY, END - DAY)
    assert not wants_card_look(about, END, END - DAY)
    assert next_charge_at(facts("trialing", trial_end_at=TRIAL_END)) == TRIAL_END
    assert next_charge_at(facts("past_due", past_due_since_at=NOW)) is None


def test_what_was_written_stops_being_true() -> None:
    owed = facts("past_due", past_due_since_at=NOW)
    (notice,) = due_notices(owed, None, POLICY, NOW, is_yearly=False)
    assert still_true(notice.kind, notice.cause, owed)
    assert still_true(notice.kind, notice.cause, facts("unpaid"))
    assert not still_true(notice.kind, notice.cause, facts("active"))
    assert not still_true(notice.kind, notice.cause, facts("past_due", past_due_since_at=NOW + 30 * DAY))
    assert not still_true(notice.kind, notice.cause, None)
    assert not still_true("trial_ending", "x", facts("trialing", cancel_at=END))
    assert not still_true("renewal_soon", "x", facts("active", cancel_at_period_end=True))
    assert not still_true("pause_ending", "x", facts("active"))
