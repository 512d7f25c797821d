"""A page's question: many facts, one statement, and what comes of parameters."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError, ProgrammingError

from app import db
from app.accounts.models import User
from app.question import Fact, ask, given, known, moment
from tests import factories
from tests.statements import statements

NAME = Fact("name", select(User.name).where(User.id == given("user_id")).scalar_subquery())
ROLES = Fact(
    "roles",
    select(func.json_agg(User.role))
    .where(User.role.in_(("staff", "member")), User.id == given("user_id"))
    .scalar_subquery(),
)
JOINED = Fact(
    "joined",
    select(func.json_build_array(User.created_at, User.id, None))
    .where(User.id == given("user_id"))
    .scalar_subquery(),
)


async def test_all_facts_of_a_page_are_one_statement(database: db.Database) -> None:
    async with db.transaction() as session:
        user = await factories.user(session, name="Ann")
    with statements(database) as asked:
        async with db.statements() as connection:
            found = await ask(connection, NAME, ROLES, JOINED, user_id=user.id)
    assert len(asked) == 1
    assert (found["name"], found["roles"]) == ("Ann", ["member"])
    at, user_id, nothing = found["joined"]
    assert (moment(at), known(user_id), known(nothing), moment(nothing)) == (
        user.created_at,
        user.id,
        None,
        None,
    )


async def test_a_session_asks_in_its_own_transaction(database: db.Database) -> None:
    async with db.transaction() as session:
        user = await factories.user(session, name="Not yet there for others")
        assert (await ask(session, NAME, user_id=user.id))["name"] == user.name
        async with db.statements() as connection:
            assert (await ask(connection, NAME, user_id=user.id))["name"] is None


async def test_the_same_facts_take_other_values(database: db.Database) -> None:
    async with db.statements() as connection:
        assert (await ask(connection, NAME, user_id=uuid4())) == {"name": None}
        # Where it would not be said, it must not be NULL by itself.
        with pytest.raises(ProgrammingError, match="user_id"):
            await ask(connection, NAME)


def test_an_instant_in_json_is_utc_whatever_zone_the_database_tells_it_in() -> None:
    assert moment("2026-11-27T12:00:00.5-10:00") == datetime(2026, 11, 27, 22, 0, 0, 500_000, tzinfo=UTC)


async def test_a_connection_that_died_is_sqlalchemys_error_and_is_not_used_again(
    database: db.Database,
) -> None:
    own = Fact("own", select(func.pg_backend_pid()).scalar_subquery())
    async with db.statements() as connection:
        pid = (await ask(connection, own))["own"]
        async with db.transaction() as session:
            await session.execute(select(func.pg_terminate_backend(pid, 5000)))
        with pytest.raises(OperationalError):
            await ask(connection, own)
    async with db.statements() as connection:
        assert (await ask(connection, own))["own"] != pid
