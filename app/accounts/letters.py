"""The mails that accounts send, each written into the transaction of its cause."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app import jobs
from app.accounts.models import User
from app.accounts.rules import fingerprint


async def _send(db: AsyncSession, template: str, to: str, context: dict[str, Any], *cause: str) -> None:
    # The address is not written into the id, which is seen in logs.
    workflow_id = f"mail:{template}:{fingerprint(to, *cause)}"
    await jobs.enqueue(
        db, "send_mail", {"template": template, "to": to, "context": context}, workflow_id=workflow_id
    )


def _minute(now: datetime) -> str:
    """Part of the cause of what people ask for: a double click is one wish, a minute later it is another."""
    return now.strftime("%Y-%m-%dT%H:%M")


async def confirm(db: AsyncSession, to: str, url: str, name: str, now: datetime) -> None:
    """To an address without an account that asked to join. The name is not in it: anybody may have typed it."""
    await _send(db, "confirm", to, {"url": url}, name, _minute(now))


async def already_joined(db: AsyncSession, to: str, login_url: str, forgot_url: str, now: datetime) -> None:
    await _send(db, "already_joined", to, {"login_url": login_url, "forgot_url": forgot_url}, _minute(now))


async def welcome(db: AsyncSession, user: User, library_url: str) -> None:
    await _send(db, "welcome", user.email, {"name": user.name, "url": library_url}, str(user.id))


async def reset_password(db: AsyncSession, user: User, url: str, now: datetime) -> None:
    context = {"name": user.name, "url": url}
    # The password's state is part of the cause: a link used within the minute does not swallow the next wish.
    await _send(db, "reset_password", user.email, context, fingerprint(user.password_hash), _minute(now))


async def no_account(db: AsyncSession, to: str, join_url: str, now: datetime) -> None:
    """For whoever asked for a new password with an address that has no account."""
    await _send(db, "no_account", to, {"join_url": join_url}, _minute(now))


async def password_changed(db: AsyncSession, user: User, forgot_url: str) -> None:
    context = {"name": user.name, "forgot_url": forgot_url}
    await _send(db, "password_changed", user.email, context, fingerprint(user.password_hash))


async def change_email(db: AsyncSession, user: User, to: str, url: str, now: datetime) -> None:
    await _send(db, "change_email", to, {"name": user.name, "url": url}, user.email, _minute(now))


async def email_taken(db: AsyncSession, to: str, login_url: str, now: datetime) -> None:
    await _send(db, "email_taken", to, {"login_url": login_url}, _minute(now))


async def email_changed(db: AsyncSession, user: User, old: str, contact_url: str, now: datetime) -> None:
    """The notice to the old address."""
    context = {"name": user.name, "new": user.email, "contact_url": contact_url}
    await _send(db, "email_changed", old, context, user.email, now.isoformat())


async def account_deleted(db: AsyncSession, user: User, now: datetime) -> None:
    await _send(db, "account_deleted", user.email, {"name": user.name}, str(user.id), _minute(now))
