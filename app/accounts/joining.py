"""Joining: ask with an address, confirm by the mailed link, and only then is there an account.

The password is chosen behind the link, not before it. So nobody can prepare an account with somebody else's address
and their own password, an unconfirmed account cannot block an address or be signed in to (trying to would tell
whether the address was free), and everyone who is signed in has a confirmed address: paying needs no further check.
"""

from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import letters, links, passwords, queries, rules
from app.accounts.links import Claims, Purpose
from app.accounts.models import User
from app.accounts.signing_in import Device, open_session
from app.errors import LinkExpired
from app.i18n import _
from app.settings import get_settings


async def ask_to_join(
    db: AsyncSession, email: str, name: str, next_path: str, now: datetime, came_from: str = ""
) -> str:
    """Mail a link to the address, or, when it has an account, a reminder of that. Answers the cleaned address.

    `came_from`: the article that brought them, which the link carries on to the account.

    Raises:
        BadInput: when name or address cannot be used; never because of an account.
    """
    name, email = rules.clean_name(name), rules.clean_email(email)
    base_url = get_settings().base_url
    if await queries.by_email(db, email) is not None:
        login_url = f"{base_url}/login?{urlencode({'email': email, 'next': next_path})}"
        await letters.already_joined(db, email, login_url, f"{base_url}/forgot", now)
    else:
        extra = {"name": name, "next": next_path} | ({"from": came_from} if came_from else {})
        claims = Claims(email, "new", extra)
        await letters.confirm(db, email, links.url(Purpose.JOIN, claims, now), name, now)
    return email


def _used() -> LinkExpired:
    return LinkExpired(_("This link was used already: your account is ready. You can log in with it."))


async def read_link(db: AsyncSession, token: str, now: datetime) -> Claims:
    """Whom a joining link is for; changes nothing, so that mail scanners may open it.

    Raises:
        LinkExpired: when it is not valid, or its account exists.
    """
    claims = links.read(token, Purpose.JOIN, now)
    if await queries.by_email(db, claims.subject) is not None:
        raise _used()
    return claims


async def finish_joining(
    db: AsyncSession, token: str, password: str, device: Device, now: datetime
) -> tuple[str, str]:
    """Make the account and sign in on this device. Answers the cookie's value and the path to go on to.

    Raises:
        LinkExpired: when the link is not valid, or was used.
        BadInput: when the password cannot be used; the link still works.
    """
    claims = await read_link(db, token, now)
    rules.check_new_password(password, claims.subject)
    user = await add_user(
        db,
        email=claims.subject,
        name=claims.extra.get("name", ""),
        password=password,
        now=now,
        came_from=claims.extra.get("from", ""),
    )
    if user is None:
        raise _used()
    await letters.welcome(db, user, f"{get_settings().base_url}/library")
    return await open_session(db, user, device, now), claims.extra.get("next", "")


async def add_user(
    db: AsyncSession,
    *,
    email: str,
    name: str,
    password: str,
    now: datetime,
    role: str = "member",
    came_from: str = "",
) -> User | None:
    """A confirmed account; None when the address got one in the same moment."""
    kept = await passwords.hashed(password)
    made = insert(User).values(
        email=email,
        name=name,
        password_hash=kept,
        role=role,
        email_confirmed_at=now,
        created_at=now,
        came_from=came_from,
    )
    return (
        await db.scalars(made.on_conflict_do_nothing(index_elements=["email"]).returning(User))
    ).one_or_none()
