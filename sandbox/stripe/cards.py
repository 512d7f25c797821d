"""Which payment cards exist here, and how each of them says no.

Source: https://docs.stripe.com/testing
"""

from typing import Any

from sandbox.stripe.card_table import BY_NUMBER, TOKENS, Card, Decline
from sandbox.stripe.errors import StripeFault

Json = dict[str, Any]

# Not a refusal for good: the holder has to prove who they are first.
NEEDS_ACTION = Decline(
    "authentication_required",
    "authentication_required",
    "This payment requires additional user action before it can be completed successfully.",
)
# What the same need is when the holder is not there.
NOT_THERE = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
UNPROVEN = Decline(
    "payment_intent_authentication_failure",
    None,
    "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
)


def find_card(number: str) -> Card:
    """The card of this number, spaces and dashes ignored.

    Raises:
        StripeFault: 402, for a number that is none, or is not a test card.
    """
    digits = number.replace(" ", "").replace("-", "")
    if not digits.isdigit() or not 12 <= len(digits) <= 19 or not _luhn(digits):
        raise card_fault(Decline("incorrect_number", None, "Your card number is incorrect."))
    card = BY_NUMBER.get(digits)
    if card is None:
        sentence = "Your card was declined. Your request was in test mode, but used a non test card."
        raise card_fault(Decline("card_declined", "test_mode_live_card", sentence))
    return card


def token_card(token: str) -> Card | None:
    """The card behind `pm_card_visa`, `tok_visa` and their like."""
    for prefix in ("pm_card_", "tok_"):
        if token.startswith(prefix):
            number = TOKENS.get(token.removeprefix(prefix))
            return BY_NUMBER[number] if number else None
    return None


def decline_error(decline: Decline) -> Json:
    """The `last_payment_error` of a decline, without what was declined."""
    error: Json = {
        "code": decline.code,
        "doc_url": f"https://stripe.com/docs/error-codes/{decline.code.replace('_', '-')}",
        "message": decline.message,
        "type": "card_error",
    }
    if decline.decline_code is not None:
        error["decline_code"] = decline.decline_code
    return error


def card_fault(decline: Decline, extra: Json | None = None, keep: bool = False) -> StripeFault:
    """A decline as the API answers it: 402."""
    more = dict(extra or {})
    if decline.decline_code is not None:
        more["decline_code"] = decline.decline_code
    return StripeFault(
        decline.message, status=402, kind="card_error", code=decline.code, keep=keep, extra=more
    )


def _luhn(digits: str) -> bool:
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if index % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
