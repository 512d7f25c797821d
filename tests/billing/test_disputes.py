"""A bank asks for its money back: what was paid is not shown until it is decided, and comes back when it is won."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import update

from app import db
from app.billing.models import StripeCharge
from app.templating import day
from tests import factories
from tests.billing import till as tills
from tests.billing.till import Till

DISPUTED = "4000 0000 0000 0259"
INQUIRY = "4000 0000 0000 1976"


async def bought(till: Till, card: str) -> UUID:
    async with db.transaction() as session:
        hips: UUID = (await factories.course(session, title="Hips")).id
    user = await till.member(name="Noelani")
    await till.buy(await till.plan(4900, name="Hips", interval="once", course_ids=(hips,)), card)
    await till.settle()
    return user.id


async def watches(user_id: UUID) -> bool:
    return any(one.revoked_at is None for one in await tills.rights(user_id))


async def dispute(till: Till) -> str:
    (one,) = (await till.api.v1.disputes.list_async()).data
    return one.id


@pytest.mark.parametrize(("evidence", "again"), [("winning_evidence", True), ("losing_evidence", False)])
async def test_a_dispute_suspends_and_its_end_decides(till: Till, evidence: str, again: bool) -> None:
    user_id = await bought(till, DISPUTED)
    assert not await watches(user_id)
    await till.member(role="staff")
    page = (await till.client.get("/studio/money")).text
    assert "A bank asks for its money back" in page
    (open_one,) = (await till.api.v1.disputes.list_async()).data
    due_at = datetime.fromtimestamp(open_one.evidence_details.due_by or 0, UTC)
    assert f"answer by {day(due_at)}" in page
    await till.api.v1.disputes.update_async(
        await dispute(till), {"evidence": {"uncategorized_text": evidence}, "submit": True}
    )
    # The bank takes a while to decide.
    await till.pass_days(1)
    await till.settle()
    assert await watches(user_id) is again
    assert "A bank asks for its money back" not in (await till.client.get("/studio/money")).text


async def test_money_that_is_disputed_is_not_given_back_by_us(till: Till) -> None:
    await bought(till, DISPUTED)
    await till.member(role="staff")
    (charge,) = (await till.api.v1.charges.list_async()).data
    assert "A dispute is open" in (await till.client.get(f"/studio/money/payments/{charge.id}")).text
    sent = await till.client.post(f"/studio/money/payments/{charge.id}/refund", data={"amount": "49"})
    assert sent.status_code == 409
    assert (await till.api.v1.refunds.list_async()).data == []


async def test_an_inquiry_takes_nothing(till: Till) -> None:
    user_id = await bought(till, INQUIRY)
    assert await watches(user_id)


async def test_a_disputed_membership_is_suspended_as_a_whole(till: Till) -> None:
    user = await till.member()
    await till.buy(await till.plan(), DISPUTED)
    await till.settle()
    assert not await tills.is_entitled(user.id)
    account = (await till.client.get("/account")).text
    assert "A payment of yours is disputed" in account
    assert "The next payment is on" not in account
    await till.api.v1.disputes.update_async(
        await dispute(till), {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True}
    )
    # The bank takes a while to decide.
    await till.pass_days(1)
    await till.settle()
    assert await tills.is_entitled(user.id)
    assert "The next payment is on" in (await till.client.get("/account")).text


async def test_staff_read_today_that_a_bank_asks_for_money(till: Till) -> None:
    user_id = await bought(till, DISPUTED)
    await till.member(role="staff")
    assert "A bank asks for 1 payment back" in (await till.client.get("/studio")).text
    async with db.transaction() as session:
        await session.execute(update(StripeCharge).values(dispute_status="won"))
    assert "A bank asks for" not in (await till.client.get("/studio")).text
    assert user_id
