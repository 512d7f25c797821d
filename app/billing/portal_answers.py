"""Why somebody cancelled, when Stripe's own portal asked: kept beside the answers to our one question."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.billing.mirror import id_of, instant
from app.billing.notice_models import LeavingAnswer
from app.billing.plan_models import PlanPrice

MAX_WORDS = 1000
# Stripe's answers; those that mean one of ours count as ours.
# Source: https://docs.stripe.com/api/subscriptions/object#subscription_object-cancellation_details-feedback
REASONS = {
    "too_expensive": "expensive",
    "missing_features": "missing",
    "unused": "time",
    "other": "other",
    "low_quality": "low_quality",
    "customer_service": "customer_service",
    "switched_service": "switched_service",
    "too_complex": "too_complex",
}


@dataclass(frozen=True)
class Answer:
    """`reason`: a key of `leaving_answers.WORDS`, or empty; `key`: of this cancellation, so that it is kept once."""

    key: str
    reason: str
    words: str
    price_id: str | None
    answered_at: datetime | None


def read_answer(raw: Mapping[str, Any]) -> Answer | None:
    """What a subscription's own words say about why it ends; None when nothing was said. Pure."""
    details = raw.get("cancellation_details") or {}
    feedback, comment = details.get("feedback"), str(details.get("comment") or "").strip()
    if not feedback and not comment:
        return None
    items = raw["items"]["data"]
    return Answer(
        key=f"{raw['id']}:{raw.get('canceled_at') or 0}",
        # An answer that Stripe adds to its list is something else, until it is put into ours.
        reason=REASONS.get(feedback, "other") if feedback else "",
        words=comment[:MAX_WORDS],
        price_id=id_of(items[0]["price"]) if items else None,
        answered_at=instant(raw.get("canceled_at")),
    )


async def keep(
    session: AsyncSession, user_id: UUID, raws: Iterable[Mapping[str, Any]], now: datetime
) -> None:
    """Keep what was said; asked twice, the second changes nothing but words that Stripe has changed."""
    for answer in filter(None, map(read_answer, raws)):
        plan_id = await session.scalar(
            select(PlanPrice.plan_id).where(PlanPrice.stripe_price_id == answer.price_id)
        )
        if plan_id is None:
            continue
        said = {"reason": answer.reason, "words": answer.words}
        await session.execute(
            insert(LeavingAnswer)
            .values(
                id=uuid4(),
                user_id=user_id,
                plan_id=plan_id,
                portal_key=answer.key,
                answered_at=answer.answered_at or now,
                **said,
            )
            .on_conflict_do_update(index_elements=[LeavingAnswer.portal_key], set_=said)
        )
