"""What a source (a subscription, a purchase) entitles to at this moment. Pure."""

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
