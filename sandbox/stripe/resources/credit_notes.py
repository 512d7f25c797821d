"""Credit notes.

Source: https://docs.stripe.com/api/credit_notes
"""

import copy
from typing import Any

from sandbox.stripe.api import Call, Operation
from sandbox.stripe.credit_notes import issue, note_line, void
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.events import save_and_emit
from sandbox.stripe.lists import answer_list
from sandbox.stripe.params import Params
from sandbox.stripe.store import Row

Json = dict[str, Any]

_REASONS = ("duplicate", "fraudulent", "order_change", "product_unsatisfactory")


def create(call: Call) -> Json:
    """POST /v1/credit_notes"""
    params = call.params
    invoice = call.world.reference("invoice", params.need_str("invoice"), "invoice")
    if invoice.body["status"] not in ("open", "paid"):
        raise StripeFault("You can only credit an invoice that is open or paid.", param="invoice")
    lines = [_line(invoice, one) for one in params.take_hashes("lines")]
    amount = params.take_int("amount") or sum(one["amount"] for one in lines)
    if amount <= 0:
        raise StripeFault("A credit note needs lines or an amount.", code="parameter_missing", param="amount")
    if not lines:
        lines = [note_line(amount, "Credit", None, None)]
    row = issue(
        call.world.of(invoice),
        invoice,
        lines,
        amount=amount,
        refund_amount=params.take_int("refund_amount", 0) or 0,
        credit_amount=params.take_int("credit_amount", 0) or 0,
        reason=params.take_choice("reason", _REASONS),
        memo=params.take_str("memo"),
        metadata=params.merge_metadata(),
    )
    params.ignore("email_type", "effective_at")
    return row.body


def retrieve(call: Call) -> Json:
    """GET /v1/credit_notes/{id}"""
    return call.world.store.need("credit_note", call.path["id"]).body


def update(call: Call) -> Json:
    """POST /v1/credit_notes/{id}"""
    row = call.world.store.need("credit_note", call.path["id"])
    before = copy.deepcopy(row.body)
    row.body["memo"] = call.params.take_str("memo", row.body["memo"])
    row.body["metadata"] = call.params.merge_metadata(row.body["metadata"])
    save_and_emit(call.world.of(row), "credit_note.updated", before, row)
    return row.body


def void_one(call: Call) -> Json:
    """POST /v1/credit_notes/{id}/void"""
    row = call.world.store.need("credit_note", call.path["id"])
    void(call.world.of(row), row)
    return row.body


def list_all(call: Call) -> Json:
    """GET /v1/credit_notes"""
    where: Json = {}
    for name in ("customer", "invoice"):
        if (value := call.params.take_str(name)) is not None:
            where[name] = value
    return answer_list(call, "credit_note", "/v1/credit_notes", where)


def _line(invoice: Row, params: Params) -> Json:
    params.ignore("tax_rates", "tax_amounts", "metadata", "unit_amount_decimal")
    quantity, unit = params.take_int("quantity", 1) or 1, params.take_int("unit_amount")
    if params.take_choice("type", ("custom_line_item", "invoice_line_item")) == "custom_line_item":
        if unit is None:
            full = params.full_name("unit_amount")
            raise StripeFault(f"Missing required param: {full}.", code="parameter_missing", param=full)
        return note_line(unit * quantity, params.take_str("description"), quantity, None)
    wanted = params.need_str("invoice_line_item")
    found = next((one for one in invoice.body["lines"]["data"] if one["id"] == wanted), None)
    if found is None:
        raise StripeFault(f"No such invoice line item: '{wanted}'", code="resource_missing")
    amount = params.take_int("amount") or (unit * quantity if unit is not None else found["amount"])
    return note_line(amount, params.take_str("description", found["description"]), quantity, wanted)


OPERATIONS: list[Operation] = [
    ("POST", "/v1/credit_notes", create),
    ("GET", "/v1/credit_notes", list_all),
    ("GET", "/v1/credit_notes/{id}", retrieve),
    ("POST", "/v1/credit_notes/{id}", update),
    ("POST", "/v1/credit_notes/{id}/void", void_one),
]
