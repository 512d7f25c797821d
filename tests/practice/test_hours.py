"""Opening hours: what is plain is read, in English and in the site's language; whatever says more is left to people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.practice.hours import openings, unread

WEEK = (0, 1, 2, 3, 4)


@pytest.mark.parametrize(
    ("typed", "locale", "read"),
    [
        ("Mon–Fri 9:00–17:00", "en", [(WEEK, "09:00", "17:00")]),
        ("Monday to Friday: 9 am - 5 pm", "en", [(WEEK, "09:00", "17:00")]),
        ("weekdays 9-17", "en", [(WEEK, "09:00", "17:00")]),
        ("Mon, Wed & Fri 9 a.m. to noon", "en", [((0, 2, 4), "09:00", "12:00")]),
        ("Sat-Mon 12:30am–12pm", "en", [((5, 6, 0), "00:30", "12:00")]),
        ("Tue 9–5pm", "en", [((1,), "09:00", "17:00")]),
        ("Tue 1–5pm", "en", [((1,), "13:00", "17:00")]),
        ("Thurs 8-12 and 14-18", "en", [((3,), "08:00", "12:00"), ((3,), "14:00", "18:00")]),
        ("Mon–Thu 9–18, Fri 9–12", "en", [((0, 1, 2, 3), "09:00", "18:00"), ((4,), "09:00", "12:00")]),
        (
            "Mon 9–12, 14–18, Tue 9–12",
            "en",
            [((0,), "09:00", "12:00"), ((0,), "14:00", "18:00"), ((1,), "09:00", "12:00")],
        ),
        ("Mondays 9:00-11:00\nSunday closed", "en", [((0,), "09:00", "11:00")]),
        ("Mo.–Fr. 9.00–17.30 Uhr", "de", [(WEEK, "09:00", "17:30")]),
        (
            "Montag und Donnerstag 9 bis 12 Uhr, 14 bis 18 Uhr",
            "de",
            [((0, 3), "09:00", "12:00"), ((0, 3), "14:00", "18:00")],
        ),
        ("montags 9–12 Uhr\nSamstag geschlossen", "de", [((0,), "09:00", "12:00")]),
        ("lundi 9h30 à 18h", "fr", [((0,), "09:30", "18:00")]),
        ("  \n\nTUE\u00a010:00\u00a0—\u00a011:00 ", "en", [((1,), "10:00", "11:00")]),
    ],
)  # fmt: skip
def test_days_and_times_are_read(
    typed: str, locale: str, read: list[tuple[tuple[int, ...], str, str]]
) -> None:
    assert [(one.days, one.opens, one.closes) for one in openings(typed, locale)] == read
    assert unread(typed, locale) == []


@pytest.mark.parametrize(
    "typed",
    [
        "Saturday by appointment",
        "9–17",
        "Mon 9–5",
        "Mon 9 am–5",
        "Mon 9–17 except in August",
        "Mon from 9",
        "Mon 17–9",
        "Mon 9–25",
        "Mon 13 pm–15 pm",
        "Mon 9–9",
        "Mon–Wed–Fri 9–17",
        "Mon 9–12–17",
        "Closed 9–17",
        "Call (808) 555-0142",
        "Everyday? 9-17",
        "Montag 9–12 Uhr",
        "closed",
    ],
)
def test_what_says_more_or_less_is_left_to_people(typed: str) -> None:
    assert openings(typed, "en") == ()
    assert unread(typed, "en") == [typed]


def test_one_line_that_cannot_be_read_does_not_spoil_the_others() -> None:
    typed = "Mon–Fri 9–17\nSaturday by appointment"
    assert [(one.day_names[-1], one.closes) for one in openings(typed, "en")] == [("Friday", "17:00")]
    assert unread(typed, "en") == ["Saturday by appointment"]


@given(st.text(alphabet="MonTueFri 0159:.-–,&;hapm\n", max_size=400))
def test_whatever_is_typed_opens_before_it_closes_on_days_that_exist(typed: str) -> None:
    for one in openings(typed, "en"):
        assert "00:00" <= one.opens < one.closes <= "23:59"
        assert one.days
        assert set(one.days) <= set(range(7))
