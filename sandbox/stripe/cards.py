"""Which card numbers exist, and what each of them does.

Source: https://docs.stripe.com/testing
"""

from dataclasses import dataclass
from typing import Any

from sandbox.stripe.errors import StripeFault

Json = dict[str, Any]


@dataclass(frozen=True)
class Decline:
    """Why a card says no: Stripe's codes and a sentence for its holder."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True)
class Card:
    """A test card. `at_once` declines everything, `later` only what happens without its holder."""

    number: str
    brand: str = "visa"
    at_once: Decline | None = None
    later: Decline | None = None
    funding: str = "credit"


_GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
_LOST = Decline("card_declined", "lost_card", "Your card was declined.")
_STOLEN = Decline("card_declined", "stolen_card", "Your card was declined.")
_EXPIRED = Decline("expired_card", None, "Your card has expired.")
_CVC = Decline("incorrect_cvc", None, "Your card's security code is incorrect.")
_PROCESSING = Decline(
    "processing_error", None, "An error occurred while processing your card. Try again in a little bit."
)
_FRAUD = Decline("card_declined", "fraudulent", "Your card was declined.")
_VELOCITY = Decline("card_declined", "card_velocity_exceeded", "Your card was declined.")

_CARDS = (
    Card("4242424242424242"),
    Card("4000056655665556", funding="debit"),
    Card("5555555555554444", "mastercard"),
    Card("378282246310005", "amex"),
    Card("6011111111111117", "discover"),
    Card("4000000000000002", at_once=_GENERIC),
    Card("4000000000009995", at_once=_FUNDS),
    Card("4000000000009987", at_once=_LOST),
    Card("4000000000009979", at_once=_STOLEN),
    Card("4000000000000069", at_once=_EXPIRED),
    Card("4000000000000127", at_once=_CVC),
    Card("4000000000000119", at_once=_PROCESSING),
    Card("4100000000000019", at_once=_FRAUD),
    Card("4000000000006975", at_once=_VELOCITY),
    # At Stripe this card declines every charge; here its holder can still pay the first time, so that
    # a failing renewal can be reached from the Checkout page.
    Card("4000000000000341", later=_GENERIC),
)
BY_NUMBER = {card.number: card for card in _CARDS}

# Payment methods and tokens that exist without being made.
TOKENS = {
    "visa": "4242424242424242",
    "visa_debit": "4000056655665556",
    # At Stripe its money is available at once; there is no balance here to tell the difference.
    "bypassPending": "4242424242424242",
    "mastercard": "5555555555554444",
    "amex": "378282246310005",
    "discover": "6011111111111117",
    "chargeDeclined": "4000000000000002",
    "visa_chargeDeclined": "4000000000000002",
    "chargeDeclinedInsufficientFunds": "4000000000009995",
    "visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "visa_chargeDeclinedLostCard": "4000000000009987",
    "visa_chargeDeclinedStolenCard": "4000000000009979",
    "chargeDeclinedExpiredCard": "4000000000000069",
    "chargeDeclinedIncorrectCvc": "4000000000000127",
    "chargeDeclinedProcessingError": "4000000000000119",
    "chargeCustomerFail": "4000000000000341",
}


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
