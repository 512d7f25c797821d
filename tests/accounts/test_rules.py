"""What accounts decide, as tables."""

from uuid import uuid4

import pytest

from app.accounts import rules
from app.errors import BadInput


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("kai@example.com", "kai@example.com"),
        ("  Kai.Mahoe+x@Example.COM ", "kai.mahoe+x@example.com"),
        ("kai@bücher.example", "kai@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert rules.clean_email(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "kai",
        "kai@",
        "@example.com",
        "kai@example",
        "a b@example.com",
        "kai@example.com\r\nBcc: x@example.com",
        "kai\x00@example.com",
        "kai@example.com,noa@example.com",
        "Kai <kai@example.com>",
        "k" * 10000000,
    ],
    ids=lambda typed: typed[:20] or "empty",
)
def test_what_mail_cannot_reach_is_no_address(typed: str) -> None:
    with pytest.raises(BadInput) as refusal:
        rules.clean_email(typed)
    assert refusal.value.field == "email"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Kai", "Kai"),
        ("  Kai \n Mahoe ", "Kai Mahoe"),
        ("Kai\x00\x1b[31m", "Kai[31m"),
        ("Nāhiʻena", "Nāhiʻena"),
    ],
)
def test_a_name_is_kept_in_one_line(typed: str, kept: str) -> None:
    assert rules.clean_name(typed) == kept


@pytest.mark.parametrize("typed", ["", " \x00 ", "K" * 121, "see www.evil.example", "HTTPS://evil.example"])
def test_a_name_that_is_none_is_refused(typed: str) -> None:
    with pytest.raises(BadInput) as refusal:
        rules.clean_name(typed)
    assert refusal.value.field == "name"


@pytest.mark.parametrize(
    ("password", "is_fine"),
    [
        ("three quiet hips", True),
        ("ünïcödé wörds", True),
        ("nine char", False),
        ("x" * 201, False),
        ("password123", False),
        ("PASSWORD123", False),
        ("kai.mahoe@example.com", False),
        ("kai.mahoe.stretches", True),
        ("          ", False),
        ("abababababab", False),
    ],
)
def test_a_password_is_long_and_not_the_first_guess(password: str, *, is_fine: bool) -> None:
    if is_fine:
        rules.check_new_password(password, "kai.mahoe@example.com")
    else:
        with pytest.raises(BadInput):
            rules.check_new_password(password, "kai.mahoe@example.com")


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("203.0.113.1", "203.0.113.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("nonsense", "", True),
    ],
)
def test_a_household_is_one_network(one: str, other: str, *, is_same: bool) -> None:
    assert (rules.network(one) == rules.network(other)) is is_same


def test_one_mailbox_is_counted_once_however_it_is_written() -> None:
    ways = ["kai@example.com", "KAI@example.com ", "kai@EXAMPLE.com"]
    assert len({rules.sign_in_buckets(way, "203.0.113.1")[0] for way in ways}) == 1


def test_what_is_counted_fits_into_its_column_and_tells_nothing() -> None:
    for bucket in rules.sign_in_buckets("x" * 5000, "203.0.113.1"):
        assert len(bucket.key) < 120
        assert "203" not in bucket.key.partition(":")[0]


@pytest.mark.parametrize(
    ("is_self", "is_staff", "reason", "may"),
    [
        (False, False, "Shared the password.", True),
        (True, False, "x", False),
        (False, True, "x", False),
        (False, False, "  ", False),
        (False, False, "x" * 1001, False),
    ],
)
def test_who_may_be_banned(*, is_self: bool, is_staff: bool, reason: str, may: bool) -> None:
    actor, target = uuid4(), uuid4()
    if may:
        rules.can_ban(actor, target, target_is_staff=is_staff, reason=reason)
    else:
        with pytest.raises(BadInput):
            rules.can_ban(actor, actor if is_self else target, target_is_staff=is_staff, reason=reason)


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Linux",
        ),
        ("curl/8.9", "Unknown device"),
        ("", "Unknown device"),
    ],
)
def test_a_device_is_named_in_words(user_agent: str, words: str) -> None:
    assert rules.device_name(user_agent) == words
