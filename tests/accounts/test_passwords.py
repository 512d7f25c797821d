"""How passwords are kept: what tests put into accounts is far cheaper, so it is said here what the app itself makes."""

import re

import pytest

from app.accounts import passwords

PASSWORD = "three quiet hips"


async def test_a_password_is_kept_so_that_guessing_it_is_dear() -> None:
    kept = await passwords.hashed(PASSWORD)
    found = re.match(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=\d+\$", kept)
    assert found
    memory_kib, rounds = (int(one) for one in found.groups())
    assert memory_kib >= 64 * 1024
    assert rounds >= 2
    assert kept != await passwords.hashed(PASSWORD), "each has a salt of its own"


@pytest.mark.parametrize(("said", "is_right"), [(PASSWORD, True), ("Three quiet hips", False), ("", False)])
async def test_only_the_password_itself_matches(said: str, is_right: bool) -> None:
    assert await passwords.matches(said, await passwords.hashed(PASSWORD)) is is_right
    assert not await passwords.matches(said, None), "no such account"
    assert not await passwords.matches(said, "!"), "its password was never set"
