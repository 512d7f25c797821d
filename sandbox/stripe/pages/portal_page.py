"""The hosted customer portal: subscriptions, card, invoices, and the way back."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.stripe import cycle
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.pages.hosted import HostedPage, gone
from sandbox.stripe.pages.portal_actions import act, confirmation, plan_choices
from sandbox.stripe.pages.rendering import day, money, page
from sandbox.stripe.store import Row
from sandbox.stripe.world import World

Json = dict[str, Any]

_LIFE_S = 3600
# What a flow's page may do; the whole portal, without a flow, does everything.
_IN_FLOW = {
    "payment_method_update": ("update_card",),
    "subscription_cancel": ("cancel_at_period_end",),
    "subscription_update": ("change_plan",),
    "subscription_update_confirm": ("confirm_plan",),
}
_DONE = {
    "renew": "Your subscription goes on.",
    "cancel_at_period_end": "Your subscription ends with the period that is paid.",
    "cancel_now": "Your subscription has ended.",
    "update_card": "Your card has been updated.",
    "pay_invoice": "Thank you, that is paid.",
    "change_plan": "Your plan has been changed.",
    "confirm_plan": "Your plan has been changed.",
}


class PortalPage(HostedPage):
    """Handlers of the portal."""

    def routes(self) -> list[Route]:
        """The portal with and without a flow."""
        return [
            Route("/p/session/{secret}", self.show),
            Route("/p/session/{secret}", self.act, methods=["POST"]),
            Route("/p/session/{secret}/flow/{flow}", self.show),
            Route("/p/session/{secret}/flow/{flow}", self.act, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The portal's page."""
        with self._api.store.transaction():
            session = self._session(request)
            if session is None:
                return gone()
            done = _DONE.get(request.query_params.get("done", ""))
            return _page(self._world(request, session), session, request.path_params.get("flow"), None, done)

    async def act(self, request: Request) -> Response:
        """Do what a button says, and show the page again, or go where the flow leads."""
        form = {key: str(value).strip() for key, value in (await request.form()).items()}
        flow = request.path_params.get("flow")
        try:
            with self._api.store.transaction():
                session = self._session(request)
                if session is None:
                    return gone()
                world = self._world(request, session)
                try:
                    if flow is not None:
                        _check_flow(session, flow, form)
                    elsewhere = act(world, session, form)
                except StripeFault as fault:
                    return _page(world, session, flow, str(fault), None)
                onward = elsewhere or _next_page(request, session, flow, form.get("action", ""))
                return RedirectResponse(onward, 303)
        finally:
            self._api.after_call()

    def _session(self, request: Request) -> Row | None:
        session_id = self._api.store.setting(f"portal:{request.path_params['secret']}")
        row = self._api.store.find("billing_portal.session", session_id) if session_id else None
        if row is None or (
            self._world(request, row).now > row.body["created"] + _LIFE_S and row.clock is None
        ):
            return None
        flow, wanted = row.body["flow"], request.path_params.get("flow")
        if wanted is None:
            return row if flow is None or flow["after_completion"]["type"] == "portal_homepage" else None
        return row if flow is not None and flow["type"] == wanted else None


def _next_page(request: Request, session: Row, flow: str | None, action: str) -> str:
    """Where a finished action leads: the site, for a flow that says so; else a page that says what was done."""
    after: Json = {"type": "hosted_confirmation"}
    if flow is not None:
        after = session.body["flow"]["after_completion"]
    if after["type"] == "redirect":
        return str(after["redirect"]["return_url"])
    path = request.url.path
    if after["type"] == "portal_homepage":
        path = path.split("/flow/")[0]
    return f"{path}?done={action}"


def _check_flow(session: Row, flow: str, form: dict[str, str]) -> None:
    """A flow's page does one thing, for one subscription.

    Raises:
        StripeFault: for anything else.
    """
    chosen = (session.body["flow"].get(flow) or {}).get("subscription")
    if form.get("action") not in _IN_FLOW.get(flow, ()) or (chosen and form.get("subscription") != chosen):
        raise StripeFault("That is not something this page does.")


def _page(world: World, session: Row, flow: str | None, problem: str | None, done: str | None) -> Response:
    customer = world.store.need("customer", session.body["customer"])
    subscriptions = [
        _shown(world, row.body) for row in world.store.select("subscription", {"customer": customer.id})
    ]
    if flow is not None and flow.startswith("subscription_"):
        wanted = (session.body["flow"] or {}).get(flow) or {}
        subscriptions = [one for one in subscriptions if one["id"] == wanted.get("subscription")]
    invoices = [row.body for row in world.store.select("invoice", {"customer": customer.id})]
    after = (session.body["flow"] or {}).get("after_completion") or {}
    return page(
        "portal.html",
        200 if problem is None else 402,
        (session.body["return_url"], (after.get("redirect") or {}).get("return_url")),
        customer=customer.body,
        return_url=session.body["return_url"],
        subscriptions=subscriptions,
        show_subscriptions=flow != "payment_method_update",
        show_card=flow in (None, "payment_method_update"),
        whole=flow is None,
        flow=flow,
        choices=plan_choices(world, session, flow),
        confirming=confirmation(world, session) if flow == "subscription_update_confirm" else None,
        card_words=_card_words(world, customer.body),
        problem=problem,
        done=done,
        open_invoices=[one for one in invoices if one["status"] == "open"] if flow is None else [],
        invoices=invoices if flow is None else [],
    )


def _shown(world: World, body: Json) -> Json:
    item = body["items"]["data"][0]
    product = world.store.need("product", item["price"]["product"])
    end = day(cycle.current_period_end(body))
    words = {
        "active": f"Renews on {end}.",
        "trialing": f"Free until {end}.",
        "past_due": "The last payment failed.",
        "paused": "Paused.",
        "incomplete": "Waiting for the first payment.",
    }.get(body["status"], "Ended.")
    if body["cancel_at"] and body["status"] in cycle.LIVE:
        words = f"Ends on {day(body['cancel_at'])}."
    recurring = item["price"]["recurring"]
    return {
        "id": body["id"],
        "status": body["status"],
        "name": product.body["name"],
        "price": f"{money(item['price']['unit_amount'], body['currency'])} / {recurring['interval']}",
        "words": words,
        "living": body["status"] in cycle.LIVE,
        "ending": bool(body["cancel_at"]),
    }


def _card_words(world: World, customer: Json) -> str:
    chosen = customer["invoice_settings"]["default_payment_method"]
    method = world.store.find("payment_method", chosen) if chosen else None
    if method is None:
        return "No card on file."
    card = method.body["card"]
    return f"{card['brand'].title()} ending in {card['last4']}, valid until {card['exp_month']:02d}/{card['exp_year']}."
