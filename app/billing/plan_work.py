"""The worker's part of plans: bring what staff wrote to Stripe, again and again until it is there."""

from uuid import UUID

from app.billing import plans
from app.jobs import engine


@engine.step(tries=10, first_wait_s=1.0)
async def _push_step(plan_id: str) -> None:
    await plans.push(UUID(plan_id))


@engine.workflow("plan_push")
async def plan_push(plan_id: str) -> None:
    """One edit of a plan, brought to Stripe."""
    await _push_step(plan_id)
