"""Deliver events as signed webhooks, again and again until they are taken or given up.

Source: https://docs.stripe.com/webhooks#retries and https://docs.stripe.com/webhooks#verify-manually
"""

import asyncio
import hashlib
import hmac
import json
import logging
import time
from dataclasses import dataclass

import httpx

from sandbox.stripe.store import Store

# Stripe itself retries for three days; a demo is over by then, so the first tries come sooner.
RETRY_DELAYS_S = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 3600.0, 3600.0)
TIMEOUT_S = 20.0
_AT_ONCE = 8
_POLL_S = 0.5

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Due:
    seq: int
    attempts: int
    url: str
    secret: str
    payload: bytes


def sign(payload: bytes, secret: str, timestamp: int) -> str:
    """The `Stripe-Signature` header of these exact bytes."""
    mac = hmac.new(secret.encode(), f"{timestamp}.".encode() + payload, hashlib.sha256)
    return f"t={timestamp},v1={mac.hexdigest()}"


class Deliverer:
    """The background task that empties the table of deliveries. The table outlives the process."""

    def __init__(self, store: Store, retry_delays_s: tuple[float, ...] = RETRY_DELAYS_S) -> None:
        self._store = store
        self._delays_s = retry_delays_s
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Say that something may be due; without it, the table is read twice a second."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        # Proxies of the environment would see, and lose, calls that are for this machine only; and on this
        # machine a receiver's certificate is its own.
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False, verify=False) as client:  # noqa: S501
            while True:
                self._wake.clear()
                due = self._due()
                if due:
                    await asyncio.gather(*(self._deliver(client, one) for one in due))
                    continue
                try:
                    await asyncio.wait_for(self._wake.wait(), self._pause_s())
                except TimeoutError:
                    continue

    def _pause_s(self) -> float:
        """How long nothing is due, at most until the table is looked at again."""
        with self._store.transaction():
            query = "SELECT min(next_at) FROM deliveries WHERE state = 'pending'"
            (soonest,) = self._store.connection.execute(query).fetchone()
        return _POLL_S if soonest is None else min(_POLL_S, max(0.01, soonest - time.time()))

    def _due(self) -> list[_Due]:
        with self._store.transaction():
            found = self._store.connection.execute(
                "SELECT seq, attempts, event, endpoint FROM deliveries "
                "WHERE state = 'pending' AND next_at <= ? ORDER BY next_at, seq LIMIT ?",
                (time.time(), _AT_ONCE),
            ).fetchall()
            due = []
            for seq, attempts, event_id, endpoint_id in found:
                endpoint = self._store.find("webhook_endpoint", endpoint_id)
                event = self._store.find("event", event_id)
                if endpoint is None or endpoint.deleted or event is None:
                    self._settle(seq, attempts, "dropped", "the endpoint is gone")
                    continue
                payload = json.dumps(event.body, indent=2).encode()
                due.append(_Due(seq, attempts, endpoint.body["url"], endpoint.private["secret"], payload))
            return due

    async def _deliver(self, client: httpx.AsyncClient, due: _Due) -> None:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": sign(due.payload, due.secret, int(time.time())),
        }
        try:
            response = await client.post(due.url, content=due.payload, headers=headers)
            answer, taken = str(response.status_code), response.is_success
        except Exception as error:
            # Whatever is wrong with one address (not only httpx.HTTPError: a port may not even fit into
            # its 16 bits) must not stop what the other endpoints are owed.
            answer, taken = type(error).__name__, False
        with self._store.transaction():
            attempts = due.attempts + 1
            if taken:
                self._settle(due.seq, attempts, "delivered", answer)
            elif attempts > len(self._delays_s):
                log.warning("Gave up on a webhook to %s after %d attempts: %s", due.url, attempts, answer)
                self._settle(due.seq, attempts, "failed", answer)
            else:
                next_at = time.time() + self._delays_s[attempts - 1]
                self._settle(due.seq, attempts, "pending", answer, next_at)

    def _settle(self, seq: int, attempts: int, state: str, answer: str, next_at: float = 0.0) -> None:
        connection = self._store.connection
        connection.execute(
            "UPDATE deliveries SET state = ?, attempts = ?, answer = ?, next_at = ? WHERE seq = ?",
            (state, attempts, answer, next_at, seq),
        )
        if state != "pending":
            connection.execute(
                "UPDATE objects SET body = json_set(body, '$.pending_webhooks', (SELECT count(*) FROM "
                "deliveries AS other WHERE other.event = objects.id AND other.state = 'pending')) "
                "WHERE id = (SELECT event FROM deliveries WHERE seq = ?)",
                (seq,),
            )
