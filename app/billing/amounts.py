"""Amounts as people type them, and as Stripe counts them: integers in the currency's minor unit. Pure."""

import re

from app.templating import ZERO_DECIMAL

# What the studio offers. Stripe knows more; those with three decimals would need another way to count.
CURRENCIES = (
    "usd",
    "eur",
    "gbp",
    "cad",
    "aud",
    "nzd",
    "chf",
    "sek",
    "nok",
    "dkk",
    "jpy",
    "brl",
    "mxn",
    "sgd",
)

_WRITTEN = (
    r"(\d{1,9})(?:[.,](\d{1,2}))?",
    r"(\d{1,3}(?:,\d{3}){1,2})(?:\.(\d{1,2}))?",
    r"(\d{1,3}(?:\.\d{3}){1,2})(?:,(\d{1,2}))?",
)


def read_amount(text: str, currency: str) -> int | None:
    """`18`, `18.50`, `18,50` or `$1,200.00` in the currency's minor unit; None for what is no amount.

    A comma or point followed by exactly three digits groups thousands; nobody sells for a tenth of a cent.
    """
    plain = re.sub(r"[\s$€£¥]", "", text)
    found = next(filter(None, (re.fullmatch(one, plain, re.ASCII) for one in _WRITTEN)), None)
    if found is None:
        return None
    units, parts = int(re.sub(r"[.,]", "", found[1])), found[2]
    if currency in ZERO_DECIMAL:
        return units if not parts or not int(parts) else None
    return units * 100 + (int(parts.ljust(2, "0")) if parts else 0)


def write_amount(amount_cents: int, currency: str) -> str:
    """The same amount as a form shows it: `18` or `18.50`."""
    if currency in ZERO_DECIMAL:
        return str(amount_cents)
    units, cents = divmod(amount_cents, 100)
    return f"{units}.{cents:02}" if cents else str(units)
