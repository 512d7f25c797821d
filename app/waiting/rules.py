"""Decisions about waiting lists: what may be announced, what the teacher does next, how demand is told. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from app.accounts.rules import Bucket, Limit, tidy
from app.catalog.rules import SLUG_MAX, is_slug
from app.i18n import N_, _

TITLE_MAX = 160
SUMMARY_MAX = 320
WEEK = timedelta(days=7)
# How long a link in the question works, and how long an address that never answered is kept.
UNANSWERED = timedelta(days=30)
# So long after the one mail, the address is forgotten; that somebody asked is still counted.
KEPT_AFTER = timedelta(days=30)

# Questions in mails, of the whole site: with a form's proof of work, and without it (no JavaScript, or a program).
# What is over goes out later, as many in each hour.
QUESTIONS = Limit("wait-all", 300, timedelta(hours=1))
QUESTIONS_UNPROVEN = Limit("wait-unproven", 20, timedelta(hours=1))
# To one address, which may be a stranger's.
QUESTIONS_ADDRESS = Limit("wait-address", 8, timedelta(days=1))

Errors = dict[str, str]


class Thing(StrEnum):
    """What a topic may become."""

    LESSON = "lesson"
    COURSE = "course"
    ARTICLE = "article"


@dataclass(frozen=True)
class TopicDraft:
    """What the studio's form holds. `becomes`: "lesson:<id>", "course:<id>", "article:<id>" or nothing."""

    title: str = ""
    slug: str = ""
    summary: str = ""
    becomes: str = ""

    def tidy(self) -> "TopicDraft":
        return replace(
            self,
            title=" ".join(tidy(self.title).split()),
            slug=self.slug.strip().lower(),
            summary=" ".join(tidy(self.summary).split()),
        )


def check_topic(draft: TopicDraft) -> Errors:
    """A sentence for each field that cannot be saved."""
    errors: Errors = {}
    if not draft.title:
        errors["title"] = _("Please say in a few words what it will be.")
    elif len(draft.title) > TITLE_MAX:
        errors["title"] = _("The title is longer than 160 characters. Please shorten it.")
    if len(draft.slug) > SLUG_MAX or (draft.slug and not is_slug(draft.slug)):
        errors["slug"] = _("Use small letters, digits and hyphens only, for example neck-stretches.")
    if len(draft.summary) > SUMMARY_MAX:
        errors["summary"] = _("The summary is longer than 320 characters. Two sentences are enough.")
    return errors


def question_buckets(*, is_worked: bool) -> list[Bucket]:
    """What one more question in a mail counts in. `is_worked`: something was paid for it (docs/adr/0021)."""
    buckets = [Bucket("wait:questions", QUESTIONS)]
    return buckets if is_worked else [*buckets, Bucket("wait:questions:unproven", QUESTIONS_UNPROVEN)]


class Step(StrEnum):
    """What the teacher does next about a topic."""

    SHOW = "show"
    MAKE = "make"
    FINISH = "finish"
    NOTHING = "nothing"


STEPS = {
    Step.SHOW: N_("Show it where readers are: in an article."),
    Step.MAKE: N_("Make it, and say here what it has become."),
    Step.FINISH: N_("Finish it and publish it: the mails go out by themselves."),
    Step.NOTHING: N_("It is out, and those who waited were told."),
}


def next_step(*, is_tied: bool, is_out: bool, asked: int) -> Step:
    """`asked`: how many have asked for it, confirmed or not."""
    if is_out:
        return Step.NOTHING
    if is_tied:
        return Step.FINISH
    return Step.MAKE if asked else Step.SHOW


@dataclass(frozen=True)
class Week:
    """How many asked in the seven days from `begins_at`, and how many of these confirmed."""

    begins_at: datetime
    asked: int
    confirmed: int


def by_week(asked: Iterable[tuple[datetime, bool]], now: datetime, weeks: int) -> list[Week]:
    """The last `weeks` times seven days up to `now`, the oldest first. `asked`: (when, whether it was confirmed)."""
    begin = now - weeks * WEEK
    totals, confirmed = [0] * weeks, [0] * weeks
    for at, is_confirmed in asked:
        # What is asked at this very moment belongs to the last week.
        n = min((at - begin) // WEEK, weeks - 1)
        if n >= 0 and at <= now:
            totals[n] += 1
            confirmed[n] += is_confirmed
    return [Week(begin + n * WEEK, totals[n], confirmed[n]) for n in range(weeks)]
