"""Signing in and out: a right password opens a session with a new token, and ends the one the browser came with."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import passwords, queries, rules, sessions, throttle
from app.accounts.models import User, UserSession
from app.errors import BadInput, Forbidden
from app.i18n import _


@dataclass(frozen=True)
class Device:
    """Where a request comes from. `old_token` is the cookie it came with, of whomever it may be."""

    user_agent: str
    ip: str
    old_token: str | None = None


def wrong() -> BadInput:
    """The one answer to every sign-in that fails, whatever the reason."""
    return BadInput(_("This e-mail address and password do not match. Please check both."), field="password")


def closed() -> Forbidden:
    """For the owner of a banned account, who has shown that it is theirs."""
    return Forbidden(_("This account is closed. If you think this is a mistake, please write to us."))


async def sign_in(db: AsyncSession, email: str, password: str, device: Device, now: datetime) -> str:
    """Check the password and open a session. Answers the new cookie's value.

    Raises:
        BadInput: with the same sentence, after the same time, for a wrong password and an unknown address.
        Forbidden: when the password is right and the account is banned.
    """
    try:
        user = await queries.by_email(db, rules.clean_email(email))
    except BadInput:
        user = None
    right = await passwords.matches(password[: rules.PASSWORD_MAX + 1], user.password_hash if user else None)
    if user is None or not right:
        raise wrong()
    if user.banned_at is not None:
        raise closed()
    pair, network = rules.sign_in_buckets(email, device.ip)
    await throttle.forgive(db, pair, network)
    return await open_session(db, user, device, now)


async def open_session(db: AsyncSession, user: User, device: Device, now: datetime) -> str:
    """A session with a new token, whatever cookie the browser came with: a planted one gains nothing."""
    if device.old_token:
        await end_token(db, device.old_token, now)
    return await sessions.start(db, user, user_agent=device.user_agent, ip=device.ip, now=now)


async def end_token(db: AsyncSession, token: str, now: datetime) -> None:
    """End the session of this cookie, if there is one."""
    await db.execute(
        update(UserSession)
        .where(UserSession.token_hash == sessions.hash_token(token), UserSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )
