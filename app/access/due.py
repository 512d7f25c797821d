"""What a source (a subscription, a purchase) entitles to at this moment, and what that changes. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Due:
    """A right that should exist: from one source, for one course (None: every course), until `ends_at` (None: open)."""

    source_id: str
    course_id: UUID | None
    starts_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True)
class Held:
    """A right that is written down. `revoked_at` None: it was not taken."""

    source_id: str
    course_id: UUID | None
    ends_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class Step:
    """One change that brings what is held in line with what is due; `due` None: the right ends.

    `change`: given, extended, shortened, restored or ended.
    """

    change: str
    source_id: str
    course_id: UUID | None
    due: Due | None

    @property
    def takes_away(self) -> bool:
        return self.due is None


def steps(
    held: Iterable[Held], due: Iterable[Due], now: datetime, keep: Collection[str] = ()
) -> tuple[Step, ...]:
    """What must change so that what is due, and nothing else, is held; rights of the sources in `keep` stay.

    A right that is due no longer ends, unless it had lapsed by itself.
    """
    rows = {(row.source_id, row.course_id): row for row in held}
    wanted = {(one.source_id, one.course_id): one for one in due if one.source_id not in keep}
    found = []
    for (source_id, course_id), one in wanted.items():
        change = _change(rows.get((source_id, course_id)), one)
        if change is not None:
            found.append(Step(change, source_id, course_id, one))
    for (source_id, course_id), row in rows.items():
        lapsed = row.ends_at is not None and row.ends_at <= now
        stays = (source_id, course_id) in wanted or source_id in keep
        if not stays and row.revoked_at is None and not lapsed:
            found.append(Step("ended", source_id, course_id, None))
    return tuple(found)


def _change(row: Held | None, due: Due) -> str | None:
    if row is None:
        return "given"
    if row.revoked_at is not None:
        return "restored"
    if row.ends_at == due.ends_at:
        return None
    longer = row.ends_at is not None and (due.ends_at is None or due.ends_at > row.ends_at)
    return "extended" if longer else "shortened"
