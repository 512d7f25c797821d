"""People out of a CSV file become members: accounts without a password, a mail each, Stripe's customers matched."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app import db, jobs
from app.accounts import audit
from app.accounts.models import User
from app.accounts.rules import clean_email, clean_name, tidy
from app.billing.taking_over import NO_PASSWORD, Matched, match
from app.clock import utcnow
from app.errors import BadInput
from app.i18n import N_, _
from app.moving.member_files import Row, read
from app.moving.wordpress.text import Repairs, clean_text, read_file
from app.settings import get_settings

NEW = N_("get an account")
KNOWN = N_("have an account already")
NO_EMAIL = N_("have no usable e-mail address: listed")
AGAIN = N_("stand in the file more than once")


@dataclass
class Report:
    """What became of the file's rows; `outcomes` add up to `rows`."""

    platform: str = ""
    rows: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    with_membership: int = 0
    odd: list[str] = field(default_factory=list)
    stripe: Matched | None = None


async def take(
    path: Path, platform: str, *, is_dry: bool, mails: bool, say: Callable[[int], None] = lambda _n: None
) -> Report:
    """Give everybody in the file an account, once; a second run finds them all here.

    Rights to watch come from Stripe alone: whoever pays there is matched by address, or by the customer's id where the
    file has it. With `is_dry` nothing is written, and nothing is asked of Stripe but a list.

    Raises:
        BadInput: the file is not there, or has no column for addresses.
        OtherAccount, StripeDown: as `taking_over.match`.
    """
    columns, rows = read(_lines(path), platform)
    told = Report(columns.platform)
    now = utcnow()
    # Addresses only: a hundred thousand members are some megabytes.
    seen: dict[str, str] = {}
    for row in rows:
        told.rows += 1
        told.with_membership += row.has_membership
        say(told.rows)
        try:
            address = clean_email(row.email)
        except BadInput:
            told.outcomes[NO_EMAIL] += 1
            told.odd.append(_("line %(line)s: “%(email)s”") % {"line": row.line, "email": row.email[:100]})
            continue
        if address in seen:
            told.outcomes[AGAIN] += 1
            seen[address] = seen[address] or row.stripe_id
            continue
        seen[address] = row.stripe_id
        told.outcomes[await _member(row, address, now, is_dry=is_dry, mails=mails)] += 1
    if get_settings().buying_enabled:
        told.stripe = await match(seen, apply=not is_dry)
    if not is_dry and told.outcomes[NEW]:
        async with db.transaction() as session:
            audit.record(session, None, "import.members", "site", "members", count=told.outcomes[NEW])
    return told


def _lines(path: Path) -> Iterator[str]:
    """The file's lines, as text, in any encoding and with any line ends."""
    if not path.is_file():
        raise BadInput(_("There is no file %(name)s.") % {"name": path})
    left = ""
    for piece in clean_text(read_file(path), Repairs()):
        *lines, left = (left + piece).splitlines(keepends=True) or [""]
        # A piece may end with whole line, or between the two signs of a line's end.
        if left.endswith("\n"):
            lines, left = [*lines, left], ""
        yield from lines
    if left:
        yield left


async def _member(row: Row, address: str, now: datetime, *, is_dry: bool, mails: bool) -> str:
    async with db.transaction() as session:
        if await session.scalar(select(User.id).where(User.email == address)) is not None:
            return KNOWN
        if is_dry:
            return NEW
        made = insert(User).values(
            email=address,
            name=_name(row.name, address),
            password_hash=NO_PASSWORD,
            role="member",
            created_at=row.joined_at or now,
        )
        user_id = await session.scalar(
            made.on_conflict_do_nothing(index_elements=["email"]).returning(User.id)
        )
        if user_id is None:
            return KNOWN
        if mails:
            context = {"name": _name(row.name, address), "forgot_url": f"{get_settings().base_url}/forgot"}
            await jobs.enqueue(
                session,
                "send_mail",
                {"template": "moved_in", "to": address, "context": context},
                workflow_id=f"mail:moved_in:{user_id}",
            )
    return NEW


def _name(name: str, address: str) -> str:
    try:
        return clean_name(tidy(name)[:120])
    except BadInput:
        return address.partition("@")[0]
