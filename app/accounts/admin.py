"""Staff accounts, made from the command line."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit, passwords, queries, rules, sessions
from app.accounts.joining import add_user
from app.accounts.models import User
from app.clock import utcnow
from app.errors import Conflict
from app.i18n import _


async def create_staff(db: AsyncSession, email: str, name: str, password: str) -> User:
    """A confirmed staff account. An account that the address has becomes one, with this password and its own name.

    Raises:
        BadInput: when address, name or password cannot be used.
        Conflict: when the address got an account in the same moment.
    """
    email, name, now = rules.clean_email(email), rules.clean_name(name), utcnow()
    rules.check_new_password(password, email)
    known = await queries.by_email(db, email)
    if known is not None:
        return await _promote(db, known, password)
    user = await add_user(db, email=email, name=name, password=password, now=now, role="staff")
    if user is None:
        raise Conflict(_("This address got an account just now. Please try again."), field="email")
    audit.record(db, None, "staff.create", "member", user.id, name=user.name)
    return user


async def _promote(db: AsyncSession, user: User, password: str) -> User:
    now = utcnow()
    user.role, user.password_hash = "staff", await passwords.hashed(password)
    user.email_confirmed_at = user.email_confirmed_at or now
    user.banned_at = user.ban_reason = None
    await db.flush()
    # Whoever knew the old password must not be staff on a device that is still signed in.
    await sessions.revoke_all(db, user.id, now)
    audit.record(db, None, "staff.promote", "member", user.id, name=user.name)
    return user
