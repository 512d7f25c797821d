"""A forgotten password: a mailed link that works once, for an hour, and signs every other device out."""

from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import letters, links, passwords, queries, rules, sessions
from app.accounts.links import Claims, Purpose
from app.accounts.models import User
from app.accounts.signing_in import Device, closed, open_session
from app.errors import LinkExpired
from app.settings import get_settings


def _state(user: User) -> str:
    return rules.fingerprint(user.password_hash, user.email)


async def ask_for_new_password(db: AsyncSession, email: str, now: datetime, next_path: str = "") -> str:
    """Mail a link to the account's address; an address without one gets a mail that says so. Answers the address.

    Both are one mail, so that neither the answer nor its time tells which it was.

    Raises:
        BadInput: when this is no address; never because of an account.
    """
    email = rules.clean_email(email)
    user = await queries.by_email(db, email)
    if user is None:
        join_url = f"{get_settings().base_url}/join?{urlencode({'next': next_path} if next_path else {})}"
        await letters.no_account(db, email, join_url.rstrip("?"), now)
    else:
        claims = Claims(str(user.id), _state(user), {"next": next_path})
        await letters.reset_password(db, user, links.url(Purpose.RESET, claims, now), now)
    return email


async def read_link(db: AsyncSession, token: str, now: datetime) -> tuple[User, str]:
    """Whose password a link may set, and the path to go on to. Changes nothing; holds the account for this transaction.

    Raises:
        LinkExpired: when it is not valid, or the password or address changed since.
        Forbidden: when the account is banned.
    """
    claims = links.read(token, Purpose.RESET, now)
    try:
        user = await queries.locked(db, UUID(claims.subject))
    except ValueError:
        raise LinkExpired from None
    if user is None or claims.state != _state(user):
        raise LinkExpired
    if user.banned_at is not None:
        raise closed()
    return user, claims.extra.get("next", "")


async def set_new_password(
    db: AsyncSession, token: str, password: str, device: Device, now: datetime
) -> tuple[str, str]:
    """Keep the new password, sign out every device, sign in on this one. Answers the cookie's value and the path.

    Raises:
        LinkExpired: when the link is not valid, or was used.
        BadInput: when the password cannot be used; the link still works.
        Forbidden: when the account is banned.
    """
    user, next_path = await read_link(db, token, now)
    rules.check_new_password(password, user.email)
    user.password_hash = await passwords.hashed(password)
    # The link proves the mailbox, also for an account that came from an import.
    user.email_confirmed_at = user.email_confirmed_at or now
    await db.flush()
    await sessions.revoke_all(db, user.id, now)
    await letters.password_changed(db, user, f"{get_settings().base_url}/forgot")
    return await open_session(db, user, device, now), next_path
