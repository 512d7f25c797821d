"""Which mails about money time makes due, as a table over facts, and which are not true any more. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.billing.mirror import SubscriptionFacts
from app.billing.rules import Policy

FAILED, REMINDER, LAST_CALL = "payment_failed", "payment_reminder", "payment_last_call"
DUNNING = (FAILED, REMINDER, LAST_CALL)
# Stripe has given up trying, and was told to keep the subscription.
RESTS = "membership_rests"
TRIAL, CARD, PAUSE = "trial_ending", "card_expiring", "pause_ending"
RENEWAL_SOON, RENEWAL = "renewal_soon", "renewal_coming"

TRIAL_AHEAD = timedelta(days=3)
# A shorter trial's first mail, which names the day of the payment, is still fresh.
SHORTEST_TRIAL = timedelta(days=5)
PAUSE_AHEAD = timedelta(days=3)
CARD_AHEAD = timedelta(days=14)
RENEWAL_AHEAD = timedelta(days=30)
RENEWAL_SOON_AHEAD = timedelta(days=7)
LAST_CALL_AHEAD = timedelta(days=2)


@dataclass(frozen=True)
class CardFacts:
    """A card that pays; it is good until its month is over."""

    method_id: str
    brand: str
    last4: str
    exp_year: int
    exp_month: int

    @property
    def expires_at(self) -> datetime:
        year, month = divmod(self.exp_year * 12 + self.exp_month, 12)
        return datetime(year, month + 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Notice:
    """One mail. `cause` is its key; `instead_of`: keys of earlier mails that it makes pointless."""

    kind: str
    cause: str
    facts: SubscriptionFacts
    instead_of: tuple[str, ...] = ()


def due_notices(
    facts: SubscriptionFacts, card: CardFacts | None, policy: Policy, now: datetime, *, is_yearly: bool
) -> list[Notice]:
    """What should have been told about a subscription by now, whether or not it was."""
    found = [
        _dunning(facts, policy, now),
        _rests(facts),
        _trial(facts, now),
        _renewal(facts, now) if is_yearly else None,
        _pause(facts, now),
        _card(facts, card, now),
    ]
    return [one for one in found if one is not None]


def next_charge_at(facts: SubscriptionFacts) -> datetime | None:
    """When the card is charged next by plan; None: it is not, or it is being tried already."""
    if facts.stops_at is not None or facts.pause_behavior is not None:
        return None
    if facts.status == "trialing":
        return facts.trial_end_at
    return facts.current_period_end_at if facts.status == "active" else None


def wants_card_look(facts: SubscriptionFacts, looked_for: datetime | None, now: datetime) -> bool:
    """Whether the card should be looked at for the charge that comes."""
    charge_at = next_charge_at(facts)
    return charge_at is not None and charge_at - CARD_AHEAD <= now < charge_at and looked_for != charge_at


def still_true(kind: str, cause: str, facts: SubscriptionFacts | None) -> bool:
    """Whether a mail that was written tells the truth about the subscription as it is now.

    Raises:
        KeyError: for a kind that time does not make due.
    """
    if facts is None:
        return False
    if kind in DUNNING:
        # Of `unpaid` Stripe has given up, and it is not known any more since when.
        is_owed = facts.status == "past_due" and cause == _cause(kind, facts, facts.past_due_since_at)
        return is_owed or facts.status == "unpaid"
    return {
        RESTS: facts.status == "unpaid",
        TRIAL: facts.status == "trialing" and facts.stops_at is None,
        RENEWAL: next_charge_at(facts) is not None,
        RENEWAL_SOON: next_charge_at(facts) is not None,
        PAUSE: facts.pause_behavior is not None,
        CARD: next_charge_at(facts) is not None,
    }[kind]


# Mails that name what will be charged.
PRICED = frozenset({TRIAL, RENEWAL, RENEWAL_SOON, PAUSE, CARD})
TIMED = frozenset({*DUNNING, RESTS, TRIAL, RENEWAL, RENEWAL_SOON, PAUSE, CARD})


def _cause(kind: str, facts: SubscriptionFacts, moment: datetime | None) -> str:
    return f"{kind}:{facts.id}" + (f":{int(moment.timestamp())}" if moment else "")


def _dunning(facts: SubscriptionFacts, policy: Policy, now: datetime) -> Notice | None:
    """The latest of three: at the first decline, midway, shortly before access stops; after that none is new."""
    since, grace = facts.past_due_since_at, policy.past_due_grace
    if facts.status != "past_due" or since is None:
        return None
    stops = since + grace
    stage = 0
    if grace >= timedelta(days=4) and since + grace / 2 <= now < stops:
        stage = 1
    if grace >= timedelta(days=2) and stops - min(LAST_CALL_AHEAD, grace / 4) <= now < stops:
        stage = 2
    causes = tuple(_cause(kind, facts, since) for kind in DUNNING)
    return Notice(DUNNING[stage], causes[stage], facts, causes[:stage])


def _rests(facts: SubscriptionFacts) -> Notice | None:
    if facts.status != "unpaid":
        return None
    return Notice(RESTS, _cause(RESTS, facts, facts.current_period_end_at), facts)


def _trial(facts: SubscriptionFacts, now: datetime) -> Notice | None:
    ends = facts.trial_end_at
    if facts.status != "trialing" or facts.stops_at is not None or ends is None:
        return None
    length, ahead = ends - facts.started_at, TRIAL_AHEAD
    if facts.wants_card:
        # Without an answer it leads nowhere, so a short one is told of as well.
        ahead = min(ahead, length / 2)
    elif length < SHORTEST_TRIAL:
        return None
    if not ends - ahead <= now < ends:
        return None
    return Notice(TRIAL, _cause(TRIAL, facts, ends), facts)


def _renewal(facts: SubscriptionFacts, now: datetime) -> Notice | None:
    ends = next_charge_at(facts)
    if facts.status != "active" or ends is None or not ends - RENEWAL_AHEAD <= now < ends:
        return None
    first = _cause(RENEWAL, facts, ends)
    if now < ends - RENEWAL_SOON_AHEAD:
        return Notice(RENEWAL, first, facts)
    return Notice(RENEWAL_SOON, _cause(RENEWAL_SOON, facts, ends), facts, (first,))


def _pause(facts: SubscriptionFacts, now: datetime) -> Notice | None:
    ends = facts.resumes_at
    if facts.pause_behavior is None or facts.stops_at is not None or ends is None:
        return None
    return Notice(PAUSE, _cause(PAUSE, facts, ends), facts) if ends - PAUSE_AHEAD <= now < ends else None


def _card(facts: SubscriptionFacts, card: CardFacts | None, now: datetime) -> Notice | None:
    charge_at = next_charge_at(facts)
    if card is None or charge_at is None or not charge_at - CARD_AHEAD <= now < charge_at:
        return None
    if card.expires_at > charge_at:
        return None
    cause = f"{CARD}:{facts.id}:{card.method_id}:{card.exp_year}-{card.exp_month:02}"
    return Notice(CARD, cause, facts)


def card_of(cause: str) -> tuple[str, str] | None:
    """The subscription and the payment method that a notice of an expiring card is about; None for other causes."""
    kind, _colon, rest = cause.partition(":")
    parts = rest.split(":")
    return (parts[0], parts[1]) if kind == CARD and len(parts) == 3 else None
