"""The hosted Checkout page: shows what is bought, takes a card, and leads back."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.stripe.api import Api
from sandbox.stripe.cards import NEEDS_ACTION, find_card
from sandbox.stripe.checkout import ask_holder, complete, give_up_proof
from sandbox.stripe.debits import FAILING, KINDS, PAYING, find_debit
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.methods import create_debit, create_method
from sandbox.stripe.pages.rendering import money, page
from sandbox.stripe.session_amounts import reckon, redeem_code
from sandbox.stripe.store import Row
from sandbox.stripe.world import World

Json = dict[str, Any]

_PREFILLED = {"card_number": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123", "name": "Test Member"}
_ADDRESS = {"country": "US", "state": "HI", "postal_code": "96815"}


class CheckoutPage:
    """Handlers over one API's store."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def routes(self) -> list[Route]:
        """GET shows, POST pays; between the two, the bank may ask who is there."""
        return [
            Route("/c/pay/{session}", self.show),
            Route("/c/pay/{session}", self.pay, methods=["POST"]),
            Route("/c/pay/{session}/authenticate", self.prove, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The page of an open session, or what became of it."""
        with self._api.store.transaction():
            row = self._api.store.find("checkout.session", request.path_params["session"])
            if row is None:
                return _unknown()
            if row.body["status"] != "open":
                return _closed(row)
            world = self._api.world(_base(request)).of(row)
            if "waiting" in row.private:
                return _proof(row)
            return _form(
                world, row, {**_PREFILLED, **_ADDRESS, "email": _email(world, row) or "", "code": ""}, None
            )

    async def pay(self, request: Request) -> Response:
        """Try the card; a decline stays on the page, with a sentence and everything that was typed."""
        form = {key: str(value).strip() for key, value in (await request.form()).items()}
        try:
            with self._api.store.transaction():
                return self._paid(request, form)
        finally:
            self._api.after_call()

    async def prove(self, request: Request) -> Response:
        """What the bank's page says: the holder is who they say, or not."""
        form = await request.form()
        try:
            with self._api.store.transaction():
                row = self._api.store.find("checkout.session", request.path_params["session"])
                if row is None:
                    return _unknown()
                if row.body["status"] != "open" or "waiting" not in row.private:
                    return RedirectResponse(f"/c/pay/{row.id}", 303)
                world = self._api.world(_base(request)).of(row)
                waiting = row.private["waiting"]
                method = world.store.need("payment_method", waiting["method"])
                email, name = waiting["email"], waiting["name"]
                if form.get("action") == "complete":
                    decline = complete(world, row, method, email, name, proven=True)
                else:
                    decline = give_up_proof(world, row)
                if decline is None:
                    return RedirectResponse(_success_url(row), 303)
                return _form(
                    world,
                    row,
                    {**_PREFILLED, **_ADDRESS, "name": name, "email": email, "code": ""},
                    decline.message,
                )
        finally:
            self._api.after_call()

    def _paid(self, request: Request, form: dict[str, str]) -> Response:
        row = self._api.store.find("checkout.session", request.path_params["session"])
        if row is None:
            return _unknown()
        if row.body["status"] != "open":
            return _closed(row)
        world = self._api.world(_base(request)).of(row)
        typed = {**dict.fromkeys((*_PREFILLED, *_ADDRESS, "email", "code"), ""), **form}
        if typed.get("action") == "code":
            # The code has a form of its own; the other fields are still as they were shown.
            typed.update({**_PREFILLED, **_ADDRESS})
        typed["email"] = _email(world, row) or typed["email"]
        name = typed["name"] or "Test Member"
        try:
            if typed.get("action") == "code":
                redeem_code(world, row, typed["code"])
                return _form(world, row, typed, None)
            _take_address(world, row, typed)
            if typed.get("action") == "address":
                return _form(world, row, typed, None)
            if "@" not in typed["email"]:
                raise StripeFault("Your email address is incomplete.")
            method = _method(world, row, typed, {"email": typed["email"], "name": name})
        except StripeFault as fault:
            return _form(world, row, typed, str(fault))
        decline = complete(world, row, method, typed["email"], name)
        if decline is NEEDS_ACTION and method is not None:
            ask_holder(world, row, method, typed["email"], name)
            return _proof(row)
        if decline is not None:
            return _form(world, row, typed, decline.message)
        return RedirectResponse(_success_url(row), 303)


def _method(world: World, row: Row, typed: dict[str, str], details: Json) -> Row | None:
    """What the buyer chose to pay with, as a payment method."""
    if not _needs_card(row):
        return None
    chosen = typed.get("pay_with") or "card"
    if chosen in KINDS:
        if chosen not in row.body["payment_method_types"]:
            raise StripeFault("This page does not offer that.")
        account = typed.get("account") or PAYING[chosen]
        return create_debit(world, find_debit(account, chosen), details=details)
    return create_method(world, find_card(typed["card_number"]), details=details)


def _take_address(world: World, row: Row, typed: dict[str, str]) -> None:
    """Where the buyer lives, if the page asks: tax depends on it."""
    if not _asks_address(row) or not typed["country"]:
        return
    address = {name: typed[name] or None for name in _ADDRESS}
    row.private["details"] = {"address": {**dict.fromkeys(("city", "line1", "line2")), **address}}
    reckon(world, row)
    if row.body["automatic_tax"]["status"] == "requires_location_inputs":
        raise StripeFault("Your address is incomplete.")


def _asks_address(row: Row) -> bool:
    return bool(row.body["automatic_tax"]["enabled"])


def _needs_card(row: Row) -> bool:
    if row.body["mode"] == "setup":
        return True
    free = row.body["amount_total"] == 0
    return not (
        free and (row.body["mode"] == "payment" or row.body["payment_method_collection"] == "if_required")
    )


def _email(world: World, row: Row) -> str | None:
    if row.body["customer_email"]:
        return str(row.body["customer_email"])
    customer = world.store.find("customer", row.body["customer"]) if row.body["customer"] else None
    return customer.body["email"] if customer is not None else None


def _form(world: World, row: Row, form: dict[str, str], problem: str | None) -> Response:
    body = row.body
    data = row.private["subscription_data"]
    debits = [one for one in body["payment_method_types"] if one in KINDS]
    return page(
        "checkout.html",
        200 if problem is None else 402,
        (body["success_url"], body["cancel_url"]),
        mode=body["mode"],
        details=body["total_details"],
        inclusive=body["amount_total"]
        == (body["amount_subtotal"] or 0) - body["total_details"]["amount_discount"],
        takes_codes=bool(body["allow_promotion_codes"]),
        discounted=bool(body["discounts"]),
        asks_address=_asks_address(row),
        debits=[(one, PAYING[one], FAILING[one]) for one in debits],
        amount_total=body["amount_total"],
        currency=body["currency"],
        lines=row.private["line_items"],
        cancel_url=body["cancel_url"],
        trial_days=data.get("trial_period_days"),
        problem=problem,
        form=form,
        email_fixed=_email(world, row) is not None,
        needs_card=_needs_card(row),
        verb=_verb(body, data),
    )


def _proof(row: Row) -> Response:
    """The bank's page within the page, where the holder authenticates."""
    return page(
        "authenticate.html",
        200,
        (row.body["success_url"],),
        action=f"/c/pay/{row.id}/authenticate",
        amount=row.body["amount_total"],
        currency=row.body["currency"],
    )


def _verb(body: Json, data: Json) -> str:
    if body["mode"] == "setup":
        return "Save card"
    if body["mode"] == "payment":
        return f"Pay {money(body['amount_total'], body['currency'])}"
    return "Start trial" if data.get("trial_period_days") or data.get("trial_end") else "Subscribe"


def _success_url(row: Row) -> str:
    # The placeholder may arrive percent-encoded, when the caller built the address with a URL library.
    url = str(row.body["success_url"])
    for placeholder in ("{CHECKOUT_SESSION_ID}", "%7BCHECKOUT_SESSION_ID%7D"):
        url = url.replace(placeholder, row.id)
    return url


def _closed(row: Row) -> Response:
    if row.body["status"] == "complete":
        return page(
            "closed.html",
            heading="All done here",
            sentence="This purchase is complete; nothing more will be charged.",
            link=_success_url(row),
            link_words="Return to the site",
        )
    return page(
        "closed.html",
        410,
        heading="This page has expired",
        sentence="Nothing was charged. Please start again from the site.",
        link=row.body["cancel_url"],
        link_words="Return to the site",
    )


def _unknown() -> Response:
    return page(
        "closed.html",
        404,
        heading="Not found",
        sentence="There is no such Checkout page.",
        link=None,
        link_words="",
    )


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")
