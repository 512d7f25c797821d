"""Captions as people bring them: what is read, what is refused with which line, and that nothing unsafe comes out."""

import pytest
import webvtt
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.errors import LimberError
from app.video import captions
from app.video.captioning import language_name, language_tag
from app.video.captions import Mark, clean, decode, editable, read, read_chapters, words
from app.video.subtitles import Cue, to_vtt

VTT = """WEBVTT
Kind: captions

NOTE made by hand

intro
00:01.000 --> 00:02.500 align:start position:0%
<v Ann>Lie on your back.

00:00:04.000 --> 00:00:06.000
Breathe <i>out</i>
slowly.
"""
SRT = (
    "1\r\n00:00:01,000 --> 00:00:02,500\r\n{\\an8}Lie on your <font color='red'>back</font>.\r\n\r\n"
    "2\r\n0:00:04,000 --> 0:00:06,000\r\n<b>Breathe\r\n"
)


def test_webvtt_is_read_and_written_in_one_form() -> None:
    cues = read(VTT, 24.0)
    assert cues == (
        Cue(1000, 2500, "<v Ann>Lie on your back.</v>"),
        Cue(4000, 6000, "Breathe <i>out</i>\nslowly."),
    )
    written = to_vtt(cues)
    assert written.startswith(
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\n<v Ann>Lie on your back.</v>\n\n00:00:04"
    )
    assert read(written, 24.0) == cues
    assert len(webvtt.from_string(written, strict=True)) == 2


def test_subrip_is_read_without_its_layout() -> None:
    assert read(SRT, 24.0) == (Cue(1000, 2500, "Lie on your back."), Cue(4000, 6000, "<b>Breathe</b>"))


def test_cues_come_in_order_and_the_last_one_ends_with_the_film() -> None:
    cues = read("WEBVTT\n\n00:05.000 --> 00:30.000\nb\n\n00:01.000 --> 00:02.000\na\n", 24.0)
    assert [(cue.start_ms, cue.end_ms) for cue in cues] == [(1000, 2000), (5000, 24000)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("Dehnübung".encode(), "Dehnübung"),
        ("\ufeffDehnübung".encode(), "Dehnübung"),
        ("Dehnübung – „so“".encode("cp1252"), "Dehnübung – „so“"),
    ],
)
def test_text_is_read_in_the_encodings_that_programs_write(data: bytes, expected: str) -> None:
    assert decode(data) == expected


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "This file is empty."),
        (b" \n ", "This file is empty."),
        (b"\x89PNG\r\n\x1a\n" + bytes(30), "This is not a text file."),
        (b"\xff\xd8\xff\xe0 jpeg", "This is not a text file."),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\na\x00b", "This is not a text file."),
        ("WEBVTT".encode("utf-16"), "This is not a text file."),
        (b"a" * 500_001, "This file is too large for captions."),
    ],
)
def test_a_file_that_cannot_be_captions_is_refused_in_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(LimberError) as refused:
        decode(data)
    assert refused.value.sentence.startswith(sentence)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "There are no captions in it."),
        ("WEBVTT\n", "There are no captions in it."),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\n\n", "There are no captions in it."),
        ("Just some words.", "Line 1: these words have no time above them."),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\na\n\nb\n", "Line 6: these words have no time above them."),
        ("WEBVTT\n\n00:03.000 --> 00:02.000\na\n", "Line 3: this caption ends before it begins."),
        ("WEBVTT\n\n1\n00:03.000 --> 00:03.000\na\n", "Line 4: this caption ends before it begins."),
        ("WEBVTT\n\n00:25.000 --> 00:26.000\na\n", "Line 3: this caption begins after the end of the film."),
        ("WEBVTT\n\n00:01 --> 00:02\na\n", "Line 3: this time cannot be read."),
        ("WEBVTT\n\n00:0x.000 --> 00:02.000\na\n", "Line 3: this time cannot be read."),
        ("WEBVTT\n\n00:99.000 --> 00:02.000\na\n", "Line 3: this time cannot be read."),
        ("WEBVTT\n\na\nb\n00:01.000 --> 00:02.000\nc\n", "Line 5: this time cannot be read."),
        (
            "WEBVTT\n\n00:01.000 --> 00:02.000\na\n00:03.000 --> 00:04.000\nb\n",
            "Line 5: an empty line is missing above this time.",
        ),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\na --> b\n", "Line 4: an empty line is missing above this time."),
        ("a\x00", "This holds a character that cannot be kept."),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(LimberError) as refused:
        read(text, 24.0)
    assert refused.value.sentence.startswith(sentence)


