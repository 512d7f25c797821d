"""Amounts as people type them become whole numbers of the minor unit, or are refused."""

import pytest

from app.billing.amounts import CURRENCIES, read_amount, write_amount


@pytest.mark.parametrize(
    ("text", "currency", "cents"),
    [
        ("18", "usd", 1800),
        ("18.5", "usd", 1850),
        ("18,50", "eur", 1850),
        (" $1,200.00 ", "usd", 120_000),
        ("1.200,50", "eur", 120_050),
        ("1,200", "usd", 120_000),
        ("0.5", "usd", 50),
        ("0", "usd", 0),
        ("1900", "jpy", 1900),
        ("1,900", "jpy", 1900),
        ("19.00", "jpy", 19),
        ("19.50", "jpy", None),
        ("", "usd", None),
        ("free", "usd", None),
        ("-5", "usd", None),
        ("1e3", "usd", None),
        ("18.505.5", "usd", None),
        ("１８", "usd", None),
        ("9" * 30, "usd", None),
    ],
)
def test_an_amount_is_read_exactly_or_not_at_all(text: str, currency: str, cents: int | None) -> None:
    assert read_amount(text, currency) == cents


@pytest.mark.parametrize("currency", CURRENCIES)
@pytest.mark.parametrize("cents", [1, 50, 1800, 1850, 99_999_999])
def test_what_the_form_shows_is_read_back_as_the_same_amount(cents: int, currency: str) -> None:
    assert read_amount(write_amount(cents, currency), currency) == cents
