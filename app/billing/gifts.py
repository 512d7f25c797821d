"""Gifts: something paid once for another person, written down, paid, and delivered on its day. The rest: `claiming`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import db as database
from app.access.entitlements import lock_user
from app.accounts import links, rules
from app.accounts.models import User
from app.billing import gift_letters
from app.billing.claiming import settle_claimed
from app.billing.mirror import ChargeFacts, PurchaseFacts
from app.billing.models import Gift
from app.billing.plan_models import Plan
from app.billing.rules import Standing, standing
from app.clock import utcnow
from app.errors import BadInput, Conflict, NotFound
from app.i18n import _
from app.jobs import engine

MAX_MESSAGE = 600
FARTHEST = timedelta(days=366)
AT_ONCE = 100
PAID = frozenset({"paid", "no_payment_required"})


@dataclass(frozen=True)
class GiftDraft:
    """What the giver typed. `deliver_at`: when the mail goes out; the past is now."""

    to_email: str
    to_name: str
    from_name: str
    message: str
    deliver_at: datetime


async def begin(db: AsyncSession, giver_id: UUID, plan_slug: str, draft: GiftDraft, now: datetime) -> Gift:
    """Write a gift down, to be paid next; nothing is sent before it is.

    Raises:
        NotFound: for a plan that cannot be given.
        BadInput: with the field, for what cannot be sent.
    """
    plan = await db.scalar(select(Plan).where(Plan.slug == plan_slug, Plan.is_offered, Plan.is_giftable))
    if plan is None:
        raise NotFound(_("This cannot be given as a gift any more. Please choose something else."))
    gift = Gift(
        plan_id=plan.id,
        giver_id=giver_id,
        to_email=_address(draft.to_email),
        to_name=_named(draft.to_name, "to_name"),
        from_name=_named(draft.from_name, "from_name"),
        message=_message(draft.message),
        deliver_at=max(draft.deliver_at, now),
        created_at=now,
    )
    if gift.deliver_at > now + FARTHEST:
        raise BadInput(_("Choose a day within a year."), field="deliver_on")
    db.add(gift)
    await db.flush()
    return gift


def _address(typed: str) -> str:
    try:
        return rules.clean_email(typed)
    except BadInput as refusal:
        raise BadInput(refusal.sentence, field="to_email") from None


def _named(text: str, field: str) -> str:
    name = " ".join(rules.tidy(text).split())
    if not 0 < len(name) <= 120:
        raise BadInput(_("Please give a name."), field=field)
    return name


def _message(text: str) -> str:
    words = rules.tidy(text).strip()
    if len(words) > MAX_MESSAGE:
        raise BadInput(_("Please keep the message below 600 characters."), field="message")
    return words


async def follow_money(
    db: AsyncSession,
    purchases: list[PurchaseFacts],
    charges: tuple[ChargeFacts, ...],
    cause: str,
    now: datetime,
) -> None:
    """Bring the gifts among a giver's purchases in line: paid ones are on their way, what was given back is void.

    A gift that was claimed and whose money is not ours any more ends for the receiver; it is theirs again if it comes
    back.
    """
    is_new = False
    for facts in purchases:
        if facts.gift_id is None or facts.doubt is not None or facts.payment_status not in PAID:
            continue
        seen = await db.get(Gift, facts.gift_id)
        if seen is not None and seen.claimed_by is not None:
            # Members are locked before their gifts, as in `claim`.
            await lock_user(db, seen.claimed_by)
        gift = await db.get(Gift, facts.gift_id, with_for_update=True, populate_existing=True)
        if gift is None or not gift.to_email:
            # One that was never paid, and whom it was for is forgotten.
            continue
        stands = _stands(facts, charges)
        if stands is None:
            continue
        if stands and gift.state == "open":
            gift.state, is_new = "paid", True
            await gift_letters.bought(db, gift, await db.get_one(Plan, gift.plan_id))
        elif stands == (gift.state == "void"):
            gift.state = "paid" if stands else "void"
            if gift.claimed_by is not None:
                await settle_claimed(db, gift, cause, now)
    await db.flush()
    if is_new:
        await deliver_due(db, now)


def _stands(facts: PurchaseFacts, charges: tuple[ChargeFacts, ...]) -> bool | None:
    """Whether the money is ours; None when nobody can say, and things stay as they are."""
    mine = [one for one in charges if one.payment_intent_id == facts.payment_intent_id]
    try:
        return facts.payment_intent_id is None or all(standing(one) is Standing.GOOD for one in mine)
    except LookupError:
        return None


async def deliver_due(db: AsyncSession, now: datetime) -> int:
    """Mail every paid gift whose day has come; once each."""
    due = await db.scalars(
        select(Gift)
        .where(Gift.state == "paid", Gift.delivered_at.is_(None), Gift.deliver_at <= now)
        .order_by(Gift.deliver_at)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    count = 0
    for gift in due:
        gift.delivered_at = now
        await gift_letters.delivered(db, gift, await db.get_one(Plan, gift.plan_id), _claim_url(gift, now))
        count += 1
    await db.flush()
    return count


async def send_again(db: AsyncSession, giver_id: UUID, gift_id: UUID, now: datetime) -> None:
    """Mail a gift once more, at most once an hour.

    Raises:
        NotFound: for somebody else's gift.
        Conflict: when it was not delivered yet, was claimed, or was sent within the hour.
    """
    gift = await db.get(Gift, gift_id, with_for_update=True)
    if gift is None or gift.giver_id != giver_id:
        raise NotFound
    if gift.state != "paid" or gift.delivered_at is None or gift.claimed_at is not None:
        raise Conflict(_("This gift cannot be sent again: it was claimed, or is not on its way yet."))
    if gift.delivered_at > now - timedelta(hours=1):
        raise Conflict(_("It was sent less than an hour ago. Please wait a little."))
    gift.delivered_at = now
    await gift_letters.delivered(db, gift, await db.get_one(Plan, gift.plan_id), _claim_url(gift, now))


def _claim_url(gift: Gift, now: datetime) -> str:
    return links.url(links.Purpose.GIFT, links.Claims(str(gift.id), "", {}), now)


async def given_by(db: AsyncSession, user_id: UUID) -> list[tuple[Gift, str]]:
    """What a member has given and paid, with the plan's name, the newest first."""
    rows = await db.execute(
        select(Gift, Plan.name)
        .join(Plan, Plan.id == Gift.plan_id)
        .where(Gift.giver_id == user_id, Gift.state != "open", Gift.to_email != "")
        .order_by(Gift.created_at.desc())
    )
    return [(row[0], row[1]) for row in rows]


async def name_of(db: AsyncSession, user_id: UUID) -> str:
    """The giver's name, to begin with."""
    return (await db.get_one(User, user_id)).name


@engine.step(tries=5)
async def _deliver_step() -> int:
    async with database.transaction() as session:
        return await deliver_due(session, utcnow())


@engine.scheduled("gifts_deliver", "*/5 * * * *")
async def gifts_deliver(at: datetime, context: object) -> None:  # noqa: ARG001 (the engine passes it)
    """Every five minutes: gifts whose day has come."""
    while await _deliver_step() == AT_ONCE:
        pass
