"""Staff accounts, made from the command line."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit, rules
from app.accounts.joining import add_user
from app.accounts.models import User
from app.clock import utcnow
from app.errors import Conflict
from app.i18n import _


async def create_staff(db: AsyncSession, email: str, name: str, password: str) -> User:
    """A confirmed staff account.

    Raises:
        BadInput: when address, name or password cannot be used.
        Conflict: when the address has an account.
    """
    email, name = rules.clean_email(email), rules.clean_name(name)
    rules.check_new_password(password, email)
    user = await add_user(db, email=email, name=name, password=password, now=utcnow(), role="staff")
    if user is None:
        raise Conflict(_("This address has an account already."), field="email")
    audit.record(db, None, "staff.create", "member", user.id, name=user.name)
    return user
