"""A member's bills and receipts: apart from the account's other pages, because Stripe is asked."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app import db
from app.accounts.permissions import Permission
from app.billing import bills
from app.billing.bills import Bills
from app.web.guard import BriefSignedIn, needs_briefly
from app.web.pages import pages_of

router = APIRouter(prefix="/account/bills", tags=["account"])


@dataclass(frozen=True)
class BillsPage:
    """`bills.lines` None: Stripe did not answer in time."""

    bills: Bills


@router.get("", dependencies=[needs_briefly(Permission.MEMBER)])
async def bill_list(request: Request, viewer: BriefSignedIn, after: str = "", before: str = "") -> Response:
    """GET /account/bills."""
    found = await bills.bills_of(viewer.user_id, after=after, before=before)
    async with db.transaction() as session:
        page = await pages_of(request, session, viewer)
        return await page.show("account/bills.html", BillsPage(found))
