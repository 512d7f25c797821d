"""The teacher: uploads a film, watches it become ready, publishes it; a member plays it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.demo.films import FILMS, draw
from tests.journeys.conftest import Demo, assert_plays, sign_in, stop_streams

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "Seated calf stretch.mp4"
    # The browser's driver runs a loop in this thread; drawing wants one of its own.
    with ThreadPoolExecutor(1) as aside:
        aside.submit(draw, FILMS[1], path).result()
    return path


def test_a_film_becomes_a_lesson_that_a_member_plays(
    page: Page, chromium: Browser, demo: Demo, film: Path
) -> None:
    sign_in(page, "teacher", "/studio/videos")
    page.set_input_files("input[type=file]", str(film))
    row = page.locator("tr", has_text="Seated calf stretch").first
    expect(page.locator(".upload-row[data-state=ready]")).to_be_visible(timeout=90_000)
    page.reload()
    expect(row).to_contain_text("Ready")

    page.goto("/studio/courses")
    page.get_by_role("link", name="Lower Body").first.click()
    page.get_by_role("link", name="Add a lesson").first.click()
    page.fill("input[name=title]", "Seated calf stretch")
    page.fill("textarea[name=summary]", "For the back of the lower leg, sitting down.")
    choice = page.locator("select[name=video_id] option", has_text="Seated calf stretch")
    page.select_option("select[name=video_id]", choice.get_attribute("value"))
    page.locator("main form").last.get_by_role("button").first.click()
    page.get_by_role("button", name="Publish").first.click()
    page.wait_for_load_state()

    other = chromium.new_context(base_url=demo.site)
    try:
        member = other.new_page()
        sign_in(member, "member")
        stop_streams(member)
        member.goto("/courses/lower-body/seated-calf-stretch")
        assert_plays(member)
    finally:
        other.close()


def test_a_wrong_file_says_why(page: Page, tmp_path: Path) -> None:
    wrong = tmp_path / "notes.mp4"
    wrong.write_text("Hold for two seconds, ten times on each side.\n" * 200)
    sign_in(page, "teacher", "/studio/videos")
    page.set_input_files("input[type=file]", str(wrong))
    expect(page.get_by_text("This is a text file, not a film").first).to_be_visible(timeout=60_000)


def test_the_teacher_answers_a_held_response(page: Page, chromium: Browser, demo: Demo) -> None:
    reader = chromium.new_context(base_url=demo.site)
    try:
        asking = reader.new_page()
        asking.goto("/articles/hip-pain-from-running")
        asking.fill("textarea[name=body]", "Does this help when the pain is deep in the seat?")
        asking.fill("input[name=name]", "Nalani")
        asking.fill("input[name=email]", "nalani@example.org")
        # Faster than four seconds nobody writes: the form holds such a response for spam.
        asking.wait_for_timeout(4500)
        asking.locator("form:has(textarea[name=body])").get_by_role("button").first.click()
        asking.wait_for_url("**held=1**")
        # Nobody else sees it yet; who wrote it may still change it.
        asking.get_by_role("link", name="Change or take back").click()
        asking.fill("textarea[name=body]", "Does this help when the pain sits deep in the seat?")
        asking.get_by_role("button", name="Save").click()
        expect(asking.get_by_text("Only you see this until")).to_be_visible()
        sign_in(page, "teacher", "/studio/responses")
        waiting = page.locator("li.queue-item", has_text="sits deep in the seat")
        # Not "sent without JavaScript": the browser's worker has done its work.
        expect(waiting.get_by_text("fewer than two of theirs were let in")).to_be_visible()
        waiting.focus()
        page.keyboard.press("a")
        expect(page.get_by_text("1 response approved.")).to_be_visible()
        expect(page.locator("li.queue-item:focus")).to_have_count(1)
        asking.goto("/articles/hip-pain-from-running")
        expect(asking.get_by_text("deep in the seat").first).to_be_visible()
    finally:
        reader.close()
