"""The demo's words: complete, invented, and understood by what prints them."""

import re

import pytest

from app.articles.directives import LESSON_HERE
from app.articles.markdown import render_article
from app.articles.rules import ArticleDraft, check_article
from app.demo import films, texts
from app.finding.regions import known
from app.finding.rules import TermDraft, check_term
from app.practice.rules import LocationDraft, PracticeDraft, check_location, check_practice
from app.video import captions


def test_the_practice_is_invented_and_fit_for_its_settings() -> None:
    words = texts.practice()
    fields = PracticeDraft.__dataclass_fields__
    # What the demo does not write about stays as a new practice has it.
    facts = {name: getattr(words, name) for name in fields if hasattr(words, name)}
    assert set(fields) - set(facts) == {
        "is_marking",
        "streams_at_once",
        "most_links",
        "held_words",
        "language",
    }
    assert check_practice(PracticeDraft(**facts)) == {}
    assert words.contact_email.endswith("@example.com")
    assert len(words.locations) == 2
    for place in words.locations:
        assert check_location(LocationDraft(**vars(place))) == {}
        assert re.fullmatch(r"\(808\) 555-01\d\d", place.phone)


def test_every_article_could_be_published_and_points_at_what_is_there() -> None:
    articles = texts.articles()
    slugs = {article.slug for article in articles}
    lessons = {lesson.slug for part in texts.course().sections for lesson in part.lessons}
    assert "hip-pain-from-running" in slugs
    assert len(articles) >= 3
    for words in articles:
        draft = ArticleDraft(words.title, words.slug, words.summary, words.body_md).tidy()
        assert check_article(draft, publishing=True) == {}
        assert set(words.related) <= slugs - {words.slug}
        assert words.lesson in lessons
    assert any(LESSON_HERE in render_article(words.body_md).html for words in articles)


def test_every_page_could_be_published() -> None:
    assert {page.slug for page in texts.pages()} == {"about", "privacy", "imprint"}
    for words in texts.pages():
        draft = ArticleDraft(words.title, words.slug, words.summary, words.body_md, is_page=True).tidy()
        assert check_article(draft, publishing=True) == {}


def test_eight_responses_stand_under_the_article_about_hips_two_wait_and_one_is_spam() -> None:
    responses = texts.responses("hip-pain-from-running")
    assert sum(words.state == "approved" for words in responses) == 8
    assert [words.state for words in responses if words.state != "approved"] == ["pending", "pending", "spam"]
    seen: set[str] = set()
    for words in responses:
        assert words.parent is None or words.parent in seen
        assert words.email.endswith("@example.com")
        seen.add(words.key)


def test_the_course_has_its_lessons_in_two_sections_the_first_one_free_and_each_with_its_film() -> None:
    first, second = texts.course().sections
    lessons = [*first.lessons, *second.lessons]
    assert [lesson.slug for lesson in lessons] == [
        "hamstring-strap",
        "quadriceps-side",
        "hip-flexor",
        "gluteals",
        "deep-rotators",
        "the-six-rotators-seated",
    ]
    assert [lesson.is_free for lesson in lessons] == [True, *[False] * 5]
    drawn = {film.slug for film in films.FILMS}
    assert {lesson.slug for lesson in lessons if lesson.state == "published"} <= drawn


@pytest.mark.parametrize("text", ["", "Words.", "Words.\n+++\na = 1\n+++\n"])
def test_a_text_without_a_head_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="begins with a head"):
        texts.documents(text)


def test_every_muscle_and_condition_could_be_saved_and_points_at_what_is_there() -> None:
    articles = {article.slug for article in texts.articles()}
    lessons = {lesson.slug for part in texts.course().sections for lesson in part.lessons}
    terms = texts.terms()
    assert {words.kind for words in terms} == {"muscle", "condition"}
    for words in terms:
        draft = TermDraft(
            words.kind,
            words.name,
            words.slug,
            "\n".join(words.synonyms),
            words.summary,
            words.body_md,
            words.regions,
        )
        assert check_term(draft) == {}
        assert known(words.regions)
        assert len(known(words.regions)) == len(words.regions)
        assert set(words.lessons) <= lessons
        assert set(words.articles) <= articles


def test_the_chapters_are_of_films_and_begin_within_them() -> None:
    known = {film.slug: film for film in films.FILMS}
    assert set(texts.chapters()) <= set(texts.captions())
    for slug, typed in texts.chapters().items():
        assert len(captions.read_chapters(typed, known[slug].length_s)) > 2


def test_the_captions_are_of_films_and_end_within_them() -> None:
    known = {film.slug: film for film in films.FILMS}
    assert set(texts.captions()) == {"hamstring-strap", "deep-rotators"}
    for slug, vtt in texts.captions().items():
        cues = captions.read(vtt, known[slug].length_s)
        assert cues[-1].end_ms < 1000 * known[slug].length_s
