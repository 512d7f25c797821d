"""Opening hours: what is plain is read, in English and in the site's language; whatever says more is left to people."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.practice.hours import DAYS, openings, read
from app.practice.hours_told import told

WEEK = (0, 1, 2, 3, 4)
Read = list[tuple[tuple[int, ...], str, str]]


def facts(typed: str, locale: str = "en") -> Read:
    return [(one.days, one.opens, one.closes) for one in openings(typed, locale)]


@pytest.mark.parametrize(
    ("typed", "locale", "found"),
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
        ("du lundi au vendredi 9h-17h", "fr", [(WEEK, "09:00", "17:00")]),
        ("segunda-feira 9h–17h, terça-feira fechado", "pt", [((0,), "09:00", "17:00")]),
        ("  \n\nTUE\u00a010:00\u00a0—\u00a011:00 ", "en", [((1,), "10:00", "11:00")]),
        ("Mon 9–5", "en", [((0,), "09:00", "17:00")]),
        ("Mon-Fri 9-5", "en", [(WEEK, "09:00", "17:00")]),
        ("Mon-Fri 9am-5pm", "en", [(WEEK, "09:00", "17:00")]),
        ("M–F 9a-5p", "en", [(WEEK, "09:00", "17:00")]),
        ("Mon-Fri 0900-1700", "en", [(WEEK, "09:00", "17:00")]),
        ("Mon 9 am–5", "en", [((0,), "09:00", "17:00")]),
        ("Mon 9 am–11", "en", [((0,), "09:00", "11:00")]),
        ("Mon 9–9", "en", [((0,), "09:00", "21:00")]),
        ("Mon 6–8pm", "en", [((0,), "18:00", "20:00")]),
        ("Mo 6–8 Uhr", "de", [((0,), "06:00", "08:00")]),
        ("Tue & Thu 10-2", "en", [((1, 3), "10:00", "14:00")]),
        (
            "Mon, Wed, Fri 8–12 and 1–5",
            "en",
            [((0, 2, 4), "08:00", "12:00"), ((0, 2, 4), "13:00", "17:00")],
        ),
        ("Tue 9–12, 5–7", "en", [((1,), "09:00", "12:00"), ((1,), "17:00", "19:00")]),
        (
            "Mon 9-5 Tue 10-4 Wed closed Thu 1-5",
            "en",
            [((0,), "09:00", "17:00"), ((1,), "10:00", "16:00"), ((3,), "13:00", "17:00")],
        ),
        ("9am–5pm Monday to Friday, 10-2 Sat", "en", [(WEEK, "09:00", "17:00"), ((5,), "10:00", "14:00")]),
        ("Open daily from 9 to 5, closed on public holidays", "en", [(tuple(range(7)), "09:00", "17:00")]),
        ("Closed Sat and Sun, Mon 9–5", "en", [((0,), "09:00", "17:00")]),
    ],
)  # fmt: skip
def test_days_and_times_are_read(typed: str, locale: str, found: Read) -> None:
    assert facts(typed, locale) == found
    assert read(typed, locale).unread == ()


@pytest.mark.parametrize(
    "typed",
    [
        "Saturday by appointment",
        "9–17",
        "Mon 9–17 except in August",
        "Mon–Fri except Wed 9–5",
        "Mon–Fri 9–5 (Wed till 8)",
        "In summer: Mon–Fri 9–5, Sat 9–12",
        "Mon–Fri 9–5, not in August",
        "Mon from 9",
        "Mon 17–9",
        "Mon 08:00–5:00",
        "Mon 9–25",
        "Mon 13 pm–15 pm",
        "Mon–Wed–Fri 9–17",
        "Mon 9–12–17",
        "Mon 9–5, 4–6",
        "Mon 6–8",
        "Closed 9–17",
        "Call (808) 555-0142",
        "Everyday? 9-17",
        "Montag 9–12 Uhr",
        "closed",
    ],
)
def test_what_says_more_or_less_is_left_to_people(typed: str) -> None:
    assert openings(typed, "en") == ()
    assert read(typed, "en").unread == (typed,)


@pytest.mark.parametrize(
    ("typed", "found", "unread"),
    [
        ("Mon–Fri 9–17\nSaturday by appointment", [(WEEK, "09:00", "17:00")], ["Saturday by appointment"]),
        ("Mon–Fri 9–5, Sat by appointment", [(WEEK, "09:00", "17:00")], ["Sat by appointment"]),
        ("Mon–Fri 9–5 by appointment only", [(WEEK, "09:00", "17:00")], ["by appointment only"]),
        (
            "Sat by appointment; Mon 9–5, Tuseday 9–5, Wed 10–4",
            [((0,), "09:00", "17:00"), ((2,), "10:00", "16:00")],
            ["Sat by appointment", "Tuseday 9–5"],
        ),
        ("Mon–Fri 9–5, first Sat 9–12", [(WEEK, "09:00", "17:00")], ["first Sat 9–12"]),
        # Of a day whose hours say more, nothing is said.
        ("Mon–Fri 9–5, Wed by appointment", [((0, 1, 3, 4), "09:00", "17:00")], ["Wed by appointment"]),
        ("Mon–Fri 9–5\nWed by appointment", [((0, 1, 3, 4), "09:00", "17:00")], ["Wed by appointment"]),
        ("except Wed\nMon–Fri 9–5", [(WEEK, "09:00", "17:00")], ["except Wed"]),
        ("Mon–Fri 9–5, except Wed", [((0, 1, 3, 4), "09:00", "17:00")], ["except Wed"]),
    ],
)
def test_a_group_that_cannot_be_read_does_not_spoil_the_others(
    typed: str, found: Read, unread: list[str]
) -> None:
    assert facts(typed) == found
    assert list(read(typed, "en").unread) == unread


def test_what_is_said_of_a_day_later_stands_for_what_was_said_before() -> None:
    assert facts("Mon–Fri 9–5\nWed closed") == [((0, 1, 3, 4), "09:00", "17:00")]
    assert read("Mon–Fri 9–5\nWed closed", "en").closed == (2,)
    assert facts("Mon–Fri 9–5, Wed 10–12") == [((0, 1, 3, 4), "09:00", "17:00"), ((2,), "10:00", "12:00")]
    assert facts("Mon 9–12\nMon 2–6") == [((0,), "09:00", "12:00"), ((0,), "14:00", "18:00")]
    assert read("Mon closed\nMon 9–12", "en").closed == ()


def test_what_was_understood_is_told_back_in_words() -> None:
    typed = "Mon, Wed–Fri 8–12 and 1–5, Sat 9-2, Sun closed, Tue by appointment"
    assert [line.replace("\u202f", " ") for line in told(read(typed, "en"), "en")] == [
        "Mon, Wed–Fri 8:00 AM – 12:00 PM, 1:00 PM – 5:00 PM",
        "Sat 9:00 AM – 2:00 PM",
        "Sun closed",
    ]
    assert told(read("Sa–Mo 9–14", "de"), "de") == ("Sa–Mo 09:00 – 14:00",)


DASHES = st.sampled_from(["-", "–", " to ", " - ", "—"])


@st.composite
def plain(draw: st.DrawFn) -> tuple[str, Read]:
    """A group of days and times, and what it says: opens in the morning, closes before midnight."""
    first, last = draw(
        st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(lambda ends: ends[0] != ends[1])
    )
    width = draw(st.sampled_from([3, 20]))
    days = f"{DAYS[first][:width]}{draw(DASHES)}{DAYS[last][:width]}"
    opens, closes = draw(st.integers(8, 12)), draw(st.integers(13, 19))
    minute = draw(st.sampled_from(["", ":30"]))
    styles = [
        (f"{opens:02}{minute or ':00'}", f"{closes}:00"),
        (f"{opens}{minute}", str(closes - 12)),
        (f"{opens}{minute}{'pm' if opens == 12 else 'am'}", f"{closes - 12} p.m."),
        (f"{opens}{minute}", f"{closes - 12}pm"),
    ]
    start, end = draw(st.sampled_from(styles))
    between = draw(st.sampled_from([" ", ": ", ", "]))
    run = tuple((first + n) % 7 for n in range((last - first) % 7 + 1))
    words = f"{days}{between}{start}{draw(DASHES)}{end}"
    return words, [(run, f"{opens:02}:{'30' if minute else '00'}", f"{closes:02}:00")]


@given(plain())
def test_every_plain_way_to_write_a_morning_to_an_evening_is_read(typed: tuple[str, Read]) -> None:
    words, found = typed
    assert facts(words) == found
    assert read(words, "en").unread == ()


@given(plain(), st.sampled_from(["Wed by appointment", "???", "Tuseday 9–5", "first Sat 9–12"]))
def test_words_on_the_next_line_leave_every_other_day_as_it_was(typed: tuple[str, Read], more: str) -> None:
    words, ((days, opens, closes),) = typed
    kept = tuple(day for day in days if day != 2 or not more.startswith("Wed"))
    assert facts(f"{words}\n{more}") == ([(kept, opens, closes)] if kept else [])
    assert read(f"{words}\n{more}", "en").unread == (more,)


@given(st.text(alphabet="MonTueFri 0159:.-–,&;hapmclosedby\n", max_size=400))
def test_whatever_is_typed_opens_before_it_closes_on_days_that_exist(typed: str) -> None:
    found = read(typed, "en")
    for one in found.openings:
        assert "00:00" <= one.opens < one.closes <= "23:59"
        assert one.days
        assert set(one.days) <= set(range(7))
        assert not set(one.days) & set(found.closed)
    for one, other in itertools.combinations(found.openings, 2):
        if set(one.days) & set(other.days):
            assert one.closes <= other.opens or other.closes <= one.opens, "no day is open twice at a time"
    assert told(found, "en") or not found.openings
