"""Change of address: confirmed at the new one by a mailed link, told to the old one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import letters, links, queries, rules
from app.accounts.links import Claims, Purpose
from app.accounts.models import User
from app.accounts.profile import check_current_password
from app.errors import BadInput, Conflict, LinkExpired
from app.i18n import _
from app.settings import get_settings


def _state(user: User) -> str:
    return rules.fingerprint(user.password_hash, user.email)


async def ask_to_change_email(
    db: AsyncSession, user_id: UUID, new_email: str, password: str, now: datetime
) -> str:
    """Mail a link to the new address; nothing changes until it is used. Answers the cleaned address.

    Raises:
        BadInput: when the address or the current password is not right; never because another account has it.
    """
    email = rules.clean_email(new_email)
    user = await check_current_password(db, user_id, password)
    if email == user.email:
        raise BadInput(_("This is your address already."), field="email")
    base_url = get_settings().base_url
    if await queries.by_email(db, email) is not None:
        await letters.email_taken(db, email, f"{base_url}/login", now)
    else:
        claims = Claims(str(user.id), _state(user), {"email": email})
        await letters.change_email(db, user, email, links.url(Purpose.EMAIL, claims, now), now)
    return email


async def read_link(db: AsyncSession, token: str, now: datetime) -> tuple[User, str]:
    """Whose address a link changes, and to what; changes nothing but holds the account for this transaction.

    Raises:
        LinkExpired: when it is not valid, or the password or address changed since.
    """
    claims = links.read(token, Purpose.EMAIL, now)
    try:
        user = await queries.locked(db, UUID(claims.subject))
    except ValueError:
        raise LinkExpired from None
    if user is None or user.banned_at is not None or claims.state != _state(user):
        raise LinkExpired
    return user, claims.extra.get("email", "")


async def finish_changing_email(db: AsyncSession, token: str, now: datetime) -> User:
    """Make the new address the account's, and tell the old one.

    Raises:
        LinkExpired: when the link is not valid, or was used.
        Conflict: when another account took the address in the meantime.
    """
    user, email = await read_link(db, token, now)
    old = user.email
    try:
        async with db.begin_nested():
            user.email, user.email_confirmed_at = email, now
            await db.flush()
    except IntegrityError:
        raise Conflict(
            _("This address has an account of its own now. Your address was not changed.")
        ) from None
    await letters.email_changed(db, user, old, f"{get_settings().base_url}/contact", now)
    return user
