"""What the public forms (responses, contact) share: who writes from where, the stamp, and the field nobody sees."""

from fastapi import Request

from app.articles import stamps
from app.articles.rules import check_pace
from app.clock import utcnow
from app.settings import get_settings


def client_ip(request: Request) -> str:
    return request.client.host if request.client else ""


def new_stamp(purpose: str) -> str:
    """A signed note of when the form was opened, for its hidden field."""
    return stamps.sign(get_settings().link_ring, purpose, utcnow())


def pace_error(purpose: str, stamp: str) -> str | None:
    """Why this form is not believed to be a person's, or None."""
    return check_pace(stamps.read(get_settings().link_ring, purpose, stamp), utcnow())
