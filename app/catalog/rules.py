"""What is out, what may be published and what is missing, and how addresses are made: pure."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from app.i18n import N_

SLUG_MAX = 80
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")


class Scheduled(Protocol):
    """Anything with a lesson's state and day."""

    @property
    def state(self) -> str: ...
    @property
    def available_at(self) -> datetime | None: ...


def is_out(lesson: Scheduled, now: datetime) -> bool:
    """Published, and its day has come. Whether its course is published is another question."""
    return standing(lesson.state, lesson.available_at, now)[0]


def standing(state: str, available_at: datetime | None, now: datetime) -> tuple[bool, bool]:
    """Of a lesson's state and day: (it is out, everybody may see in the outline that it is not out yet).

    The second: it is announced, or published for a later day.
    """
    has_come = available_at is None or available_at <= now
    return state == "published" and has_come, state == "announced" or (state == "published" and not has_come)


class Missing(StrEnum):
    """One thing that keeps a lesson or a course from being published."""

    TITLE = "title"
    SUMMARY = "summary"
    LESSON = "lesson"
    VIDEO = "video"
    VIDEO_NOT_READY = "video-not-ready"
    VIDEO_FAILED = "video-failed"


SENTENCES = {
    Missing.TITLE: N_("It needs a title."),
    Missing.SUMMARY: N_("It needs a summary: a sentence or two about what it helps with."),
    Missing.LESSON: N_("It needs at least one lesson that is published or announced."),
    Missing.VIDEO: N_("It needs a video."),
    Missing.VIDEO_NOT_READY: N_("Its video is still being prepared. Publish it when the video is ready."),
    Missing.VIDEO_FAILED: N_("Its video could not be prepared. Choose another one or upload it again."),
}


@dataclass(frozen=True)
class LessonDraft:
    """What decides whether a lesson may be published. `video_state` None: no video is chosen."""

    title: str
    video_state: str | None


@dataclass(frozen=True)
class CourseDraft:
    """What decides whether a course may be published; `lesson_states` are those of all its lessons."""

    title: str
    summary: str
    lesson_states: tuple[str, ...]


def can_publish(draft: LessonDraft | CourseDraft) -> tuple[Missing, ...]:
    """Each thing that is missing, in the order in which one would mend them; empty: it may be published."""
    missing = [] if draft.title.strip() else [Missing.TITLE]
    if isinstance(draft, CourseDraft):
        if not draft.summary.strip():
            missing.append(Missing.SUMMARY)
        if not any(state in ("published", "announced") for state in draft.lesson_states):
            missing.append(Missing.LESSON)
    elif draft.video_state is None:
        missing.append(Missing.VIDEO)
    elif draft.video_state == "failed":
        missing.append(Missing.VIDEO_FAILED)
    elif draft.video_state != "ready":
        missing.append(Missing.VIDEO_NOT_READY)
    return tuple(missing)


def slugify(title: str) -> str:
    """A title as part of an address: `Hüfte & Knie` becomes `hufte-knie`; "" when no letter is left."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")
    return words[:SLUG_MAX].rstrip("-")


def is_slug(text: str) -> bool:
    """Small letters, digits and single hyphens between them, at most 80."""
    return len(text) <= SLUG_MAX and SLUG.match(text) is not None


def free_slug(wanted: str, taken: Iterable[str]) -> str:
    """`wanted`, or `wanted-2`, `wanted-3`, … when others have it already."""
    used = set(taken)
    if wanted not in used:
        return wanted
    n = 2
    while (candidate := f"{wanted[: SLUG_MAX - len(str(n)) - 1]}-{n}") in used:
        n += 1
    return candidate


def moved(order: list[str], item: str, by: int) -> list[str]:
    """The order with `item` one or more places up (negative) or down; the ends hold it."""
    at = order.index(item)
    rest = order[:at] + order[at + 1 :]
    to = min(max(at + by, 0), len(rest))
    return [*rest[:to], item, *rest[to:]]
