"""The access table: what each fact in Stripe gives, until when, and what it must not touch. No database."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest

from app.billing.letters import cause_of, letter_for
from app.billing.mirror import (
    ChargeFacts,
    PurchaseFacts,
    SubscriptionFacts,
    read_charge,
    read_subscription,
)
from app.billing.rules import Policy, Scope, covering, entitlements_due, paid_until, purchases_due
from app.billing.sold import Sold, read_purchase

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = Policy()
SLACK = timedelta(hours=72)
EVERYTHING: dict[str, Scope] = {"price_all": (None,)}


def facts(status: str, **values: Any) -> SubscriptionFacts:
    """A subscription that began ten days ago and is paid for twenty more."""
    known: dict[str, Any] = {
        "id": "sub_1",
        "price_ids": ("price_all",),
        "started_at": NOW - 10 * DAY,
        "current_period_end_at": NOW + 20 * DAY,
    }
    return SubscriptionFacts(status=status, **{**known, **values})


END = NOW + 20 * DAY
TABLE = [
    ("trialing", {"trial_end_at": NOW + 7 * DAY}, NOW + 7 * DAY + timedelta(hours=1)),
    ("active", {}, END + SLACK),
    ("active", {"cancel_at_period_end": True}, END),
    ("active", {"cancel_at": NOW + 3 * DAY}, NOW + 3 * DAY),
    ("active", {"cancel_at": NOW + 60 * DAY}, END + SLACK),
    ("active", {"cancel_at": NOW + 60 * DAY, "cancel_at_period_end": True}, END),
    ("trialing", {"trial_end_at": NOW + 7 * DAY, "cancel_at_period_end": True,
                  "current_period_end_at": NOW + 7 * DAY}, NOW + 7 * DAY),
    ("active", {"pause_behavior": "void"}, None),
    ("active", {"pause_behavior": "void", "paid_through_at": NOW + 5 * DAY}, NOW + 5 * DAY),
    ("active", {"pause_behavior": "void", "paid_through_at": NOW - DAY}, None),
    ("active", {"pause_behavior": "void", "paid_through_at": NOW + 5 * DAY, "cancel_at": NOW + DAY}, NOW + DAY),
    ("active", {"paid_through_at": NOW - DAY}, END + SLACK),
    ("active", {"pause_behavior": "keep_as_draft"}, END + SLACK),
    ("active", {"pause_behavior": "mark_uncollectible"}, END + SLACK),
    ("past_due", {"past_due_since_at": NOW - 2 * DAY}, NOW + 12 * DAY),
    ("past_due", {"past_due_since_at": NOW - 15 * DAY}, None),
    ("past_due", {"past_due_since_at": NOW - 2 * DAY, "cancel_at": NOW + DAY}, NOW + DAY),
    ("active", {"current_period_end_at": NOW - 71 * timedelta(hours=1)}, NOW + timedelta(hours=1)),
    ("active", {"current_period_end_at": NOW - 73 * timedelta(hours=1)}, None),
    ("incomplete", {}, None),
    ("incomplete_expired", {}, None),
    ("unpaid", {}, None),
    ("paused", {}, None),
    ("canceled", {"ended_at": NOW - DAY}, None),
    ("canceled", {"ended_at": NOW + DAY}, None),
]  # fmt: skip


@pytest.mark.parametrize(("status", "values", "until"), TABLE)
def test_each_state_gives_access_until_its_moment(
    status: str, values: dict[str, Any], until: datetime | None
) -> None:
    found = entitlements_due([facts(status, **values)], EVERYTHING, POLICY, NOW)
    assert [one.ends_at for one in found.due] == ([until] if until else [])
    assert (found.keep, found.doubts) == (frozenset(), ())


def test_grace_is_a_hard_stop_counted_from_the_first_unpaid_invoice() -> None:
    late = facts("past_due", past_due_since_at=NOW, current_period_end_at=NOW + 365 * DAY)
    assert paid_until(late, POLICY) == NOW + 14 * DAY
    assert paid_until(late, Policy(past_due_grace=timedelta(0))) == NOW


def test_an_unknown_status_keeps_what_was_and_is_reported() -> None:
    found = entitlements_due([facts("frozen")], EVERYTHING, POLICY, NOW)
    assert (found.due, found.keep) == ((), frozenset({"sub_1"}))
    assert "unknown status 'frozen'" in found.doubts[0]


def test_a_gap_in_the_facts_keeps_what_was() -> None:
    found = entitlements_due([facts("active", current_period_end_at=None)], EVERYTHING, POLICY, NOW)
    assert (found.due, found.keep) == ((), frozenset({"sub_1"}))
    assert found.doubts


def test_an_unknown_price_gives_nothing_and_touches_no_other() -> None:
    other = facts("active", id="sub_2", price_ids=("price_of_a_book",))
    found = entitlements_due([facts("active"), other], EVERYTHING, POLICY, NOW)
    assert [one.source_id for one in found.due] == ["sub_1"]
    assert "price_of_a_book" in found.doubts[0]


def test_a_subscription_of_two_items_gives_both_courses() -> None:
    hips, knees = uuid4(), uuid4()
    two = facts("active", price_ids=("price_hips", "price_knees"))
    found = entitlements_due([two], {"price_hips": (hips,), "price_knees": (knees,)}, POLICY, NOW)
    assert {one.course_id for one in found.due} == {hips, knees}


def test_one_that_ended_takes_nothing_from_one_that_runs() -> None:
    over = facts("canceled", id="sub_old", ended_at=NOW - DAY)
    for mirror in ([over, facts("active")], [facts("active"), over]):
        found = entitlements_due(mirror, EVERYTHING, POLICY, NOW)
        assert [one.source_id for one in found.due] == ["sub_1"]


def test_a_clock_that_lags_behind_stripes_begins_no_right_in_the_future() -> None:
    ahead = facts("active", started_at=NOW + timedelta(minutes=10))
    assert entitlements_due([ahead], EVERYTHING, POLICY, NOW).due[0].starts_at == NOW


@pytest.mark.parametrize("minutes", [-10, 0, 10])
def test_ten_minutes_of_clock_error_revoke_nobody(minutes: int) -> None:
    ended = facts("active", current_period_end_at=NOW)
    assert entitlements_due([ended], EVERYTHING, POLICY, NOW + timedelta(minutes=minutes)).due


def test_no_day_is_lost_to_summer_time_or_a_leap_day() -> None:
    honolulu = timezone(timedelta(hours=-10))
    for end in (
        datetime(2028, 2, 29, 12, tzinfo=UTC),
        datetime(2027, 3, 14, 9, 59, tzinfo=UTC),
        datetime(2027, 10, 31, 2, 30, tzinfo=honolulu),
    ):
        one = facts("active", current_period_end_at=end)
        last = end + SLACK - timedelta(seconds=1)
        assert entitlements_due([one], EVERYTHING, POLICY, last).due
        assert not entitlements_due([one], EVERYTHING, POLICY, end + SLACK).due


HIPS = uuid4()
CATALOGUE: dict[str, Scope] = {"price_all": (None,), "price_hips": (HIPS,)}


@pytest.mark.parametrize(
    ("status", "price", "course", "covers"),
    [
        ("active", "price_all", None, True),
        ("active", "price_all", HIPS, True),
        ("active", "price_hips", HIPS, True),
        ("active", "price_hips", None, False),
        ("active", "price_hips", uuid4(), False),
        ("trialing", "price_all", None, True),
        ("past_due", "price_all", None, True),
        ("unpaid", "price_all", None, True),
        ("paused", "price_all", None, True),
        ("incomplete", "price_all", None, False),
        ("canceled", "price_all", None, False),
        ("incomplete_expired", "price_all", None, False),
        ("active", "price_of_a_book", None, False),
    ],
)
def test_what_is_paid_already_is_not_sold_again(status: str, price: str, course: Any, covers: bool) -> None:
    found = covering([facts(status, price_ids=(price,))], CATALOGUE, (course,))
    assert (found is not None) is covers


def raw(**values: Any) -> dict[str, Any]:
    known = {
        "id": "sub_1",
        "status": "active",
        "created": 1_700_000_000,
        "start_date": 1_700_000_000,
        "trial_end": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "ended_at": None,
        "pause_collection": None,
        "items": {"data": [{"price": {"id": "price_all"}, "current_period_end": 1_702_592_000}]},
    }
    return {**known, **values}


def test_the_latest_period_of_all_items_counts() -> None:
    items = [
        {"price": {"id": "a"}, "current_period_end": 1_702_592_000},
        {"price": "b", "current_period_end": 1_731_536_000},
        {"price": {"id": "a"}, "current_period_end": 1_700_592_000},
    ]
    read = read_subscription(raw(items={"data": items}))
    assert read.price_ids == ("a", "b")
    assert read.current_period_end_at == datetime.fromtimestamp(1_731_536_000, UTC)


def test_both_forms_of_cancelling_are_read() -> None:
    assert read_subscription(raw()).stops_at is None
    by_flag = read_subscription(raw(cancel_at_period_end=True))
    assert by_flag.stops_at == datetime.fromtimestamp(1_702_592_000, UTC)
    by_day = read_subscription(raw(cancel_at=1_701_000_000))
    assert by_day.stops_at == datetime.fromtimestamp(1_701_000_000, UTC)


LETTERS = [
    (None, facts("active", started_at=NOW), "subscription_started"),
    (None, facts("trialing", started_at=NOW), "subscription_started"),
    (None, facts("active", started_at=NOW - 30 * DAY), None),
    (facts("incomplete"), facts("active"), "subscription_started"),
    (facts("active"), facts("active"), None),
    (facts("trialing"), facts("active"), None),
    (facts("active"), facts("past_due"), None),
    (facts("past_due"), facts("past_due"), None),
    (facts("past_due"), facts("active"), "payment_recovered"),
    (facts("active"), facts("active", cancel_at_period_end=True), "subscription_cancelled"),
    (facts("active", cancel_at_period_end=True), facts("active"), None),
    (facts("active"), facts("canceled"), "subscription_ended"),
    (facts("past_due"), facts("unpaid"), None),
    (facts("unpaid"), facts("active"), "payment_recovered"),
    (facts("unpaid"), facts("canceled"), "subscription_ended"),
    (None, facts("canceled"), None),
    (facts("incomplete"), facts("incomplete_expired"), None),
]


@pytest.mark.parametrize(("before", "after", "letter"), LETTERS)
def test_each_change_gets_the_mail_that_it_deserves(
    before: SubscriptionFacts | None, after: SubscriptionFacts, letter: str | None
) -> None:
    assert letter_for(before, after, NOW) == letter


def test_a_mails_key_names_its_cause_so_that_each_cause_is_told_once() -> None:
    first = facts("active", cancel_at_period_end=True, cancelled_at=NOW)
    second = facts("active", cancel_at_period_end=True, cancelled_at=NOW + DAY)
    assert cause_of("subscription_cancelled", first) == cause_of("subscription_cancelled", first)
    assert cause_of("subscription_cancelled", first) != cause_of("subscription_cancelled", second)
    assert cause_of("subscription_started", first) != cause_of("subscription_ended", first)


def charge(**values: Any) -> ChargeFacts:
    """A charge of $49 that stands, for one thing."""
    known: dict[str, Any] = {
        "id": "ch_1",
        "payment_intent_id": "pi_1",
        "amount_cents": 4900,
        "refunded_cents": 0,
        "currency": "usd",
        "paid_at": NOW - DAY,
    }
    return ChargeFacts(**{**known, **values})


def purchase(**values: Any) -> PurchaseFacts:
    """A course that was paid yesterday."""
    known: dict[str, Any] = {
        "id": "cs_1",
        "price_id": "price_hips",
        "payment_status": "paid",
        "payment_intent_id": "pi_1",
        "amount_cents": 4900,
        "currency": "usd",
        "bought_at": NOW - DAY,
    }
    return PurchaseFacts(**{**known, **values})


# What became of the money → whether the right stands.
MONEY: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"refunded_cents": 4899}, True),
    ({"refunded_cents": 4900}, False),
    ({"dispute_status": "warning_needs_response"}, True),
    ({"dispute_status": "warning_under_review"}, True),
    ({"dispute_status": "warning_closed"}, True),
    ({"dispute_status": "prevented"}, True),
    ({"dispute_status": "needs_response"}, False),
    ({"dispute_status": "under_review"}, False),
    ({"dispute_status": "won"}, True),
    ({"dispute_status": "won", "refunded_cents": 4900}, False),
    ({"dispute_status": "lost"}, False),
    ({"dispute_status": "lost", "refunded_cents": 1000}, False),
]


@pytest.mark.parametrize(("values", "stands"), MONEY)
def test_what_is_bought_once_stands_while_the_money_is_ours(values: dict[str, Any], stands: bool) -> None:
    found = purchases_due([purchase()], [charge(**values)], CATALOGUE, NOW)
    assert [(one.course_id, one.ends_at) for one in found.due] == ([(HIPS, None)] if stands else [])
    assert (found.keep, found.doubts) == (frozenset(), ())


@pytest.mark.parametrize(("values", "stands"), MONEY)
def test_a_period_that_was_paid_stands_while_the_money_is_ours(values: dict[str, Any], stands: bool) -> None:
    paid = charge(subscription_id="sub_1", period_end_at=END, **values)
    assert bool(entitlements_due([facts("active")], EVERYTHING, POLICY, NOW, [paid]).due) is stands


def test_money_given_back_for_an_older_period_leaves_the_one_that_runs() -> None:
    for values in ({"refunded_cents": 4900}, {"dispute_status": "lost"}):
        older = charge(subscription_id="sub_1", period_end_at=NOW - 10 * DAY, **values)
        assert entitlements_due([facts("active")], EVERYTHING, POLICY, NOW, [older]).due


def test_an_open_dispute_about_an_older_period_suspends() -> None:
    older = charge(subscription_id="sub_1", period_end_at=NOW - 10 * DAY, dispute_status="needs_response")
    assert not entitlements_due([facts("active")], EVERYTHING, POLICY, NOW, [older]).due


def test_money_given_back_for_a_difference_between_plans_ends_no_period() -> None:
    difference = charge(subscription_id="sub_1", period_end_at=None, refunded_cents=4900)
    assert entitlements_due([facts("active")], EVERYTHING, POLICY, NOW, [difference]).due


def test_one_subscriptions_money_decides_about_no_other() -> None:
    back = charge(subscription_id="sub_1", period_end_at=END, refunded_cents=4900)
    two = [facts("active"), facts("active", id="sub_2")]
    assert [one.source_id for one in entitlements_due(two, EVERYTHING, POLICY, NOW, [back]).due] == ["sub_2"]


def test_a_bundle_gives_each_of_its_courses() -> None:
    knees = uuid4()
    found = purchases_due([purchase(price_id="both")], [charge()], {"both": (HIPS, knees)}, NOW)
    assert {one.course_id for one in found.due} == {HIPS, knees}


@pytest.mark.parametrize(
    ("values", "gives", "kept"),
    [
        ({"payment_status": "no_payment_required", "payment_intent_id": None}, True, False),
        ({"payment_status": "unpaid"}, False, False),
        ({"payment_status": "half_paid"}, False, True),
        ({"doubt": "checkout cs_1 was not begun here", "price_id": None}, False, False),
        ({"price_id": "price_of_a_book"}, False, False),
    ],
)
def test_how_a_purchase_was_paid_decides(values: dict[str, Any], gives: bool, kept: bool) -> None:
    found = purchases_due([purchase(**values)], [charge()], CATALOGUE, NOW)
    assert (bool(found.due), bool(found.keep)) == (gives, kept)


def test_a_dispute_in_an_unknown_state_keeps_what_was_and_is_reported() -> None:
    odd = charge(dispute_status="pondered", subscription_id="sub_1", period_end_at=END)
    bought = purchases_due([purchase()], [odd], CATALOGUE, NOW)
    assert (bought.due, bought.keep) == ((), frozenset({"cs_1"}))
    paid = entitlements_due([facts("active")], EVERYTHING, POLICY, NOW, [odd])
    assert (paid.due, paid.keep) == ((), frozenset({"sub_1"}))
    assert "pondered" in bought.doubts[0] + paid.doubts[0]


SOLD = Sold("price_hips", 4900, "usd")


def session(**values: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "id": "cs_1",
        "created": 1_790_000_000,
        "payment_status": "paid",
        "payment_intent": {"id": "pi_1", "status": "succeeded"},
        "amount_subtotal": 4900,
        "amount_total": 4900,
        "currency": "usd",
        "line_items": {"data": [{"price": {"id": "price_hips"}, "quantity": 1}]},
    }
    return {**known, **values}


@pytest.mark.parametrize(
    ("values", "doubt"),
    [
        ({}, None),
        ({"amount_total": 0}, None),
        ({"amount_total": 5131}, None),
        ({"amount_subtotal": 1}, "costs 1 usd, not 4900 usd"),
        ({"currency": "jpy"}, "costs 4900 jpy"),
        ({"line_items": {"data": [{"price": {"id": "price_knees"}, "quantity": 1}]}}, "something else"),
        ({"line_items": {"data": [{"price": {"id": "price_hips"}, "quantity": 2}]}}, "something else"),
        ({"line_items": {"data": []}}, "something else"),
    ],
)
def test_a_purchase_is_held_against_what_we_sold(values: dict[str, Any], doubt: str | None) -> None:
    found = read_purchase(session(**values), SOLD)
    assert (found.price_id, found.payment_intent_id) == (None if doubt else "price_hips", "pi_1")
    assert doubt is None or doubt in (found.doubt or "")


def test_a_purchase_that_we_did_not_begin_gives_nothing() -> None:
    assert read_purchase(session(), None).price_id is None


def test_only_a_payment_that_the_bank_is_still_at_is_pending() -> None:
    for status, pending in (("processing", True), ("requires_payment_method", False), ("canceled", False)):
        waits = session(payment_status="unpaid", payment_intent={"id": "pi_1", "status": status})
        assert read_purchase(waits, SOLD).is_pending is pending


def test_only_refunds_that_succeeded_count_and_the_worst_dispute_decides() -> None:
    taken = {
        "id": "ch_1",
        "payment_intent": "pi_1",
        "amount_captured": 4900,
        "currency": "usd",
        "created": 1_790_000_000,
        "refunds": {
            "data": [
                {"amount": 1500, "status": "succeeded", "created": 1_790_000_100},
                {"amount": 500, "status": "succeeded", "created": 1_790_000_050},
                {"amount": 2900, "status": "pending", "created": 1_790_000_200},
                {"amount": 4900, "status": "failed", "created": 1_790_000_300},
                {"amount": 4900, "status": "canceled", "created": 1_790_000_400},
            ]
        },
    }
    found = read_charge(taken, [{"status": "won"}, {"status": "needs_response"}])
    assert (found.refunded_cents, found.is_refunded, found.dispute_status) == (2000, False, "needs_response")
    assert found.refunded_at == datetime.fromtimestamp(1_790_000_100, UTC)
