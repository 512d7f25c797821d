"""What the public forms (responses, contact, waiting lists) share: who writes from where, the stamp, the work, and the
field nobody sees."""

import secrets
from contextvars import ContextVar

from fastapi import Request

from app.accounts.permissions import Viewer
from app.articles import proofs, stamps
from app.articles.rules import check_pace
from app.clock import utcnow
from app.db import Db
from app.settings import get_settings

# What a guest's browser is asked to do: so many pieces of so many bits.
WORK = (proofs.PIECES, proofs.BITS)


def client_ip(request: Request) -> str:
    return request.client.host if request.client else ""


# While a page is drawn that is kept (app/web/kept.py): what stands in the place of each stamp → what it is for.
holes: ContextVar[dict[str, str] | None] = ContextVar("limber_holes", default=None)
# Nobody can write one into a page: they are of this process alone.
HOLE = secrets.token_hex(12)


def new_stamp(purpose: str) -> str:
    """A signed note of when the form was opened, for its hidden field."""
    here = holes.get()
    if here is not None:
        hole = f"{HOLE}{len(here):04}"
        here[hole] = purpose
        return hole
    return stamps.sign(get_settings().link_ring, purpose, utcnow())


def pace_error(purpose: str, stamp: str) -> str | None:
    """Why this form is not believed to be a person's, or None."""
    return check_pace(stamps.read(get_settings().link_ring, purpose, stamp), utcnow())


async def has_worked(db: Db, viewer: Viewer | None, stamp: str, proof: str) -> bool:
    """Whether something was paid for this form: an account with a confirmed address, or the work of one stamp, once."""
    if viewer is not None and viewer.is_confirmed:
        return True
    return proofs.is_proven(stamp, proof) and await proofs.spend(db, stamp, utcnow())
