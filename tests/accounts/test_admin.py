"""The first member of staff, as `limber admin create` makes one."""

import os
import subprocess
import sys

import pytest

from app import db
from app.accounts import passwords, queries, sessions
from app.accounts.admin import create_staff
from app.clock import utcnow
from app.errors import BadInput
from tests import factories

PASSWORD = "three quiet hips"


def run(database_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": database_url, "LIMBER_ADMIN_PASSWORD": PASSWORD}
    command = [sys.executable, "-m", "app", "admin", "create", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


async def test_the_command_makes_someone_who_can_sign_in(database: db.Database, database_url: str) -> None:
    done = run(database_url, "Malia@Example.com", "--name", "Malia")
    assert done.returncode == 0, done.stderr
    assert "can sign in at https://limber.test/login" in done.stdout
    async with db.transaction() as session:
        user = await queries.by_email(session, "malia@example.com")
    assert user is not None
    assert (user.name, user.role) == ("Malia", "staff")
    assert user.email_confirmed_at is not None
    assert await passwords.matches(PASSWORD, user.password_hash)


async def test_the_command_says_in_a_sentence_what_is_wrong(database_url: str) -> None:
    done = run(database_url, "malia@")
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "This does not look like an e-mail address. It should be like name@example.com."
    )


async def test_an_existing_account_becomes_staff_and_is_signed_out(database: db.Database) -> None:
    now = utcnow()
    async with db.transaction() as session:
        user = await factories.user(session, email="kai@example.com", name="Kai", banned_at=now)
        await sessions.start(session, user, user_agent="", ip="", now=now)
    async with db.transaction() as session:
        await create_staff(session, "kai@example.com", "Somebody", PASSWORD)
    async with db.transaction() as session:
        known = await queries.by_id(session, user.id)
        assert (known.name, known.role, known.banned_at) == ("Kai", "staff", None)
        assert await sessions.active(session, user.id, now) == []
        trail = await queries.deeds(session, 1)
    assert [(deed.entry.action, deed.actor) for deed in trail.rows] == [("staff.promote", None)]


async def test_staff_need_a_good_password_too(database: db.Database) -> None:
    async with db.transaction() as session:
        with pytest.raises(BadInput):
            await create_staff(session, "kai@example.com", "Kai", "short")
