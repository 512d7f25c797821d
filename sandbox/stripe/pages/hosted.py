"""What the hosted pages of an invoice and of the portal share: one API's store, its world, and what is not there."""

from starlette.requests import Request
from starlette.responses import Response

from sandbox.stripe.api import Api
from sandbox.stripe.pages.rendering import page
from sandbox.stripe.store import Row
from sandbox.stripe.world import World


class HostedPage:
    """Handlers over one API's store. Nobody signs in: an id that nobody guesses is the secret, as at Stripe."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def _world(self, request: Request, row: Row) -> World:
        return self._api.world(str(request.base_url).rstrip("/")).of(row)


def gone() -> Response:
    """The page of an address that leads nowhere."""
    return page(
        "closed.html",
        404,
        heading="Not found",
        sentence="This page is not there, or its link has expired.",
        link=None,
        link_words="",
    )
