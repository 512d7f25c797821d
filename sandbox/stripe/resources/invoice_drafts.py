"""Invoices made by hand: items that wait for one, the draft that takes them, and sending it.

Source: https://docs.stripe.com/api/invoiceitems and https://docs.stripe.com/api/invoices/create
"""

import copy
from typing import Any

from sandbox.stripe.api import Call, Operation
from sandbox.stripe.catalogue import price_from_data
from sandbox.stripe.discounts import attach_discount, take_discounts
from sandbox.stripe.errors import StripeFault, missing
from sandbox.stripe.events import emit, save_and_emit
from sandbox.stripe.invoice_bodies import line_item
from sandbox.stripe.invoicing import create_invoice, finalize
from sandbox.stripe.lists import answer_list
from sandbox.stripe.params import Params
from sandbox.stripe.reckoning import set_lines
from sandbox.stripe.resources.payment_methods import usable_method
from sandbox.stripe.resources.tax_rates import take_tax
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]

_DAY_S = 86400
_KIND = "invoiceitem"


def create_item(call: Call) -> Json:
    """POST /v1/invoiceitems: an amount, or a price and a quantity, for the next invoice or for a named draft."""
    params = call.params
    customer = call.world.customer(params.need_str("customer"))
    world = call.world.of(customer)
    body = _item(world, params, customer.id)
    params.ignore("discounts", "tax_rates", "tax_behavior", "tax_code", "quantity_decimal", "subscription")
    row = Row(_KIND, body, clock=world.clock)
    invoice_id = params.take_str("invoice")
    if invoice_id is not None:
        invoice = world.reference("invoice", invoice_id, "invoice")
        if invoice.body["status"] != "draft" or invoice.body["customer"] != customer.id:
            raise StripeFault(
                "An item can only be added to a draft invoice of the customer.", param="invoice"
            )
        before = copy.deepcopy(invoice.body)
        body["invoice"] = invoice.id
        set_lines(world, invoice, [*invoice.body["lines"]["data"], _line(invoice.id, body)])
        save_and_emit(world, "invoice.updated", before, invoice)
    world.store.put(row)
    emit(world, "invoiceitem.created", body)
    return body


def retrieve_item(call: Call) -> Json:
    """GET /v1/invoiceitems/{invoiceitem}"""
    return _living_item(call).body


def delete_item(call: Call) -> Json:
    """DELETE /v1/invoiceitems/{invoiceitem}: only while no finalized invoice has it."""
    row = _living_item(call)
    world = call.world.of(row)
    invoice = world.store.find("invoice", row.body["invoice"]) if row.body["invoice"] else None
    if invoice is not None:
        if invoice.body["status"] != "draft":
            raise StripeFault("This item belongs to an invoice that is finalized.")
        before = copy.deepcopy(invoice.body)
        set_lines(world, invoice, [one for one in invoice.body["lines"]["data"] if _item_of(one) != row.id])
        save_and_emit(world, "invoice.updated", before, invoice)
    row.deleted = True
    world.store.put(row)
    emit(world, "invoiceitem.deleted", row.body)
    return {"id": row.id, "object": _KIND, "deleted": True}


def list_items(call: Call) -> Json:
    """GET /v1/invoiceitems"""
    where: Json = {}
    for name in ("customer", "invoice"):
        if (value := call.params.take_str(name)) is not None:
            where[name] = value
    if call.params.take_bool("pending", False):
        where["invoice"] = None
    return answer_list(call, _KIND, "/v1/invoiceitems", where)


def create(call: Call) -> Json:
    """POST /v1/invoices: a draft, with the customer's waiting items if the call says so."""
    params = call.params
    customer = call.world.customer(params.need_str("customer"))
    world = call.world.of(customer)
    behavior = params.take_choice("pending_invoice_items_behavior", ("exclude", "include"), "exclude")
    items = world.store.select(_KIND, {"customer": customer.id, "invoice": None}, oldest_first=True)
    taken = items if behavior == "include" else []
    currency = params.take_str("currency") or (taken[0].body["currency"] if taken else "usd")
    invoice_id = new_id("in")
    for item in taken:
        item.body["invoice"] = invoice_id
        world.store.put(item)
    method_id = params.take_str("default_payment_method")
    method = usable_method(world, method_id, "default_payment_method") if method_id else None
    collection, due = _terms(world, params)
    discounts = [
        attach_discount(world, one, customer=customer.id, invoice=invoice_id).id
        for one in take_discounts(world, params, customer.id)
    ]
    row = create_invoice(
        world,
        customer,
        lines=[_line(invoice_id, item.body) for item in taken],
        currency=currency.lower(),
        reason="manual",
        invoice_id=invoice_id,
        auto_advance=bool(params.take_bool("auto_advance", False)),
        description=params.take_str("description"),
        metadata=params.merge_metadata(),
        settings={
            "collection_method": collection,
            "due_date": due,
            "footer": params.take_str("footer"),
            "default_payment_method": method.id if method else None,
            "discounts": discounts,
            **take_tax(world, params, {"liability": None, "provider": None, "status": None}),
        },
    )
    params.ignore("custom_fields", "payment_settings", "statement_descriptor")
    return row.body


