"""Mails tell the day that it is at the practice, as the account page does."""

from contextvars import copy_context

import pytest

from app import mail
from app.clock import use_zone

CONTEXT = {
    "name": "Noa Pili", "plan": "Monthly", "price": "$19", "interval": "month", "is_trial": False,
    "next_at": "2026-12-26T03:00:00+00:00", "ends_at": "", "grace_ends_at": "",
    "account_url": "https://limber.test/account", "plans_url": "https://limber.test/plans",
    "library_url": "https://limber.test/library", "receipt_url": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "day"), [("UTC", "26 December 2026"), ("Pacific/Honolulu", "25 December 2026")]
)
def test_the_next_payment_is_on_the_practices_day(zone: str, day: str) -> None:
    def rendered() -> str:
        use_zone(zone)
        text = mail.render("subscription_started", "visitor@example.com", CONTEXT).get_body(("plain",))
        assert text is not None
        return str(text.get_content())

    assert day in copy_context().run(rendered)
