"""The test cards that Stripe publishes, by number and by token, and what each of them does.

Source: https://docs.stripe.com/testing
"""

from dataclasses import dataclass

# When a card's holder must prove who they are.
NEVER, IF_NOT_SET_UP, ALWAYS = "never", "if_not_set_up", "always"


@dataclass(frozen=True)
class Decline:
    """Why a card says no: Stripe's codes and a sentence for its holder."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True)
class Card:
    """A test card. `at_once` declines everything, `later` only what happens without its holder, `proven` what
    its holder has authenticated. `dispute` is the reason why its holder will dispute the charge (or ask about
    it, if `inquiry`). `refund` is what becomes of money given back."""

    number: str
    brand: str = "visa"
    at_once: Decline | None = None
    later: Decline | None = None
    proven: Decline | None = None
    funding: str = "credit"
    authentication: str = NEVER
    dispute: str | None = None
    inquiry: bool = False
    fraud_warning: bool = False
    refund: str = "succeeded"


_GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
_LOST = Decline("card_declined", "lost_card", "Your card was declined.")
_STOLEN = Decline("card_declined", "stolen_card", "Your card was declined.")
EXPIRED = Decline("expired_card", None, "Your card has expired.")
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
    Card("4000000000000069", at_once=EXPIRED),
    Card("4000000000000127", at_once=_CVC),
    Card("4000000000000119", at_once=_PROCESSING),
    Card("4100000000000019", at_once=_FRAUD),
    Card("4000000000004954", at_once=_FRAUD),
    Card("4000000000006975", at_once=_VELOCITY),
    # At Stripe this card declines every charge; here its holder can still pay the first time, so that
    # a failing renewal can be reached from the Checkout page.
    Card("4000000000000341", later=_GENERIC),
    Card("4000002500003155", authentication=IF_NOT_SET_UP),
    Card("4000002760003184", authentication=ALWAYS),
    # Set up before, elsewhere: it needs its holder only when its holder is there to be asked.
    Card("4000003800000446"),
    Card("4000008260003178", authentication=ALWAYS, proven=_FUNDS),
    Card("4000000000003220", authentication=IF_NOT_SET_UP),
    Card("4000000000003063", authentication=IF_NOT_SET_UP),
    Card("4000008400001629", authentication=IF_NOT_SET_UP, proven=_GENERIC),
    Card("4000000000003055"),
    Card("4000000000000259", dispute="fraudulent"),
    Card("4000000000002685", dispute="product_not_received"),
    Card("4000000000001976", dispute="fraudulent", inquiry=True),
    Card("4000000000005423", fraud_warning=True),
    Card("4000000000007726", refund="pending"),
    Card("4000000000005126", refund="failed"),
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
    "chargeDeclinedFraudulent": "4100000000000019",
    "visa_chargeDeclinedFraudulent": "4100000000000019",
    "radarBlock": "4100000000000019",
    "visa_chargeDeclinedVelocityLimitExceeded": "4000000000006975",
    "authenticationRequiredOnSetup": "4000002500003155",
    "authenticationRequired": "4000002760003184",
    "authenticationRequiredSetupForOffSession": "4000003800000446",
    "authenticationRequiredChargeDeclinedInsufficientFunds": "4000008260003178",
    "threeDSecure2Required": "4000000000003220",
    "threeDSecureRequired": "4000000000003063",
    "threeDSecureRequiredChargeDeclined": "4000008400001629",
    "threeDSecureOptional": "4000000000003055",
    "createDispute": "4000000000000259",
    "createDisputeProductNotReceived": "4000000000002685",
    "createDisputeInquiry": "4000000000001976",
    "createIssuerFraudRecord": "4000000000005423",
    "pendingRefund": "4000000000007726",
    "refundFail": "4000000000005126",
}
