"""Webhook endpoints: who is told what.

Source: https://docs.stripe.com/api/webhook_endpoints
"""

from typing import Any

from sandbox.loopback import require_loopback_url
from sandbox.stripe import API_VERSION
from sandbox.stripe.api import Call, Operation
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.lists import answer_list
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]


def register(world: World, url: str, secret: str, events: tuple[str, ...] = ("*",)) -> Row:
    """Have an enabled endpoint at this address with this secret: the one that is there, or a new one."""
    require_loopback_url(url)
    for row in world.store.select("webhook_endpoint"):
        if row.body["url"] == url:
            row.body.update(status="enabled", enabled_events=list(events))
            row.private["secret"] = secret
            return world.store.put(row)
    return world.store.put(_new(world, url, secret, list(events)))


def create(call: Call) -> Json:
    """POST /v1/webhook_endpoints: the only answer that shows the secret."""
    params = call.params
    url = params.need_str("url")
    _check_url(url)
    version = params.take_str("api_version", API_VERSION)
    if version != API_VERSION:
        raise StripeFault(
            f"This stand-in sends events of API version {API_VERSION} only.", param="api_version"
        )
    events = params.take_list("enabled_events")
    if not events:
        raise StripeFault(
            "Missing required param: enabled_events.", code="parameter_missing", param="enabled_events"
        )
    row = _new(call.world, url, f"whsec_{new_id('x', 32)[2:]}", events)
    row.body["description"] = params.take_str("description")
    row.body["metadata"] = params.merge_metadata()
    params.ignore("connect")
    call.world.store.put(row)
    return {**row.body, "secret": row.private["secret"]}


def retrieve(call: Call) -> Json:
    """GET /v1/webhook_endpoints/{webhook_endpoint}"""
    return _living(call).body


def update(call: Call) -> Json:
    """POST /v1/webhook_endpoints/{webhook_endpoint}"""
    row, params = _living(call), call.params
    if (url := params.take_str("url")) is not None:
        _check_url(url)
        row.body["url"] = url
    if "enabled_events" in params:
        row.body["enabled_events"] = params.take_list("enabled_events")
    if (disabled := params.take_bool("disabled")) is not None:
        row.body["status"] = "disabled" if disabled else "enabled"
    row.body["description"] = params.take_str("description", row.body["description"])
    row.body["metadata"] = params.merge_metadata(row.body["metadata"])
    return call.world.store.put(row).body


def delete(call: Call) -> Json:
    """DELETE /v1/webhook_endpoints/{webhook_endpoint}"""
    row = _living(call)
    row.deleted = True
    call.world.store.put(row)
    return {"id": row.id, "object": "webhook_endpoint", "deleted": True}


def list_all(call: Call) -> Json:
    """GET /v1/webhook_endpoints"""
    return answer_list(call, "webhook_endpoint", "/v1/webhook_endpoints", {}, created=False)


def _check_url(url: str) -> None:
    try:
        require_loopback_url(url)
    except ValueError as error:
        raise StripeFault(f"Invalid URL: {error}", code="url_invalid", param="url") from None


def _living(call: Call) -> Row:
    row = call.world.store.need("webhook_endpoint", call.path["webhook_endpoint"])
    if row.deleted:
        raise StripeFault(
            f"No such webhook endpoint: '{row.id}'", status=404, code="resource_missing", param="id"
        )
    return row


def _new(world: World, url: str, secret: str, events: list[str]) -> Row:
    body: Json = {
        "id": new_id("we"),
        "object": "webhook_endpoint",
        "api_version": API_VERSION,
        "application": None,
        "created": world.now,
        "description": None,
        "enabled_events": events,
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
    }
    return Row("webhook_endpoint", body, {"secret": secret})


OPERATIONS: list[Operation] = [
    ("POST", "/v1/webhook_endpoints", create),
    ("GET", "/v1/webhook_endpoints", list_all),
    ("GET", "/v1/webhook_endpoints/{webhook_endpoint}", retrieve),
    ("POST", "/v1/webhook_endpoints/{webhook_endpoint}", update),
    ("DELETE", "/v1/webhook_endpoints/{webhook_endpoint}", delete),
]