def test_more_captions_than_a_film_can_hold_are_refused() -> None:
    text = "WEBVTT\n\n" + "00:01.000 --> 00:02.000\na\n\n" * (captions.CUES + 1)
    with pytest.raises(LimberError) as refused:
        read(text, None)
    assert "more than 5000" in refused.value.sentence


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("<script>alert(1)</script>", "alert(1)"),
        ("<img src=x onerror=alert(1)>hips", "hips"),
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("a &lt;b&gt; &amp;amp;", "a &lt;b&gt; &amp;amp;"),
        ("one &#45;&#45;&gt; two", "one --&gt; two"),
        ("one&#10;&#10;00:01.000", "one\n00:01.000"),
        ("<i>a<b>b</i>c</b>", "<i>a<b>b</b></i>c"),
        ("<i.loud>a", "<i>a</i>"),
        ("<c.red>a</c> <00:01.000>b<ruby>c<rt>d", "a bcd"),
        ("<v.loud Ann>a", "<v Ann>a</v>"),
        ("<v Ann & Bo>a", "<v Ann &amp; Bo>a</v>"),
        ("<v>a", "a"),
        ("<i>\n</i>", ""),
        ("<i></i>", ""),
        ("<bold>a", "a"),
        ("<<i>a", "&lt;<i>a</i>"),
        ("a\x07b\u2028c", "a b c"),
        ("👩\u200d🏫", "👩\u200d🏫"),
    ],
)
def test_only_plain_words_and_three_tags_come_out(payload: str, expected: str) -> None:
    assert clean(payload) == expected


@given(
    st.lists(
        st.sampled_from(
            [
                "<",
                ">",
                "/",
                "i",
                "b",
                "v ",
                "&",
                "lt;",
                "#10;",
                "a",
                " ",
                "\n",
                "-->",
                "\x85",
                ".",
                "1",
                "\r",
                "{\\",
                "}",
            ]
        )
    )
)
@example(["<", "<", "v ", "-->"])
@example(["<v Ann --", ">", "a"])
@example(["{\\", "{\\", "}", "}"])
@example(["<", "v ", ".", "v ", ".", ">", "a"])
@example(["<v Ann>", "a", "\n", "</v>"])
@settings(max_examples=300, deadline=None)
def test_cleaning_twice_is_cleaning_once_and_what_is_written_is_read_again(parts: list[str]) -> None:
    cleaned = clean("".join(parts))
    assert clean(cleaned) == cleaned
    assert "-->" not in cleaned
    assert "\n\n" not in cleaned
    if cleaned:
        cues = (Cue(0, 1000, cleaned), Cue(2000, 3000, "next"))
        assert read(to_vtt(cues), None) == cues
        assert read(editable(to_vtt(cues)), None) == cues


def test_what_is_edited_has_no_more_markup_than_it_needs() -> None:
    vtt = "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n<v Ann>Breathe &amp; rest &amp;amp; go.</v>\n"
    assert editable(vtt).endswith("<v Ann>Breathe & rest &amp;amp; go.\n")


def test_the_words_of_a_cue_are_plain() -> None:
    assert words("<v Ann>Lie &amp; <i>breathe</i>\nout &lt;3</v>") == "Lie & breathe out <3"


def test_chapters_are_lines_of_time_and_title() -> None:
    text = "\n0:00 Warm-up\r\n1:02:03  The  end\n2:30 - Deep rotators\n"
    assert read_chapters(text, None) == (
        Mark(0, "Warm-up"),
        Mark(150, "Deep rotators"),
        Mark(3723, "The end"),
    )
    assert read_chapters(" \n", 24.0) == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0:00 a\nWarm-up", "Line 2: write a time and a title"),
        ("0:00", "Line 1: write a time and a title"),
        ("0:61 a", "Line 1: write a time and a title"),
        ("0:01 a\n\n0:01 b", "Line 3: another chapter begins at the same time."),
        ("0:24 a", "Line 1: this is after the end of the film."),
        ("0:01 a\x00b", "Line 1: this holds a character that cannot be kept."),
        ("0:01 " + "a" * 121, "Line 1: this title is longer than 120 characters."),
    ],
)
def test_a_chapter_that_cannot_be_is_named_by_its_line(text: str, sentence: str) -> None:
    with pytest.raises(LimberError) as refused:
        read_chapters(text, 24.0)
    assert refused.value.sentence.startswith(sentence)


@pytest.mark.parametrize(
    ("typed", "tag", "name"),
    [
        ("EN", "en", "English"),
        ("pt_br", "pt-BR", "Português (Brasil)"),
        ("zh-hant", "zh-Hant", "中文 (繁體)"),
        ("es-419", "es-419", "Español (Latinoamérica)"),
        ("xq", "xq", "xq"),
    ],
)
def test_a_language_has_one_spelling_and_its_own_name(typed: str, tag: str, name: str) -> None:
    assert language_tag(typed) == tag
    assert language_name(tag).casefold() == name.casefold()


@pytest.mark.parametrize("typed", ["", "e", "english", "../en", "en/x", "en-", "en-x-y", 'en"', "12"])
def test_what_is_no_language_is_refused(typed: str) -> None:
    with pytest.raises(LimberError):
        language_tag(typed)
