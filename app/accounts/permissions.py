"""Who may do what, as a table: every route declares one Permission, and a test walks them all."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


@dataclass(frozen=True)
class Viewer:
    """Who is looking: a signed-in account on one device. An anonymous visitor is None."""

    user_id: UUID
    session_id: UUID
    name: str
    email: str
    is_staff: bool
    is_confirmed: bool


class Permission(StrEnum):
    """What a route needs. The last four are checked by the route itself, by other means than the cookie."""

    PUBLIC = "public"
    MEMBER = "member"
    STAFF = "staff"
    WEBHOOK_SIGNATURE = "webhook-signature"
    MEDIA_TOKEN = "media-token"  # noqa: S105 (a name, no secret)
    SIGNED_LINK = "signed-link"
    OPERATOR = "operator"


def _anyone(_viewer: Viewer | None) -> bool:
    return True


MAY: dict[Permission, Callable[[Viewer | None], bool]] = {
    Permission.PUBLIC: _anyone,
    Permission.MEMBER: lambda viewer: viewer is not None,
    Permission.STAFF: lambda viewer: viewer is not None and viewer.is_staff,
    Permission.WEBHOOK_SIGNATURE: _anyone,
    Permission.MEDIA_TOKEN: _anyone,
    Permission.SIGNED_LINK: _anyone,
    Permission.OPERATOR: _anyone,
}
