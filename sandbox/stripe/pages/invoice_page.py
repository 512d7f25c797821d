"""An invoice's hosted page, where it can be paid, and the bank's page where a payment is authenticated."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.stripe import lifecycle
from sandbox.stripe.card_table import Decline
from sandbox.stripe.cards import NEEDS_ACTION, find_card
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.intents import attempt, fail_proof
from sandbox.stripe.methods import create_method
from sandbox.stripe.pages.hosted import HostedPage, gone
from sandbox.stripe.pages.rendering import page
from sandbox.stripe.setups import fail_setup, finish_setup
from sandbox.stripe.store import Row
from sandbox.stripe.world import World

Json = dict[str, Any]

_WAITING = ("requires_action",)


class InvoicePage(HostedPage):
    """Handlers of an invoice."""

    def routes(self) -> list[Route]:
        """The invoice, a payment's receipt, and the authentication of any payment or card."""
        return [
            Route("/i/{invoice}", self.show),
            Route("/i/{invoice}", self.pay, methods=["POST"]),
            Route("/receipts/{charge}", self.receipt),
            Route("/authenticate/{intent}", self.ask),
            Route("/authenticate/{intent}", self.prove, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """What is owed, and how to pay it."""
        with self._api.store.transaction():
            row = self._api.store.find("invoice", request.path_params["invoice"])
            return self._page(row, None) if row is not None else gone()

    async def pay(self, request: Request) -> Response:
        """Pay an open invoice with a card."""
        form = await request.form()
        try:
            with self._api.store.transaction():
                row = self._api.store.find("invoice", request.path_params["invoice"])
                if row is None:
                    return gone()
                if row.body["status"] != "open":
                    return RedirectResponse(f"/i/{row.id}", 303)
                world = self._world(request, row)
                try:
                    method = create_method(world, find_card(str(form.get("card_number", ""))))
                except StripeFault as fault:
                    return self._page(row, str(fault))
                decline = lifecycle.collect(world, row, off_session=False, method=method)
                if decline is NEEDS_ACTION:
                    return RedirectResponse(f"/authenticate/{row.private['intent']}", 303)
                return self._page(world.store.need("invoice", row.id), decline.message if decline else None)
        finally:
            self._api.after_call()

    async def receipt(self, request: Request) -> Response:
        """What a charge took, and what was given back."""
        with self._api.store.transaction():
            row = self._api.store.find("charge", request.path_params["charge"])
            if row is None or row.body["status"] != "succeeded":
                return gone()
            return page("receipt.html", 200, charge=row.body)

    async def ask(self, request: Request) -> Response:
        """The bank's question."""
        with self._api.store.transaction():
            row = self._intent(request)
            if row is None:
                return gone()
            if row.body["status"] not in _WAITING:
                return _said("Nothing to confirm", "This payment does not wait for anything.", None)
            leads_to = (row.private.get("return_url"),)
            amount = row.body.get("amount", 0)
            return page(
                "authenticate.html",
                200,
                leads_to,
                action=f"/authenticate/{row.id}",
                amount=amount,
                currency=row.body.get("currency", "usd"),
            )

    async def prove(self, request: Request) -> Response:
        """The answer: pay, or refuse the card."""
        form = await request.form()
        try:
            with self._api.store.transaction():
                row = self._intent(request)
                if row is None:
                    return gone()
                if row.body["status"] not in _WAITING:
                    return RedirectResponse(f"/authenticate/{row.id}", 303)
                decline = authenticate(self._world(request, row), row, form.get("action") == "complete")
                back = row.private.get("return_url")
                if back:
                    return RedirectResponse(back, 303)
                if decline is not None:
                    return _said("That did not work", decline.message, row)
                return _said("Thank you", "Your payment method is confirmed.", row)
        finally:
            self._api.after_call()

    def _page(self, row: Row, problem: str | None) -> Response:
        intent = self._api.store.find("payment_intent", row.private.get("intent", ""))
        return page(
            "invoice.html",
            200 if problem is None else 402,
            invoice=row.body,
            problem=problem,
            waiting=intent.id if intent is not None and intent.body["status"] in _WAITING else None,
        )

    def _intent(self, request: Request) -> Row | None:
        intent_id = request.path_params["intent"]
        kind = "setup_intent" if intent_id.startswith("seti_") else "payment_intent"
        return self._api.store.find(kind, intent_id)


def authenticate(world: World, row: Row, passed: bool) -> Decline | None:
    """Go on with a payment or setup intent after its holder did authenticate, or did not; gives the decline."""
    if row.kind == "setup_intent":
        return finish_setup(world, row) if passed else fail_setup(world, row)
    if not passed:
        return fail_proof(world, row)
    method = world.store.need("payment_method", row.body["payment_method"])
    invoice = world.store.find("invoice", row.private.get("invoice", ""))
    if invoice is not None and invoice.body["status"] == "open":
        return lifecycle.collect(world, invoice, off_session=False, method=method, proven=True)
    return attempt(world, row, method, off_session=False, proven=True)


def _said(heading: str, sentence: str, row: Row | None) -> Response:
    invoice = row.private.get("invoice") if row is not None else None
    link = f"/i/{invoice}" if invoice else None
    return page("closed.html", heading=heading, sentence=sentence, link=link, link_words="To the invoice")
