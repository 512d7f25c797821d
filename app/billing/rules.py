"""What Stripe's facts entitle to: the access table as a pure function."""

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from app.access.due import Due
from app.billing.mirror import ChargeFacts, PurchaseFacts, SubscriptionFacts

# The courses that something pays for; `None` among them is every course.
Scope = tuple[UUID | None, ...]
EVERYTHING: Scope = (None,)

GIVES_NOTHING = frozenset({"incomplete", "incomplete_expired", "unpaid", "paused", "canceled"})
DISPUTE_OPEN = frozenset({"needs_response", "under_review"})
# An inquiry is no dispute yet, and one that was closed, won or prevented is none any more.
DISPUTE_HARMLESS = frozenset(
    {"warning_needs_response", "warning_under_review", "warning_closed", "won", "prevented"}
)
KNOWN_STATUSES = GIVES_NOTHING | {"trialing", "active", "past_due"}


class Standing(StrEnum):
    """What became of a charge after it went through."""

    GOOD = "good"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    LOST = "lost"


@dataclass(frozen=True)
class Policy:
    """How long access outlives what Stripe last told.

    `late_webhook` covers a renewal of which we have not heard yet; `trial_turnover` the moments in which a trial
    becomes a paid period; `past_due_grace` counts from the first unpaid invoice, whatever Stripe does.
    """

    past_due_grace: timedelta = timedelta(days=14)
    late_webhook: timedelta = timedelta(hours=72)
    trial_turnover: timedelta = timedelta(hours=1)


@dataclass(frozen=True)
class Entitled:
    """What is due; whose rows stay as they are (`keep`, subscription ids); and what a person should look at."""

    due: tuple[Due, ...]
    keep: frozenset[str]
    doubts: tuple[str, ...]


def paid_until(facts: SubscriptionFacts, policy: Policy) -> datetime | None:
    """Until when a subscription gives access; None: it gives none.

    Raises:
        LookupError: for a status, or a gap in the facts, that this table does not know.
    """
    if facts.status in GIVES_NOTHING:
        return None
    if facts.status not in KNOWN_STATUSES:
        raise LookupError(f"subscription {facts.id} has the unknown status {facts.status!r}")
    stops = facts.stops_at
    if facts.pause_behavior == "void":
        # What a member had paid before pausing here stays theirs; a pause made in Stripe notes nothing.
        through = facts.paid_through_at
        return through if through is None or stops is None else min(stops, through)
    if facts.status == "trialing":
        end = facts.trial_end_at or facts.current_period_end_at
        slack = policy.trial_turnover
    elif facts.status == "past_due":
        end, slack = facts.past_due_since_at, policy.past_due_grace
    else:
        end, slack = facts.current_period_end_at, policy.late_webhook
    if end is None:
        raise LookupError(f"subscription {facts.id} is {facts.status} without the date that this needs")
    return end + slack if stops is None else min(stops, end + slack)


def standing(charge: ChargeFacts) -> Standing:
    """Whether the money is still ours.

    Raises:
        LookupError: for a dispute in a state that this table does not know.
    """
    dispute = charge.dispute_status
    if dispute == "lost":
        return Standing.LOST
    if dispute in DISPUTE_OPEN:
        return Standing.DISPUTED
    if dispute is not None and dispute not in DISPUTE_HARMLESS:
        raise LookupError(f"charge {charge.id} has a dispute in the unknown state {dispute!r}")
    return Standing.REFUNDED if charge.is_refunded else Standing.GOOD


def spoiled_by(facts: SubscriptionFacts, charges: Iterable[ChargeFacts]) -> Standing | None:
    """What became of the money for the period that runs, where it is not ours: given back, lost or disputed.

    A dispute that is open suspends, whichever period it is about. Money given back or lost ends the period that it
    paid; the next one that is paid is paid.

    Raises:
        LookupError: see `standing`.
    """
    found = None
    for charge in charges:
        if charge.subscription_id != facts.id:
            continue
        what = standing(charge)
        if what is Standing.DISPUTED:
            return what
        runs = facts.current_period_end_at is None or (
            charge.period_end_at is not None and charge.period_end_at >= facts.current_period_end_at
        )
        if what is not Standing.GOOD and charge.period_end_at is not None and runs:
            found = what
    return found


