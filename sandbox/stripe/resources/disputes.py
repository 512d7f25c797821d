"""Disputes, what they moved, and warnings of fraud.

Source: https://docs.stripe.com/api/disputes, /balance_transactions and /radar/early_fraud_warnings
"""

import copy
from typing import Any

from sandbox.stripe.api import Call, Operation
from sandbox.stripe.disputes import EVIDENCE_FIELDS, OPEN, decide, submit
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.events import save_and_emit
from sandbox.stripe.lists import answer_list
from sandbox.stripe.store import Row

Json = dict[str, Any]

_WARNING = "radar.early_fraud_warning"


def retrieve(call: Call) -> Json:
    """GET /v1/disputes/{dispute}"""
    return call.world.store.need("dispute", call.path["dispute"]).body


def list_all(call: Call) -> Json:
    """GET /v1/disputes"""
    return answer_list(call, "dispute", "/v1/disputes", _of(call))


def update(call: Call) -> Json:
    """POST /v1/disputes/{dispute}: evidence is sent to the bank at once, unless `submit` is false."""
    row, params = call.world.store.need("dispute", call.path["dispute"]), call.params
    world, before = call.world.of(row), copy.deepcopy(row.body)
    row.body["metadata"] = params.merge_metadata(row.body["metadata"])
    given = params.take_hash("evidence")
    wants = params.take_bool("submit", given is not None)
    if given is None and not wants:
        save_and_emit(world, "charge.dispute.updated", before, row)
        return row.body
    _refuse_settled(row)
    if given is not None:
        given.ignore("enhanced_evidence")
        for name in EVIDENCE_FIELDS:
            if name in given:
                row.body["evidence"][name] = given.take_str(name)
        row.body["evidence_details"]["has_evidence"] = True
    if wants:
        submit(world, row, before)
    else:
        save_and_emit(world, "charge.dispute.updated", before, row)
    return row.body


def close(call: Call) -> Json:
    """POST /v1/disputes/{dispute}/close: accept it."""
    row = call.world.store.need("dispute", call.path["dispute"])
    _refuse_settled(row)
    decide(call.world.of(row), row, "lost")
    return row.body


def retrieve_transaction(call: Call) -> Json:
    """GET /v1/balance_transactions/{id}"""
    return call.world.store.need("balance_transaction", call.path["id"]).body


def list_transactions(call: Call) -> Json:
    """GET /v1/balance_transactions"""
    where: Json = {}
    for name in ("source", "type", "currency"):
        if (value := call.params.take_str(name)) is not None:
            where[name] = value
    return answer_list(call, "balance_transaction", "/v1/balance_transactions", where)


def retrieve_warning(call: Call) -> Json:
    """GET /v1/radar/early_fraud_warnings/{early_fraud_warning}"""
    return call.world.store.need(_WARNING, call.path["early_fraud_warning"]).body


def list_warnings(call: Call) -> Json:
    """GET /v1/radar/early_fraud_warnings"""
    return answer_list(call, _WARNING, "/v1/radar/early_fraud_warnings", _of(call))


def _of(call: Call) -> Json:
    where: Json = {}
    for name in ("charge", "payment_intent"):
        if (value := call.params.take_str(name)) is not None:
            where[name] = value
    return where


def _refuse_settled(row: Row) -> None:
    if row.body["status"] not in OPEN:
        raise StripeFault("This dispute is already closed.", code="charge_disputed")


OPERATIONS: list[Operation] = [
    ("GET", "/v1/disputes", list_all),
    ("GET", "/v1/disputes/{dispute}", retrieve),
    ("POST", "/v1/disputes/{dispute}", update),
    ("POST", "/v1/disputes/{dispute}/close", close),
    ("GET", "/v1/balance_transactions", list_transactions),
    ("GET", "/v1/balance_transactions/{id}", retrieve_transaction),
    ("GET", "/v1/radar/early_fraud_warnings", list_warnings),
    ("GET", "/v1/radar/early_fraud_warnings/{early_fraud_warning}", retrieve_warning),
]
