"""Which article a member's sign-up, trial and payments are counted for, as tables."""

from datetime import UTC, datetime, timedelta

import pytest

from app.earning.rules import Earned, Paid, Person, credited, earned

END = datetime(2026, 3, 29, tzinfo=UTC)
BEGIN = END - timedelta(days=28)
BEFORE, IN, LATER = BEGIN - timedelta(days=1), BEGIN + timedelta(days=1), BEGIN + timedelta(days=9)


@pytest.mark.parametrize(
    ("came_from", "bought_from", "article"),
    [
        ("", (), ""),
        ("hips", (), "hips"),
        ("hips", ("knees",), "knees"),  # what they read last before they bought
        ("hips", ("",), "hips"),
        ("", ("", "knees", "feet"), "knees"),  # the first time, not the last
    ],
)
def test_the_article_from_which_they_first_came_to_buy_gets_the_credit(
    came_from: str, bought_from: tuple[str, ...], article: str
) -> None:
    assert credited(Person(BEFORE, came_from, bought_from)) == article


@pytest.mark.parametrize(
    ("person", "found"),
    [
        (Person(IN), {}),
        (Person(BEFORE, "hips"), {}),
        (Person(IN, "hips"), {"hips": Earned(sign_ups=1)}),
        (Person(BEGIN, "hips"), {"hips": Earned(sign_ups=1)}),
        (Person(END, "hips"), {}),
        (Person(IN, "hips", ("knees",), IN), {"hips": Earned(sign_ups=1), "knees": Earned(trials=1)}),
        (Person(BEFORE, "hips", trial_at=BEFORE), {}),
        # Paid now, joined long ago: the money came in now, and the first payment is this one.
        (
            Person(BEFORE, "hips", payments=(Paid(LATER, 1900, "usd"),)),
            {"hips": Earned(first_payments=1, money={"usd": 1900})},
        ),
        # A renewal is money, and no first payment.
        (
            Person(BEFORE, "hips", payments=(Paid(IN, 1900, "usd"), Paid(BEFORE, 1900, "usd"))),
            {"hips": Earned(money={"usd": 1900})},
        ),
        (
            Person(BEFORE, "hips", payments=(Paid(IN, 1900, "usd"), Paid(LATER, 500, "eur"))),
            {"hips": Earned(first_payments=1, money={"usd": 1900, "eur": 500})},
        ),
        # All of it was given back: nobody paid. The next one is the first.
        (
            Person(BEFORE, "hips", payments=(Paid(BEFORE, 0, "usd"), Paid(IN, 1900, "usd"))),
            {"hips": Earned(first_payments=1, money={"usd": 1900})},
        ),
        (Person(BEFORE, "", ("",), IN, (Paid(IN, 1900, "usd"),)), {}),
    ],
)
def test_what_is_counted_in_a_time(person: Person, found: dict[str, Earned]) -> None:
    assert earned([person], BEGIN, END) == found


def test_people_add_up() -> None:
    people = [Person(IN, "hips", payments=(Paid(IN, cents, "usd"),)) for cents in (1900, 19000)]
    assert earned(people, BEGIN, END) == {"hips": Earned(sign_ups=2, first_payments=2, money={"usd": 20900})}
