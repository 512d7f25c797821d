"""The trail of staff actions: every change that a member of staff makes leaves an entry in the same transaction."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import AuditEntry


def record(
    db: AsyncSession, actor_id: UUID | None, action: str, subject_kind: str, subject_id: object, **detail: Any
) -> None:
    """Note that `actor_id` (None: the command line) did `action` ("article.publish") to a subject.

    `detail` must be JSON; never put secrets or message bodies into it.
    """
    db.add(
        AuditEntry(
            actor_id=actor_id,
            action=action,
            subject_kind=subject_kind,
            subject_id=str(subject_id),
            detail=detail,
        )
    )
