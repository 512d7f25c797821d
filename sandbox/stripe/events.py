"""Write down what happened, and who is to be told.

Source: https://docs.stripe.com/api/events
"""

import copy
import time
from typing import Any

from sandbox.stripe import API_VERSION
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]


def emit(world: World, event_type: str, body: Json, previous: Json | None = None) -> Json:
    """Record an event with a snapshot of the object, and one delivery for each endpoint that asked for it."""
    endpoints = [one for one in world.store.select("webhook_endpoint") if _wants(one.body, event_type)]
    data: Json = {"object": copy.deepcopy(body)}
    if previous is not None:
        data["previous_attributes"] = previous
    event: Json = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": world.now,
        "data": data,
        "livemode": False,
        "pending_webhooks": len(endpoints),
        "request": {"id": world.request_id, "idempotency_key": world.idempotency_key},
        "type": event_type,
    }
    world.store.put(Row("event", event, clock=world.clock))
    for endpoint in endpoints:
        # Deliveries go by real time: a receiver checks the age of the signature against its own clock.
        world.store.connection.execute(
            "INSERT INTO deliveries (event, endpoint, next_at) VALUES (?, ?, ?)",
            (event["id"], endpoint.id, time.time()),
        )
    return event


def save_and_emit(world: World, event_type: str, before: Json, row: Row) -> bool:
    """Store a changed object and, if it did change, emit the event with what its fields were before."""
    world.store.put(row)
    previous = differences(before, row.body)
    if not previous:
        return False
    emit(world, event_type, row.body, previous)
    return True


def differences(before: Json, after: Json) -> Json:
    """Stripe's `previous_attributes`: the old value of each field that changed, hashes compared inside."""
    previous: Json = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict) and old.get("object") != "list":
            previous[key] = differences(old, new)
        else:
            previous[key] = copy.deepcopy(old)
    return previous


def _wants(endpoint: Json, event_type: str) -> bool:
    asked = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in asked or event_type in asked)
