"""Which article earned what: whom a sign-up, a trial and a payment are counted for. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Paid:
    """What came in with one charge and stayed: what was given back is taken off. In the currency's minor unit."""

    at: datetime
    cents: int
    currency: str


@dataclass(frozen=True)
class Person:
    """One member, as far as it matters here. `bought_from`: the articles that checkouts which were not given up had
    come from, the first first; `came_from`: the one that the account had come from. "" is none."""

    joined_at: datetime
    came_from: str = ""
    bought_from: tuple[str, ...] = ()
    trial_at: datetime | None = None
    payments: tuple[Paid, ...] = ()


@dataclass
class Earned:
    """What one article earned in a time. `money`: currency → minor units."""

    sign_ups: int = 0
    trials: int = 0
    first_payments: int = 0
    money: dict[str, int] = field(default_factory=dict)


def credited(person: Person) -> str:
    """The article that a member's trial and payments are counted for, every later one too: the one that they came to
    the till from the first time they bought, or else the one that they had joined from."""
    return next(filter(None, person.bought_from), person.came_from)


def earned(people: Iterable[Person], begin: datetime, end: datetime) -> dict[str, Earned]:
    """By article, what happened from `begin` and before `end`: a payment counts when it came in."""
    found: dict[str, Earned] = {}

    def to(article: str) -> Earned:
        return found.setdefault(article, Earned())

    for person in people:
        if person.came_from and begin <= person.joined_at < end:
            to(person.came_from).sign_ups += 1
        article = credited(person)
        if not article:
            continue
        if person.trial_at is not None and begin <= person.trial_at < end:
            to(article).trials += 1
        kept = sorted((one for one in person.payments if one.cents > 0), key=lambda one: one.at)
        for n, payment in enumerate(kept):
            if begin <= payment.at < end:
                line = to(article)
                line.first_payments += n == 0
                line.money[payment.currency] = line.money.get(payment.currency, 0) + payment.cents
    return found
