"""Rules for articles, responses and messages, as tables."""

from datetime import UTC, datetime, timedelta

import pytest

from app.articles import stamps
from app.articles.rules import (
    LONGEST_WRITING,
    SHORTEST_WRITING,
    ArticleDraft,
    MessageDraft,
    ResponseDraft,
    Suspicion,
    check_article,
    check_message,
    check_pace,
    check_response,
    is_scheduled,
    is_shown,
    publication_day,
    reading_minutes,
)
from app.keys import KeyRing
from app.settings import get_settings

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GOOD = ArticleDraft("Hips", "hips", "About hips.", "Words.")


BEFORE, AFTER, TYPED = NOW - timedelta(days=9), NOW + timedelta(days=9), NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("state", "day", "shown", "to_come"),
    [
        ("draft", None, False, False),
        ("draft", BEFORE, False, False),
        ("draft", AFTER, False, False),
        ("published", None, True, False),
        ("published", BEFORE, True, False),
        ("published", NOW, True, False),
        ("published", NOW + timedelta(microseconds=1), False, True),
    ],
)
def test_an_article_is_out_when_its_day_has_come(
    state: str, day: datetime | None, shown: bool, to_come: bool
) -> None:
    assert (is_shown(state, day, NOW), is_scheduled(state, day, NOW)) == (shown, to_come)


@pytest.mark.parametrize(
    ("state", "kept", "typed", "then"),
    [
        ("draft", None, None, None),
        ("draft", None, TYPED, TYPED),
        ("draft", BEFORE, None, BEFORE),  # the first publication's
        ("draft", AFTER, None, None),  # the plan was given up
        ("published", BEFORE, None, BEFORE),
        ("published", BEFORE, TYPED, TYPED),
        ("published", AFTER, TYPED, TYPED),
        ("published", AFTER, None, NOW),  # no day to wait for: out at once
    ],
)
def test_the_day_that_an_article_has_once_it_is_saved(
    state: str, kept: datetime | None, typed: datetime | None, then: datetime | None
) -> None:
    assert publication_day(state, kept, typed, NOW) == then


@pytest.mark.parametrize(
    ("draft", "publishing", "wrong"),
    [
        (GOOD, True, set()),
        (ArticleDraft("Hips"), False, set()),
        (ArticleDraft("Hips"), True, {"summary", "body_md"}),
        (ArticleDraft("Hips", body_md=" \n "), True, {"summary", "body_md"}),
        (ArticleDraft(), False, {"title"}),
        (ArticleDraft("x" * 201), False, {"title"}),
        (ArticleDraft("Hips", "Hip Pain"), False, {"slug"}),
        (ArticleDraft("Hips", day="2027-01-31T09:00"), False, set()),
        (ArticleDraft("Hips", day="tomorrow"), False, {"day"}),
        (ArticleDraft("Hips", day="9999-01-01T09:00"), False, {"day"}),
        (ArticleDraft("Hips", "../hips"), False, {"slug"}),
        (ArticleDraft("Hips", "x" * 101), False, {"slug"}),
        (ArticleDraft("Hips", summary="x" * 321), False, {"summary"}),
    ],
)
def test_what_an_article_lacks_is_named_by_its_field(
    draft: ArticleDraft, publishing: bool, wrong: set[str]
) -> None:
    assert set(check_article(draft, publishing=publishing)) == wrong


@pytest.mark.parametrize(
    ("name", "email", "body", "wrong"),
    [
        ("Ana", "ana@example.com", "Hello.", set()),
        ("", "", "", {"name", "email", "body"}),
        ("Ana", "ana", "Hello.", {"email"}),
        ("Ana", "ana@example", "Hello.", {"email"}),
        ("Ana", "ana@exam ple.com", "Hello.", {"email"}),
        ("Ana", "ana@example.com, b@example.com", "Hello.", {"email"}),
        ("Ana", "Ana <ana@example.com>", "Hello.", {"email"}),
        ("Ana", "a" * 250 + "@example.com", "Hello.", {"email"}),
        ("x" * 121, "ana@example.com", "Hello.", {"name"}),
        ("Ana", "ana@example.com", "x" * 10_001, {"body"}),
    ],
)
def test_what_a_person_typed_is_checked_field_by_field(
    name: str, email: str, body: str, wrong: set[str]
) -> None:
    assert set(check_response(ResponseDraft(name, email, body))) == wrong
    assert set(check_message(MessageDraft(name, email, "", body))) == wrong


