"""A member rests from paying for some months: what is paid runs out first, then nothing is charged, nothing plays."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.billing import running, stay_offers, stripe_api, sync
from app.billing.rules import months_after
from app.billing.running import Running
from app.errors import BadInput, Conflict, NotFound
from app.i18n import _

# Stripe makes the bill of the next period at its first moment: by then collecting must be on again.
BEFORE_BILL = timedelta(hours=1)


class Refused(Conflict):
    """The bank did not pay for a new month, so the pause goes on."""

    code = "resume-refused"

    def default_sentence(self) -> str:
        return _("Your bank did not pay, so the pause goes on. Please check your card, and try again.")


def goes_on_at(found: Running, months: int) -> datetime:
    """The day of the first payment after so many months of rest, which begin when what is paid has run out. Pure.

    Counted from the anchor, as Stripe counts: who pays on the 31st pays on the 31st again.

    Raises:
        LookupError: for a subscription that has no period.
    """
    ends = found.facts.current_period_end_at
    if ends is None:
        raise LookupError(f"subscription {found.facts.id} has no period")
    anchor = found.anchor_at or ends
    passed = (ends.year - anchor.year) * 12 + ends.month - anchor.month
    return months_after(anchor, passed + months)


async def choices(session: AsyncSession, user_id: UUID) -> tuple[Running, list[tuple[int, datetime]]]:
    """For how many months the member may rest, each with the day of the next payment.

    Raises:
        NotFound: when there is nothing that may be paused.
    """
    found = await running.find(session, user_id)
    if found is None or not running.can_pause(found):
        raise NotFound
    return found, [(months, goes_on_at(found, months)) for months in range(1, found.plan.pause_months + 1)]


async def pause(user_id: UUID, months: int, now: datetime, *, is_offered: bool = False) -> None:
    """Stop collecting for so many months after what is paid. `is_offered`: instead of cancelling.

    Raises:
        NotFound: when there is nothing that may be paused.
        BadInput: for more months than the teacher allows; field `months`.
        StripeDown: when Stripe does not answer; nothing has changed then.
    """
    async with db.transaction() as session:
        found, offered = await choices(session, user_id)
    goes_on = dict(offered).get(months)
    ends = found.facts.current_period_end_at
    if goes_on is None or ends is None:
        raise BadInput(_("Please choose for how long."), field="months")
    offer = stay_offers.offer_for(found) if is_offered else None
    await stripe_api.pause(found.facts.id, paid_through=ends, resumes_at=goes_on - BEFORE_BILL)
    if offer is not None and offer.kind == "pause":
        async with db.transaction() as session:
            await stay_offers.note(session, found.facts.id, offer, now, taken=True)
    await sync.sync_now(found.customer_id)


async def resume(user_id: UUID, now: datetime) -> None:
    """Go on: what is paid still goes on as it was; after that a new month begins, and is paid, now.

    So does a membership whose trial ended without a card, once there is one.

    Raises:
        NotFound: when nothing rests.
        Refused: when the bank does not pay for the new month, or nothing is there that could.
        StripeDown: when Stripe does not answer; nothing has changed then.
    """
    async with db.transaction() as session:
        found = await running.find(session, user_id)
    if found is None:
        raise NotFound
    if found.facts.status == "paused":
        await _begin_after_trial(found)
        return
    if found.facts.status != "active" or found.facts.pause_behavior is None:
        raise NotFound
    through = running.paid_through(found.facts)
    begins_anew = through is None or through <= now
    try:
        await stripe_api.resume(found.facts.id, begins_anew=begins_anew)
    except stripe_api.StripeRefused as refusal:
        raise Refused from refusal
    await sync.sync_now(found.customer_id)


async def _begin_after_trial(found: Running) -> None:
    # Without this look a bill would be made that nothing can pay, and would owe itself for a month.
    if not await stripe_api.can_be_charged(found.facts.id):
        raise Refused
    try:
        await stripe_api.begin_after_trial(found.facts.id)
    except stripe_api.StripeRefused as refusal:
        raise Refused from refusal
    await sync.sync_now(found.customer_id)