def delete(call: Call) -> Json:
    """DELETE /v1/invoices/{invoice}: drafts made by hand only; their items wait again."""
    row = call.world.store.need("invoice", call.path["invoice"])
    if row.deleted:
        raise missing("invoice", row.id)
    if row.body["status"] != "draft" or row.body["parent"]:
        raise StripeFault("You can only delete draft invoices that no subscription made.")
    world = call.world.of(row)
    for item in world.store.select(_KIND, {"invoice": row.id}):
        item.body["invoice"] = None
        world.store.put(item)
    row.deleted, row.due_at = True, None
    world.store.put(row)
    emit(world, "invoice.deleted", row.body)
    return {"id": row.id, "object": "invoice", "deleted": True}


def send(call: Call) -> Json:
    """POST /v1/invoices/{invoice}/send: nobody gets mail from here, but the event says it was sent."""
    row = call.world.store.need("invoice", call.path["invoice"])
    if row.deleted:
        raise missing("invoice", row.id)
    world = call.world.of(row)
    if row.body["status"] == "draft":
        finalize(world, row)
    if row.body["status"] != "open":
        raise StripeFault(f"You can't send an invoice that is {row.body['status']}.")
    emit(world, "invoice.sent", row.body)
    return row.body


def _terms(world: World, params: Params) -> tuple[str, int | None]:
    """How it is collected, and until when it is due, in Unix seconds."""
    methods = ("charge_automatically", "send_invoice")
    collection = params.take_choice("collection_method", methods, "charge_automatically") or ""
    due, days = params.take_int("due_date"), params.take_int("days_until_due")
    if collection == "charge_automatically":
        if due is not None or days is not None:
            raise StripeFault("Only invoices that are sent have a due date.", param="days_until_due")
        return collection, None
    return collection, due if due is not None else world.now + (days or 0) * _DAY_S


def _item(world: World, params: Params, customer_id: str) -> Json:
    quantity = params.take_int("quantity", 1) or 1
    pricing, data = params.take_hash("pricing"), params.take_hash("price_data")
    amount, currency, price = params.take_int("amount"), params.take_str("currency"), None
    if data is not None:
        price = price_from_data(world, data, active=False).body
    elif pricing is not None:
        price = world.reference("price", pricing.need_str("price"), pricing.full_name("price")).body
    if price is not None:
        amount, currency = price["unit_amount"] * quantity, price["currency"]
    if amount is None or currency is None:
        missing = "currency" if amount is not None else "amount"
        raise StripeFault(f"Missing required param: {missing}.", code="parameter_missing", param=missing)
    period = params.take_hash("period")
    start = (period.take_int("start") if period is not None else None) or world.now
    end = (period.take_int("end") if period is not None else None) or start
    return {
        "id": new_id("ii"),
        "object": _KIND,
        "amount": amount,
        "currency": currency.lower(),
        "customer": customer_id,
        "customer_account": None,
        "date": world.now,
        "description": params.take_str("description"),
        "discountable": bool(params.take_bool("discountable", True)),
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": params.merge_metadata(),
        "net_amount": amount,
        "parent": None,
        "period": {"end": end, "start": start},
        "pricing": _pricing(price, amount),
        "proration": False,
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "tax_rates": [],
        "test_clock": world.clock,
    }


def _pricing(price: Json | None, amount: int) -> Json:
    if price is None:
        return {"type": "price_details", "unit_amount_decimal": str(amount)}
    details = {"price": price["id"], "product": price["product"]}
    return {
        "price_details": details,
        "type": "price_details",
        "unit_amount_decimal": price["unit_amount_decimal"],
    }


def _line(invoice_id: str, item: Json) -> Json:
    parent = {
        "invoice_item_details": {
            "invoice_item": item["id"],
            "proration": False,
            "proration_details": {"credited_items": None},
            "subscription": None,
        },
        "subscription_item_details": None,
        "type": "invoice_item_details",
    }
    line = line_item(
        invoice_id,
        amount=item["amount"],
        currency=item["currency"],
        description=item["description"] or "",
        price=None,
        quantity=item["quantity"],
        period=(item["period"]["start"], item["period"]["end"]),
        parent=parent,
        metadata=item["metadata"],
    )
    return {**line, "pricing": item["pricing"]}


def _item_of(line: Json) -> str | None:
    details = line["parent"]["invoice_item_details"] if line["parent"] else None
    return details["invoice_item"] if details else None


def _living_item(call: Call) -> Row:
    row = call.world.store.need(_KIND, call.path["invoiceitem"])
    if row.deleted:
        raise missing("invoice item", row.id)
    return row


OPERATIONS: list[Operation] = [
    ("POST", "/v1/invoiceitems", create_item),
    ("GET", "/v1/invoiceitems", list_items),
    ("GET", "/v1/invoiceitems/{invoiceitem}", retrieve_item),
    ("DELETE", "/v1/invoiceitems/{invoiceitem}", delete_item),
    ("POST", "/v1/invoices", create),
    ("DELETE", "/v1/invoices/{invoice}", delete),
    ("POST", "/v1/invoices/{invoice}/send", send),
]
