"""What Stripe's facts entitle to: the access table as a pure function."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.access.due import Due
from app.billing.mirror import SubscriptionFacts

GIVES_NOTHING = frozenset({"incomplete", "incomplete_expired", "unpaid", "paused", "canceled"})
KNOWN_STATUSES = GIVES_NOTHING | {"trialing", "active", "past_due"}


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
    if facts.pause_behavior == "void":
        return None
    stops = facts.stops_at
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


def entitlements_due(
    mirror: Iterable[SubscriptionFacts], catalogue: Mapping[str, UUID | None], policy: Policy, now: datetime
) -> Entitled:
    """The union of what all subscriptions of one member give at `now`.

    `catalogue` maps every Price that ever bought a plan to the plan's course (None: every course). A Price that is
    not ours gives nothing and touches nothing; a status that we do not know keeps what was.
    """
    due: dict[tuple[str, UUID | None], Due] = {}
    keep: set[str] = set()
    doubts: list[str] = []
    for facts in mirror:
        try:
            until = paid_until(facts, policy)
        except LookupError as gap:
            keep.add(facts.id)
            doubts.append(str(gap.args[0]))
            continue
        unknown = [price for price in facts.price_ids if price not in catalogue]
        if unknown and not facts.is_over:
            doubts.append(f"subscription {facts.id} has prices that no plan knows: {', '.join(unknown)}")
        if until is None or until <= now:
            continue
        for price in facts.price_ids:
            if price in catalogue:
                course = catalogue[price]
                # A clock that lags behind Stripe's must not make a right begin in the future.
                due[facts.id, course] = Due(facts.id, course, min(facts.started_at, now), until)
    return Entitled(tuple(due.values()), frozenset(keep), tuple(doubts))


def covering(
    mirror: Iterable[SubscriptionFacts], catalogue: Mapping[str, UUID | None], course_id: UUID | None
) -> SubscriptionFacts | None:
    """A subscription that is not over and already pays for this scope, whatever its state; else None.

    An unfinished first payment (`incomplete`) does not count: it ends by itself and must not block a new try.
    """
    for facts in mirror:
        if facts.is_over or facts.status == "incomplete":
            continue
        scopes: Collection[UUID | None] = [
            catalogue[price] for price in facts.price_ids if price in catalogue
        ]
        if None in scopes or (course_id is not None and course_id in scopes):
            return facts
    return None
