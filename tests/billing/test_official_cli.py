"""What Stripe's own CLI causes at the stand-in, our inbox accepts as Stripe's."""

import json
from pathlib import Path

import pytest

from sandbox.stripe.deliveries import sign
from tests.billing.till import SECRET, Till
from tests.sandbox.official import IS_THERE, trigger

pytestmark = pytest.mark.skipif(not IS_THERE, reason="Stripe's CLI is locked for Linux on x64 only")


@pytest.mark.parametrize(
    "script", ["checkout.session.completed", "customer.subscription.deleted", "charge.refunded"]
)
async def test_every_event_of_an_official_script_is_accepted_by_our_inbox(
    till: Till, tmp_path: Path, script: str
) -> None:
    status, words = trigger(script, till.stand.url, tmp_path)
    assert status == 0, words
    events = till.stand.events()
    assert script in [one["type"] for one in events]
    for event in events:
        raw = json.dumps(event, indent=2).encode()
        signed = {"Stripe-Signature": sign(raw, SECRET, event["created"]), "Content-Type": "application/json"}
        answer = await till.client.post("/webhooks/stripe", content=raw, headers=signed)
        assert answer.status_code == 200, event["type"]
        assert answer.json()["state"] in ("received", "ignored")
