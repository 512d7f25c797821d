"""When does a subscription do something by itself? Pure: calendar arithmetic and the dunning schedule."""

import calendar
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]

HOUR_S = 3600
DAY_S = 86400

# Stripe leaves a renewal's invoice a draft for about an hour.
# Source: https://docs.stripe.com/billing/invoices/subscription#subscription-renewals
DRAFT_S = HOUR_S
# A failed renewal is tried again after 3, 5 and 6 more days; then the subscription ends, two weeks after
# the first failure (billing.md, B 11: the median of real dunning is 14.0 days).
RETRY_AFTER_S = (3 * DAY_S, 5 * DAY_S, 6 * DAY_S)
TRIAL_NOTICE_S = 3 * DAY_S
INCOMPLETE_S = 23 * HOUR_S

LIVE = ("trialing", "active", "past_due", "unpaid", "paused", "incomplete")

END_TRIAL, TRIAL_NOTICE, CANCEL, RENEW, RESUME, EXPIRE, DROP_UPDATE = (
    "end_trial",
    "trial_notice",
    "cancel",
    "renew",
    "resume",
    "expire",
    "drop_update",
)
# What comes first when several are due in the same second: an end before a renewal.
_ORDER = (TRIAL_NOTICE, CANCEL, EXPIRE, DROP_UPDATE, END_TRIAL, RESUME, RENEW)


def add_intervals(anchor: int, interval: str, count: int) -> int:
    """`count` intervals after the anchor, both Unix seconds, by the calendar: 31 January and a month is
    the last day of February, and two months is 31 March again, because it counts from the anchor."""
    if interval in ("day", "week"):
        return anchor + count * DAY_S * (7 if interval == "week" else 1)
    months = count * (12 if interval == "year" else 1)
    start = datetime.fromtimestamp(anchor, UTC)
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def period_end(anchor: int, interval: str, count: int, after: int) -> int:
    """The first end of a period counted from the anchor that lies after this moment."""
    if after < anchor:
        return anchor
    start, target = datetime.fromtimestamp(anchor, UTC), datetime.fromtimestamp(after, UTC)
    if interval in ("day", "week"):
        length = timedelta(days=count * (7 if interval == "week" else 1))
        passed = (target - start) // length
    else:
        months = (target.year - start.year) * 12 + target.month - start.month
        passed = max(0, months // (count * (12 if interval == "year" else 1)) - 1)
    while (end := add_intervals(anchor, interval, count * (passed + 1))) <= after:
        passed += 1
    return end


def current_period_end(subscription: Json) -> int:
    """The latest end among the items' periods, in Unix seconds."""
    return max(int(item["current_period_end"]) for item in subscription["items"]["data"])


def retry_at(attempts: int, failed_at: int) -> int | None:
    """When to try again after this many failed attempts; None when it is time to give up."""
    return failed_at + RETRY_AFTER_S[attempts - 1] if attempts <= len(RETRY_AFTER_S) else None


def next_action(subscription: Json, private: Json) -> tuple[int, str] | None:
    """What this subscription does next by itself, and when."""
    status = subscription["status"]
    due: list[tuple[int, str]] = []
    if status == "incomplete":
        due.append((subscription["created"] + INCOMPLETE_S, EXPIRE))
    if status in ("trialing", "active", "past_due", "paused", "unpaid") and subscription["cancel_at"]:
        due.append((subscription["cancel_at"], CANCEL))
    if status == "trialing":
        due.append((subscription["trial_end"], END_TRIAL))
        if not private.get("trial_notice_sent"):
            due.append((subscription["trial_end"] - TRIAL_NOTICE_S, TRIAL_NOTICE))
    if status in ("active", "past_due"):
        due.append((current_period_end(subscription), RENEW))
    if subscription["pending_update"] and status in LIVE:
        due.append((subscription["pending_update"]["expires_at"], DROP_UPDATE))
    pause = subscription["pause_collection"]
    if pause and pause["resumes_at"] and status in LIVE:
        due.append((pause["resumes_at"], RESUME))
    return min(due, key=lambda one: (one[0], _ORDER.index(one[1]))) if due else None


def prorated(amount: int, period_start: int, end: int, now: int) -> int:
    """The share of an amount, in minor units, that falls on the rest of a period; halves go up."""
    length = end - period_start
    left = min(max(end - now, 0), length)
    return (2 * amount * left + length) // (2 * length) if length > 0 else 0
