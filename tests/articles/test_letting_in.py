"""Who is shown at once, who waits, and what an edit changes about it."""

from datetime import UTC, datetime, timedelta

import pytest

from app.articles.letting_in import (
    CAUSES,
    TRUSTED_AFTER,
    Standing,
    Verdict,
    after_edit,
    decide,
    is_editable,
    minutes_left,
)

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KNOWN = Standing(approved=TRUSTED_AFTER)


@pytest.mark.parametrize(
    ("standing", "facts", "state", "cause"),
    [
        (Standing(), {}, "pending", "first"),
        (Standing(approved=1), {}, "pending", "first"),
        (KNOWN, {}, "approved", ""),
        (KNOWN, {"is_suspect": True}, "pending", "words"),
        (Standing(approved=9, spam=1), {}, "pending", "spam"),
        (Standing(approved=9, reported=1), {}, "pending", "reported"),
        (KNOWN, {"is_trapped": True}, "spam", "trap"),
        (KNOWN, {"is_proven": False}, "pending", "unproven"),
        (KNOWN, {"is_banned": True}, "spam", "ban"),
        (Standing(), {"is_staff": True}, "approved", ""),
        # Staff's password manager may fill anything.
        (Standing(), {"is_staff": True, "is_trapped": True, "is_suspect": True}, "approved", ""),
    ],
)
def test_who_waits_and_who_is_trusted(
    standing: Standing, facts: dict[str, bool], state: str, cause: str
) -> None:
    assert decide(standing, **facts) == Verdict(state, cause)
    assert not cause or cause in CAUSES


@pytest.mark.parametrize(
    ("before", "fresh", "after"),
    [
        (Verdict("approved"), Verdict("approved"), Verdict("approved")),
        # Let in by the teacher, who has not read the new words.
        (Verdict("approved"), Verdict("pending", "first"), Verdict("pending", "edited")),
        (Verdict("approved"), Verdict("pending", "words"), Verdict("pending", "words")),
        (Verdict("approved"), Verdict("pending", "spam"), Verdict("pending", "spam")),
        (Verdict("approved"), Verdict("spam", "ban"), Verdict("pending", "ban")),
        # Nothing gets onto the page by being edited.
        (Verdict("pending", "words"), Verdict("approved"), Verdict("pending", "words")),
        (Verdict("pending", "first"), Verdict("pending", "words"), Verdict("pending", "words")),
        (Verdict("spam", "trap"), Verdict("approved"), Verdict("spam", "trap")),
    ],
)
def test_an_edit_goes_through_the_same_rules(before: Verdict, fresh: Verdict, after: Verdict) -> None:
    assert after_edit(before, fresh) == after


@pytest.mark.parametrize(
    ("seconds", "is_open", "minutes"),
    [(0, True, 10), (1, True, 10), (61, True, 9), (599, True, 1), (600, False, 0)],
)
def test_ten_minutes_are_ten_minutes(seconds: int, is_open: bool, minutes: int) -> None:
    now = AT + timedelta(seconds=seconds)
    assert is_editable(AT, now) is is_open
    assert minutes_left(AT, now) == minutes