def entitlements_due(
    mirror: Iterable[SubscriptionFacts],
    catalogue: Mapping[str, Scope],
    policy: Policy,
    now: datetime,
    charges: Iterable[ChargeFacts] = (),
) -> Entitled:
    """The union of what all subscriptions of one member give at `now`.

    `catalogue` maps every Price that ever bought a plan to what the plan covers. A Price that is not ours gives
    nothing and touches nothing; a status that we do not know keeps what was.
    """
    due: dict[tuple[str, UUID | None], Due] = {}
    keep: set[str] = set()
    doubts: list[str] = []
    taken = tuple(charges)
    for facts in mirror:
        try:
            until = paid_until(facts, policy)
            spoiled = until is not None and spoiled_by(facts, taken) is not None
        except LookupError as gap:
            keep.add(facts.id)
            doubts.append(str(gap.args[0]))
            continue
        unknown = [price for price in facts.price_ids if price not in catalogue]
        if unknown and not facts.is_over:
            doubts.append(f"subscription {facts.id} has prices that no plan knows: {', '.join(unknown)}")
        if until is None or until <= now or spoiled:
            continue
        for price in facts.price_ids:
            for course in catalogue.get(price, ()):
                # A clock that lags behind Stripe's must not make a right begin in the future.
                due[facts.id, course] = Due(facts.id, course, min(facts.started_at, now), until)
    return Entitled(tuple(due.values()), frozenset(keep), tuple(doubts))


def purchases_due(
    purchases: Iterable[PurchaseFacts],
    charges: Iterable[ChargeFacts],
    catalogue: Mapping[str, Scope],
    now: datetime,
) -> Entitled:
    """What things paid once give their buyer, for good or for their months, as long as the money is ours.

    Gifts give their buyer nothing. `unpaid` waits for a delayed payment and gives nothing yet; `no_payment_required`
    (a code for all of it) gives as much as `paid`.
    """
    due: list[Due] = []
    keep: set[str] = set()
    doubts: list[str] = []
    by_intent: dict[str | None, list[ChargeFacts]] = {}
    for charge in charges:
        by_intent.setdefault(charge.payment_intent_id, []).append(charge)
    until: dict[UUID | None, datetime] = {}
    for facts in sorted(purchases, key=lambda one: one.bought_at):
        if facts.doubt is not None:
            doubts.append(facts.doubt)
            continue
        if facts.gift_id is not None:
            continue
        if facts.payment_status not in ("paid", "no_payment_required"):
            if facts.payment_status != "unpaid":
                keep.add(facts.id)
                doubts.append(f"checkout {facts.id} has the unknown payment status {facts.payment_status!r}")
            continue
        mine = by_intent.get(facts.payment_intent_id, []) if facts.payment_intent_id is not None else []
        try:
            is_ours = all(standing(charge) is Standing.GOOD for charge in mine)
        except LookupError as gap:
            keep.add(facts.id)
            doubts.append(str(gap.args[0]))
            continue
        if is_ours and facts.price_id is not None:
            for course in catalogue.get(facts.price_id, ()):
                ends_at = None
                if facts.lasts_months is not None:
                    # What is bought again is added to what is left.
                    begins = max(facts.bought_at, until.get(course, facts.bought_at))
                    ends_at = until[course] = months_after(begins, facts.lasts_months)
                    if ends_at <= now:
                        continue
                due.append(Due(facts.id, course, min(facts.bought_at, now), ends_at))
    return Entitled(tuple(due), frozenset(keep), tuple(doubts))


def months_after(moment: datetime, months: int) -> datetime:
    """So many months later by the calendar (UTC); 31 January and a month is the end of February."""
    years, month = divmod(moment.month - 1 + months, 12)
    year = moment.year + years
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def covers_all_of(scope: Scope, wanted: Scope) -> bool:
    """Whether who has `scope` has all that is in `wanted`."""
    return None in scope or set(wanted) <= set(scope)


def paid_twice(mirror: Iterable[SubscriptionFacts], catalogue: Mapping[str, Scope]) -> tuple[str, ...]:
    """Where a member pays for something that an older subscription of theirs pays for already, in words.

    It cannot be bought here; made in Stripe, or taken over from there, it can.
    """
    running: list[tuple[SubscriptionFacts, Scope]] = []
    found = []
    for facts in sorted(mirror, key=lambda one: (one.started_at, one.id)):
        scope = tuple(course for price in facts.price_ids for course in catalogue.get(price, ()))
        charged = facts.status in ("active", "trialing", "past_due") and facts.pause_behavior is None
        if not scope or not charged or facts.stops_at is not None:
            continue
        older = next((one for one, theirs in running if covers_all_of(theirs, scope)), None)
        if older is not None:
            found.append(f"subscriptions {older.id} and {facts.id} pay for the same: cancel one in Stripe")
        running.append((facts, scope))
    return tuple(found)


def covering(
    mirror: Iterable[SubscriptionFacts], catalogue: Mapping[str, Scope], wanted: Scope
) -> SubscriptionFacts | None:
    """A subscription that is not over and already pays for all of this, whatever its state; else None.

    An unfinished first payment (`incomplete`) does not count: it ends by itself and must not block a new try.
    """
    for facts in mirror:
        if facts.is_over or facts.status == "incomplete":
            continue
        scope = tuple(course for price in facts.price_ids for course in catalogue.get(price, ()))
        if scope and covers_all_of(scope, wanted):
            return facts
    return None
