"""Tax rates that calls name, and the tax settings that several kinds of calls take.

Source: https://docs.stripe.com/api/tax_rates
"""

import copy
from typing import Any

from sandbox.stripe.api import Call, Operation
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.events import emit, save_and_emit
from sandbox.stripe.lists import answer_list
from sandbox.stripe.params import Params
from sandbox.stripe.taxes import new_rate
from sandbox.stripe.world import World

Json = dict[str, Any]

_WORDS = ("country", "state", "jurisdiction", "description", "tax_type")


def create(call: Call) -> Json:
    """POST /v1/tax_rates"""
    params = call.params
    percent = float(params.need_str("percentage"))
    if not 0 <= percent <= 100:
        raise StripeFault("`percentage` must lie between 0 and 100.", param="percentage")
    row = new_rate(
        call.world,
        name=params.need_str("display_name"),
        percent=percent,
        inclusive=bool(params.take_bool("inclusive", False)),
        active=bool(params.take_bool("active", True)),
        metadata=params.merge_metadata(),
        **{name: params.take_str(name) for name in _WORDS},
    )
    emit(call.world, "tax_rate.created", row.body)
    return row.body


def retrieve(call: Call) -> Json:
    """GET /v1/tax_rates/{tax_rate}"""
    return call.world.store.need("tax_rate", call.path["tax_rate"]).body


def update(call: Call) -> Json:
    """POST /v1/tax_rates/{tax_rate}: a percentage never changes."""
    row, params = call.world.store.need("tax_rate", call.path["tax_rate"]), call.params
    before = copy.deepcopy(row.body)
    row.body["active"] = params.take_bool("active", row.body["active"])
    row.body["display_name"] = params.take_str("display_name", row.body["display_name"])
    for name in _WORDS:
        row.body[name] = params.take_str(name, row.body[name])
    row.body["metadata"] = params.merge_metadata(row.body["metadata"])
    save_and_emit(call.world, "tax_rate.updated", before, row)
    return row.body


def list_all(call: Call) -> Json:
    """GET /v1/tax_rates"""
    where: Json = {}
    for name in ("active", "inclusive"):
        if (value := call.params.take_bool(name)) is not None:
            where[name] = value
    return answer_list(call, "tax_rate", "/v1/tax_rates", where)


def take_tax(world: World, params: Params, more: Json) -> Json:
    """The `automatic_tax` and `default_tax_rates` that a call sets, as the object shows them; `more` are the
    further fields of its `automatic_tax`."""
    taken: Json = {}
    automatic = params.take_hash("automatic_tax")
    if automatic is not None:
        automatic.ignore("liability")
        enabled = bool(automatic.take_bool("enabled", False))
        taken["automatic_tax"] = {"disabled_reason": None, "enabled": enabled, **more}
        if enabled:
            taken["automatic_tax"]["liability"] = {"type": "self"}
    if "default_tax_rates" in params:
        taken["default_tax_rates"] = [
            world.reference("tax_rate", one, "default_tax_rates").body
            for one in params.take_list("default_tax_rates")
        ]
    return taken


OPERATIONS: list[Operation] = [
    ("POST", "/v1/tax_rates", create),
    ("GET", "/v1/tax_rates", list_all),
    ("GET", "/v1/tax_rates/{tax_rate}", retrieve),
    ("POST", "/v1/tax_rates/{tax_rate}", update),
]