def test_a_telephone_number_may_be_left_out_but_not_be_a_novel() -> None:
    assert set(check_message(MessageDraft("Ana", "ana@example.com", "5" * 41, "Hello."))) == {"phone"}


def test_stray_spaces_are_taken_away_and_lines_are_kept() -> None:
    draft = MessageDraft("  Ana \n Lu ", " ana@example.com ", " 555  01 ", "\r\nOne\r\n\r\nTwo\r\n").tidy()
    assert draft == MessageDraft("Ana Lu", "ana@example.com", "555 01", "One\n\nTwo")


@pytest.mark.parametrize(("words", "minutes"), [(0, 1), (100, 1), (220, 1), (440, 2), (2_200, 10)])
def test_reading_takes_whole_minutes_and_at_least_one(words: int, minutes: int) -> None:
    assert reading_minutes(words) == minutes


def test_a_form_that_returns_at_once_or_after_days_is_sent_again() -> None:
    assert check_pace(NOW - SHORTEST_WRITING, NOW) is None
    assert check_pace(NOW - LONGEST_WRITING, NOW) is None
    assert "very quick" in (check_pace(NOW - SHORTEST_WRITING + timedelta(milliseconds=1), NOW) or "")
    for opened_at in (None, NOW - LONGEST_WRITING - timedelta(seconds=1)):
        assert "long time" in (check_pace(opened_at, NOW) or "")


def test_a_stamp_is_believed_for_its_own_form_and_key_only() -> None:
    ring = get_settings().link_ring
    stamp = stamps.sign(ring, "contact", NOW)
    assert stamps.read(ring, "contact", stamp) == NOW
    assert stamps.read(ring, "respond:1", stamp) is None
    assert stamps.read(KeyRing.parse("l1:" + "another-secret-" * 3), "contact", stamp) is None
    kid, seconds, nonce, mac = stamp.split(".")
    assert stamps.sign(ring, "contact", NOW) != stamp, "no two forms have the same"
    for forged in (
        "",
        "..",
        f"{kid}.{int(seconds) - 60}.{nonce}.{mac}",
        f"{kid}.{seconds}.{nonce[::-1]}x.{mac}",
        f"{kid}.{seconds}.{mac}",
        f"{kid}.{seconds}.{nonce}.",
        f"{kid}.²²²²².{nonce}.{mac}",
        "é.1.é.é",
    ):
        assert stamps.read(ring, "contact", forged) is None


def test_control_characters_never_reach_the_database() -> None:
    assert ResponseDraft("A\x00na", "ana\x00@example.com", "One\x00\x08\r\ntwo").tidy() == ResponseDraft(
        "Ana", "ana@example.com", "One\ntwo"
    )
    assert ArticleDraft("Hi\x00ps", body_md="a\x00\tb").tidy() == ArticleDraft("Hips", body_md="a\tb")


@pytest.mark.parametrize(
    ("text", "is_suspect"),
    [
        ("It hurts on the left.", False),
        ("See https://a.example and www.b.example.", False),
        ("https://a.example HTTP://b.example www.c.example", True),
        ("The best Casinos of the town", True),
        ("Ein Straßenfest", True),
        ("", False),
    ],
)
def test_a_response_with_many_links_or_a_held_word_waits(text: str, is_suspect: bool) -> None:
    suspicion = Suspicion(most_links=2, words=("casino", "", "  ", "STRASSEN"))
    assert suspicion.falls_on(text) is is_suspect


def test_no_word_and_no_limit_hold_nothing() -> None:
    assert not Suspicion(99, ("",)).falls_on("casino https://a.example " * 20)
