"""Mails about gifts: to the giver that it is paid and claimed, to the receiver that it is there.

None is sent of a gift that was taken back while its mail waited.
"""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from app import jobs
from app.accounts.models import User
from app.billing.models import Gift
from app.billing.plan_models import Plan
from app.settings import get_settings


async def bought(db: AsyncSession, gift: Gift, plan: Plan) -> None:
    """To the giver: paid, and when it is delivered."""
    giver = await db.get(User, gift.giver_id) if gift.giver_id else None
    if giver is None:
        return
    context = {
        "name": giver.name,
        "plan": plan.name,
        "to_name": gift.to_name,
        "to_email": gift.to_email,
        "deliver_at": gift.deliver_at.isoformat(),
        "url": f"{get_settings().base_url}/account/gifts",
    }
    await _send(db, "gift_bought", giver.email, context, str(gift.id))


async def delivered(db: AsyncSession, gift: Gift, plan: Plan, url: str) -> None:
    """To the receiver: what it is, from whom, and the link that makes it theirs."""
    assert gift.delivered_at is not None
    context = {
        "to_name": gift.to_name,
        "from_name": gift.from_name,
        "message": gift.message,
        "plan": plan.name,
        "months": plan.lasts_months or 0,
        "url": url,
    }
    await _send(db, "gift", gift.to_email, context, str(gift.id), gift.delivered_at.isoformat())


async def claimed(db: AsyncSession, gift: Gift, plan: Plan) -> None:
    """To the giver: it has arrived."""
    giver = await db.get(User, gift.giver_id) if gift.giver_id else None
    if giver is not None:
        context = {"name": giver.name, "plan": plan.name, "to_name": gift.to_name}
        await _send(db, "gift_claimed", giver.email, context, str(gift.id))


async def _send(db: AsyncSession, template: str, to: str, context: Mapping[str, object], *cause: str) -> None:
    key = f"{template}:{':'.join(cause)}"
    await jobs.enqueue(
        db,
        "send_mail",
        {"template": template, "to": to, "context": dict(context), "cause": key},
        workflow_id=f"mail:{key}",
    )
