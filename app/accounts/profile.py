"""What a member changes about their own account: the name, and the password."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import letters, passwords, queries, rules, sessions, throttle
from app.accounts.models import User
from app.accounts.signing_in import Device, open_session
from app.errors import BadInput
from app.i18n import _
from app.settings import get_settings


async def rename(db: AsyncSession, user_id: UUID, name: str) -> None:
    """Change the name.

    Raises:
        BadInput: when it cannot be used.
    """
    user = await queries.by_id(db, user_id)
    user.name = rules.clean_name(name)


async def check_current_password(db: AsyncSession, user_id: UUID, password: str) -> User:
    """The account, held until the transaction ends, once its owner has typed the password again.

    Raises:
        BadInput: when it is not right; field `current`.
    """
    user = await queries.locked(db, user_id)
    kept = user.password_hash if user else None
    if not await passwords.matches(password[: rules.PASSWORD_MAX + 1], kept) or user is None:
        raise BadInput(_("This is not your present password."), field="current")
    await throttle.forget(db, rules.reauthentication_bucket(user_id))
    return user


async def change_password(
    db: AsyncSession, user_id: UUID, current: str, password: str, device: Device, now: datetime
) -> str:
    """Keep a new password and sign every other device out. Answers this device's new cookie value.

    Raises:
        BadInput: when the present password is not right, or the new one cannot be used.
    """
    user = await check_current_password(db, user_id, current)
    rules.check_new_password(password, user.email)
    user.password_hash = await passwords.hashed(password)
    await db.flush()
    await sessions.revoke_all(db, user.id, now)
    await letters.password_changed(db, user, f"{get_settings().base_url}/forgot")
    return await open_session(db, user, device, now)
