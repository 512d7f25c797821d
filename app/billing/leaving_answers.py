"""Why members left, as staff read it: counts of a year, and what was said in words."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.billing.cancelling import REASONS
from app.billing.notice_models import LeavingAnswer
from app.billing.plan_models import Plan
from app.i18n import N_

# Every reason that is kept: ours, and those of Stripe's portal that mean something else.
WORDS = {
    **REASONS,
    "low_quality": N_("It is not as good as I expected"),
    "customer_service": N_("I was not helped well"),
    "switched_service": N_("I go on somewhere else"),
    "too_complex": N_("It is too difficult to use"),
}
YEAR = timedelta(days=365)
SHOWN = 100


@dataclass(frozen=True)
class Said:
    """One answer with words. `name` and `user_id` None: the account is gone; `reason`: a key of WORDS, or empty.

    `at_stripe`: it was said in Stripe's portal.
    """

    at: datetime
    user_id: UUID | None
    name: str | None
    plan: str | None
    reason: str
    words: str
    at_stripe: bool = False


@dataclass(frozen=True)
class Answers:
    """`counts`: reason → how often in the last year, the most frequent first; `said`: the newest first."""

    counts: dict[str, int]
    said: list[Said]


async def answers(session: AsyncSession, now: datetime) -> Answers:
    """Everything that members answered as they left."""
    how_often = func.count()
    rows = await session.execute(
        select(LeavingAnswer.reason, how_often)
        .where(LeavingAnswer.answered_at > now - YEAR, LeavingAnswer.reason != "")
        .group_by(LeavingAnswer.reason)
        .order_by(how_often.desc(), LeavingAnswer.reason)
    )
    words = await session.execute(
        select(LeavingAnswer, User.name, Plan.name)
        .outerjoin(User, User.id == LeavingAnswer.user_id)
        .outerjoin(Plan, Plan.id == LeavingAnswer.plan_id)
        .where(LeavingAnswer.words != "")
        .order_by(LeavingAnswer.answered_at.desc())
        .limit(SHOWN)
    )
    return Answers(
        {row[0]: row[1] for row in rows},
        [
            Said(one.answered_at, one.user_id, name, plan, one.reason, one.words, one.portal_key is not None)
            for one, name, plan in words
        ],
    )
