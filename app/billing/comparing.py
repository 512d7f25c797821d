"""Where our mirror and our rights differ from what Stripe says about one customer, in words. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.access.due import Held, Step, steps
from app.billing.mirror import ChargeFacts, PurchaseFacts, SubscriptionFacts
from app.billing.rules import Policy, Scope, entitlements_due, purchases_due


@dataclass(frozen=True)
class Facts:
    """Everything about one customer's money, as one side tells it."""

    subscriptions: tuple[SubscriptionFacts, ...] = ()
    purchases: tuple[PurchaseFacts, ...] = ()
    charges: tuple[ChargeFacts, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.subscriptions or self.purchases or self.charges)


@dataclass(frozen=True)
class Rights:
    """What one member holds from payments. `elsewhere`: purchases that another customer of theirs made."""

    subscription: tuple[Held, ...] = ()
    purchase: tuple[Held, ...] = ()
    elsewhere: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Difference:
    """One customer with whom something is not as Stripe says. `takes`: rights that putting it right would end."""

    customer_id: str
    who: str
    words: tuple[str, ...]
    gives: int = 0
    takes: int = 0


def compare(
    customer_id: str,
    who: str,
    stripe: Facts,
    ours: Facts,
    rights: Rights,
    catalogue: Mapping[str, Scope],
    policy: Policy,
    now: datetime,
) -> Difference | None:
    """None when all is as it should be."""
    words = [*_mirror_words(stripe, ours)]
    paid = entitlements_due(stripe.subscriptions, catalogue, policy, now, stripe.charges)
    bought = purchases_due(stripe.purchases, stripe.charges, catalogue, now)
    changes = [
        *steps(rights.subscription, paid.due, now, paid.keep),
        *steps(rights.purchase, bought.due, now, bought.keep | rights.elsewhere),
    ]
    words += [_right_words(step) for step in changes]
    if not words:
        return None
    takes = sum(step.takes_away for step in changes)
    return Difference(customer_id, who, tuple(words), len(changes) - takes, takes)


def _mirror_words(stripe: Facts, ours: Facts) -> Iterable[str]:
    mine = {one.id: one for one in ours.subscriptions}
    for told in stripe.subscriptions:
        known = mine.pop(told.id, None)
        if known is None:
            yield f"subscription {told.id} ({told.status}) is not here yet"
        elif known.status != told.status:
            yield f"subscription {told.id} is {told.status} at Stripe, {known.status} here"
        elif known != told:
            yield f"subscription {told.id} has changed at Stripe"
    yield from (f"subscription {gone} is gone from Stripe" for gone in sorted(mine))
    yield from _changed("purchase", stripe.purchases, ours.purchases)
    charges = {one.id: one for one in ours.charges}
    for charge in stripe.charges:
        before = charges.get(charge.id)
        if before is None:
            yield f"charge {charge.id} is not here yet"
        elif before.refunded_cents != charge.refunded_cents:
            yield (
                f"of charge {charge.id} {charge.refunded_cents} {charge.currency} were given back, "
                f"{before.refunded_cents} here"
            )
        elif before.dispute_status != charge.dispute_status:
            yield f"charge {charge.id}: the dispute is {charge.dispute_status} at Stripe, {before.dispute_status} here"


def _changed(kind: str, told: Sequence[PurchaseFacts], known: Sequence[PurchaseFacts]) -> Iterable[str]:
    mine = {one.id: one for one in known}
    for one in told:
        before = mine.get(one.id)
        if before is None:
            yield f"{kind} {one.id} ({one.payment_status}) is not here yet"
        elif before.payment_status != one.payment_status:
            yield f"{kind} {one.id} is {one.payment_status} at Stripe, {before.payment_status} here"
        elif before != one:
            yield f"{kind} {one.id} has changed at Stripe"


def _right_words(step: Step) -> str:
    what = "every course" if step.course_id is None else f"course {step.course_id}"
    if step.due is None:
        return f"the right to {what} from {step.source_id} must end"
    until = "without an end" if step.due.ends_at is None else f"until {step.due.ends_at:%Y-%m-%d %H:%M} UTC"
    verb = {"given": "is missing", "restored": "was taken and is due"}.get(
        step.change, "ends at another time"
    )
    return f"the right to {what} from {step.source_id} {verb}: due {until}"


def most_taken(live: int) -> int:
    """How many of the live rights one run may end by itself: 2 %, and one in any case."""
    return max(1, live * 2 // 100)
