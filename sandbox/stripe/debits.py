"""Bank debits: methods whose money takes days to come, and which test accounts never pay.

Source: https://docs.stripe.com/payments/sepa-debit and https://docs.stripe.com/payments/ach-direct-debit, both
under "Test your integration"
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from sandbox.stripe.card_table import Decline
from sandbox.stripe.errors import StripeFault

Json = dict[str, Any]

SEPA, ACH = "sepa_debit", "us_bank_account"
KINDS = (SEPA, ACH)
DAY_S = 86400
_SOON_S, _MINUTES_S, _DAYS_S = 1, 180, 4 * DAY_S

REFUSED = Decline("charge_exceeds_source_limit", None, "The bank refused the debit.")
_NO_FUNDS = Decline("insufficient_funds", "insufficient_funds", "The bank account has insufficient funds.")
_CLOSED = Decline("account_closed", None, "The bank account has been closed.")
_NOT_ALLOWED = Decline("debit_not_authorized", None, "The customer has not authorized this debit.")


@dataclass(frozen=True)
class Debit:
    """What becomes of a debit of this account: the decline (None: it pays), and after how many seconds."""

    kind: str
    account: str
    decline: Decline | None
    after_s: int


_ACCOUNTS = {
    one.account: one
    for one in (
        Debit(SEPA, "AT611904300234573201", None, _SOON_S),
        Debit(SEPA, "AT321904300235473204", None, _MINUTES_S),
        Debit(SEPA, "AT861904300235473202", REFUSED, _SOON_S),
        Debit(SEPA, "AT981904300000343205", REFUSED, _MINUTES_S),
        # The account of the official CLI's script for a payment that fails.
        Debit(SEPA, "IT60X0542811101000000123456", REFUSED, _SOON_S),
        Debit(ACH, "000123456789", None, _DAYS_S),
        Debit(ACH, "000111111116", _CLOSED, _DAYS_S),
        Debit(ACH, "000222222227", _NO_FUNDS, _DAYS_S),
        Debit(ACH, "000333333335", _NOT_ALLOWED, _DAYS_S),
    )
}
PAYING = {SEPA: "AT321904300235473204", ACH: "000123456789"}
FAILING = {SEPA: "AT981904300000343205", ACH: "000222222227"}
TOKENS = {
    "pm_usBankAccount_success": "000123456789",
    "pm_usBankAccount_accountClosed": "000111111116",
    "pm_usBankAccount_insufficientFunds": "000222222227",
    "pm_usBankAccount_debitNotAuthorized": "000333333335",
}


def find_debit(account: str, kind: str) -> Debit:
    """The test account of this number or IBAN.

    Raises:
        StripeFault: for one that Stripe does not publish.
    """
    found = _ACCOUNTS.get(account.replace(" ", "").upper())
    if found is None or found.kind != kind:
        raise StripeFault(f"{account} is not one of the test accounts.", code="account_number_invalid")
    return found


def kept_debit(account: str) -> Debit:
    """The account behind a payment method that was made here."""
    return _ACCOUNTS[account]


def debit_body(debit: Debit) -> Json:
    """The part of a payment method that tells its account."""
    mark = hashlib.sha256(debit.account.encode()).hexdigest()[:16]
    last4 = debit.account[-4:]
    if debit.kind == SEPA:
        return {
            "bank_code": debit.account[4:9],
            "branch_code": "",
            "country": debit.account[:2],
            "fingerprint": mark,
            "generated_from": {"charge": None, "setup_attempt": None},
            "last4": last4,
        }
    return {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": mark,
        "last4": last4,
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": "110000000",
        "status_details": {},
    }


def charge_details(method: Json) -> Json:
    """The part of a charge that tells the account."""
    kind = method["type"]
    hidden = ("generated_from", "financial_connections_account", "networks", "status_details")
    told = {name: value for name, value in method[kind].items() if name not in hidden}
    if kind == SEPA:
        return {"type": kind, kind: {**told, "mandate": None}}
    return {"type": kind, kind: {**told, "payment_reference": None}}
