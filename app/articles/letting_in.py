"""Whether a response is shown, waits for the teacher or goes with the spam, and how long it is its writer's."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.i18n import N_

# Somebody whom the teacher has let in so often is let in by themselves.
TRUSTED_AFTER = 2
EDITABLE_FOR = timedelta(minutes=10)

# Why a response is not shown: kept with it, and told to the teacher.
CAUSES = {
    "unproven": N_("Held: sent without JavaScript, or by a program"),
    "first": N_("Held: fewer than two of theirs were let in"),
    "words": N_("Held: its links or words"),
    "spam": N_("Held: you called an earlier one spam"),
    "reported": N_("Held: readers reported an earlier one"),
    "edited": N_("Held: changed after you had let it in"),
    "ban": N_("Banned"),
    "trap": N_("Filled in the field that nobody sees"),
}


@dataclass(frozen=True)
class Standing:
    """What the teacher has decided about earlier responses of the same person.

    `reported`: shown ones about which readers complained, still to be decided.
    """

    approved: int = 0
    spam: int = 0
    reported: int = 0


@dataclass(frozen=True)
class Verdict:
    """The state of a response, and why (a key of CAUSES) where it is not shown."""

    state: str
    cause: str = ""


def decide(
    standing: Standing,
    *,
    is_staff: bool = False,
    is_trapped: bool = False,
    is_suspect: bool = False,
    is_proven: bool = True,
    is_banned: bool = False,
) -> Verdict:
    """The state that a new response starts in.

    `is_trapped`: the field that people cannot see was filled in. `is_suspect`: too many links, or a held word.
    `is_banned`: silently, by an address that anybody may type. `is_proven`: an account, or a browser that did the work
    for its form.
    """
    if is_staff:
        return Verdict("approved")
    if is_banned:
        return Verdict("spam", "ban")
    if is_trapped:
        return Verdict("spam", "trap")
    held = {
        "words": is_suspect,
        "spam": standing.spam > 0,
        "reported": standing.reported > 0,
        "unproven": not is_proven,
        "first": standing.approved < TRUSTED_AFTER,
    }
    cause = next((name for name, is_so in held.items() if is_so), "")
    return Verdict("pending", cause) if cause else Verdict("approved")


def after_edit(before: Verdict, fresh: Verdict) -> Verdict:
    """What becomes of a response with other words. `fresh`: what they would be if they were new.

    Held stays held, and spam spam: who wrote it must not learn which it is. What was let in stays only for those
    whom the teacher trusts: she has let in other words.
    """
    if before.state == "spam":
        return before
    if before.state == "pending":
        return Verdict("pending", fresh.cause if fresh.cause == "words" else before.cause)
    if fresh.state == "approved":
        return fresh
    return Verdict("pending", "edited" if fresh.cause == "first" else fresh.cause)


def is_editable(created_at: datetime, now: datetime) -> bool:
    """Whether it may still be changed by who wrote it."""
    return now - created_at < EDITABLE_FOR


def minutes_left(created_at: datetime, now: datetime) -> int:
    """Whole minutes, begun ones counted, that it may still be changed."""
    return max(0, -(-(created_at + EDITABLE_FOR - now) // timedelta(minutes=1)))
