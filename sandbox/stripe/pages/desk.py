"""The stand-in's own desk: what it knows at a glance, and the control that moves its clock."""

from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.stripe import cycle, lifecycle
from sandbox.stripe.api import Api
from sandbox.stripe.disputes import OPEN, decide, open_dispute
from sandbox.stripe.due import run_due
from sandbox.stripe.pages.rendering import FOLDER, page
from sandbox.stripe.settlements import settle
from sandbox.stripe.trouble import read_trouble
from sandbox.stripe.world import shift_clock

Json = dict[str, Any]

_MOST_S = 10 * 366 * 86400
_SHOWN_EVENTS = 60


class Desk:
    """Handlers over one API's store."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def routes(self) -> list[Route]:
        """The overview, the style sheet and the clock."""
        return [
            Route("/", self.show),
            Route("/pages.css", self.style),
            Route("/sandbox/clock", self.clock),
            Route("/sandbox/clock", self.advance, methods=["POST"]),
            Route("/sandbox/trouble", self.trouble),
            Route("/sandbox/trouble", self.make_trouble, methods=["POST"]),
            Route("/sandbox/retries", self.after_retries, methods=["POST"]),
            Route("/sandbox/disputes", self.dispute, methods=["POST"]),
            Route("/sandbox/debits", self.debit, methods=["POST"]),
        ]

    async def style(self, _request: Request) -> Response:
        """The pages' style sheet."""
        return FileResponse(FOLDER / "pages.css", media_type="text/css")

    async def clock(self, _request: Request) -> Response:
        """GET /sandbox/clock: what time it is here, in Unix seconds."""
        with self._api.store.transaction():
            now = self._api.world("").now
        return JSONResponse({"now": now, "shift_s": now - int(self._api.real_now())})

    async def advance(self, request: Request) -> Response:
        """POST /sandbox/clock {"advance_s": n}: move the default clock and do what becomes due, then answer."""
        is_json = request.headers.get("content-type", "").startswith("application/json")
        try:
            given: Any = await request.json() if is_json else await request.form()
            seconds = int(given["advance_s"])
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"error": "Send advance_s, a whole number of seconds."}, 422)
        if not 0 <= seconds <= _MOST_S:
            return JSONResponse(
                {"error": f"advance_s lies between 0 and {_MOST_S}; time does not run back."}, 422
            )
        with self._api.store.transaction():
            shift_clock(self._api.store, seconds)
            world = self._api.world(str(request.base_url).rstrip("/"))
            done = run_due(world, world.now)
        self._api.after_call()
        if not is_json:
            return RedirectResponse("/", 303)
        return JSONResponse(
            {"now": world.now, "shift_s": world.now - int(self._api.real_now()), "done": done}
        )

    async def trouble(self, _request: Request) -> Response:
        """GET /sandbox/trouble: how much of it waits for a call that gets into it."""
        return JSONResponse({"waiting": len(self._api.trouble)})

    async def after_retries(self, request: Request) -> Response:
        """POST /sandbox/retries {"then": …}: what becomes of a renewal that was never paid."""
        wanted = str((await request.form()).get("then", ""))
        if wanted not in ("cancel", "unpaid", "past_due"):
            return JSONResponse({"error": "Send then: cancel, unpaid or past_due."}, 422)
        with self._api.store.transaction():
            self._api.store.set_setting(lifecycle.AFTER_RETRIES, wanted)
        return RedirectResponse("/", 303)

    async def make_trouble(self, request: Request) -> Response:
        """POST /sandbox/trouble: what the next calls to the API get into; an empty object ends all of it."""
        try:
            given = await request.json()
            if not given:
                self._api.trouble.clear()
            else:
                self._api.trouble.append(read_trouble(given))
        except (ValueError, TypeError, AttributeError) as error:
            return JSONResponse({"error": str(error)}, 422)
        return JSONResponse({"waiting": len(self._api.trouble)})

    async def dispute(self, request: Request) -> Response:
        """POST /sandbox/disputes: dispute a charge for a reason, or decide an open dispute: won, lost."""
        form = {key: str(value) for key, value in (await request.form()).items()}
        store, action = self._api.store, form.get("action", "")
        with store.transaction():
            world = self._api.world(str(request.base_url).rstrip("/"))
            charge = store.find("charge", form.get("charge", ""))
            row = store.find("dispute", form.get("dispute", ""))
            if charge is not None and charge.body["status"] == "succeeded" and not charge.body["disputed"]:
                inquiry = action == "inquiry"
                open_dispute(world.of(charge), charge, reason="fraudulent", inquiry=inquiry)
            elif row is not None and row.body["status"] in OPEN and action in ("won", "lost"):
                decide(world.of(row), row, action)
            else:
                return JSONResponse({"error": "There is nothing to dispute or decide."}, 422)
        self._api.after_call()
        return RedirectResponse("/", 303)

    async def debit(self, request: Request) -> Response:
        """POST /sandbox/debits: the bank answers now, that it pays or that it fails."""
        form = {key: str(value) for key, value in (await request.form()).items()}
        store, action = self._api.store, form.get("action", "")
        with store.transaction():
            row = store.find("payment_intent", form.get("payment_intent", ""))
            if row is None or row.body["status"] != "processing" or action not in ("pays", "fails"):
                return JSONResponse({"error": "No such payment is under way."}, 422)
            row.private["verdict"] = action
            settle(self._api.world(str(request.base_url).rstrip("/")).of(row), row)
        self._api.after_call()
        return RedirectResponse("/", 303)

    async def show(self, _request: Request) -> Response:
        """The overview."""
        store = self._api.store
        with store.transaction():
            now = self._api.world("").now
            subscriptions = []
            for row in store.select("subscription")[:100]:
                customer = store.need("customer", row.body["customer"]).body
                subscriptions.append(
                    {
                        "id": row.id,
                        "email": customer["email"] or customer["id"],
                        "status": row.body["status"],
                        "period_end": cycle.current_period_end(row.body),
                        "cancel_at": row.body["cancel_at"],
                    }
                )
            rows, _ = store.page("event", {}, limit=_SHOWN_EVENTS, after=None, before=None)
            return page(
                "desk.html",
                now=now,
                after_retries=store.setting(lifecycle.AFTER_RETRIES) or "cancel",
                shift_s=now - int(self._api.real_now()),
                subscriptions=subscriptions,
                debits=[row.body for row in store.select("payment_intent", {"status": "processing"})],
                charges=self._charges(),
                disputes=[row.body for row in store.select("dispute")[:100]],
                endpoints=[row.body for row in store.select("webhook_endpoint")],
                events=[{**row.body, "deliveries": self._deliveries(row.id)} for row in rows],
            )

    def _charges(self) -> list[Json]:
        rows, _ = self._api.store.page("charge", {"status": "succeeded"}, limit=20, after=None, before=None)
        return [row.body for row in rows]

    def _deliveries(self, event_id: str) -> str:
        found = self._api.store.connection.execute(
            "SELECT state, attempts, answer FROM deliveries WHERE event = ?", (event_id,)
        ).fetchall()
        return ", ".join(
            f"{state} ({attempts}×, {answer or 'not yet tried'})" for state, attempts, answer in found
        )
