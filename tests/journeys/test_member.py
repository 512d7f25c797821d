"""A member on the mat: signs in, presses play, comes back on another device, signs out."""

from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.articles.proofs import PIECES
from tests.journeys.conftest import Demo, assert_plays, sign_in, stop_streams

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]
LESSON = "/courses/lower-body/quadriceps-side"


def test_a_member_signs_in_lands_on_the_lesson_and_it_plays(page: Page) -> None:
    page.goto(LESSON)
    page.locator(".wall").get_by_role("link", name="Log in").click()
    page.fill("input[name=email]", "member@example.com")
    page.fill("input[name=password]", "limber-demo")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{LESSON}")
    assert_plays(page)


def test_a_lesson_goes_on_where_it_stopped_on_another_device(
    page: Page, chromium: Browser, demo: Demo
) -> None:
    lesson = "/courses/lower-body/gluteals"
    sign_in(page, "member")
    stop_streams(page)
    page.goto(lesson)
    assert_plays(page)
    page.evaluate("() => { document.querySelector('video').currentTime = 12; }")
    page.wait_for_function("() => document.querySelector('video').currentTime > 13.5")
    with page.expect_request("**/progress"):
        page.evaluate("() => document.querySelector('video').pause()")
    page.wait_for_timeout(500)
    phone = chromium.new_context(base_url=demo.site, viewport={"width": 390, "height": 844})
    try:
        other = phone.new_page()
        sign_in(other, "member", lesson)
        other.wait_for_selector("[data-player]:not([data-state=loading])")
        other.wait_for_function("() => document.querySelector('video').currentTime > 7")
        assert abs(other.evaluate("() => document.querySelector('video').currentTime") - 13.5) < 5
        expect(other.get_by_text("Resumed at")).to_be_visible()
    finally:
        phone.close()


def test_the_free_lesson_plays_for_anyone(page: Page) -> None:
    page.goto("/courses/lower-body/hamstring-strap")
    assert_plays(page)


def test_signing_out_ends_the_stream(page: Page) -> None:
    sign_in(page, "member")
    stop_streams(page)
    with page.expect_response("**/media/**/master.m3u8") as answered:
        page.goto(LESSON)
    playlist = answered.value.url
    assert page.request.get(playlist).status == 200
    page.goto("/account")
    page.locator("form[action='/logout']").first.get_by_role("button").click()
    page.wait_for_load_state()
    # What was allowed is remembered for at most 10 s.
    page.wait_for_timeout(11_000)
    refused = page.request.get(playlist)
    assert refused.status == 403
    assert "Please log in to watch the paid videos." in refused.text()


def test_no_trace_of_a_paid_video_reaches_a_stranger(page: Page) -> None:
    wanted: list[str] = []
    page.on("request", lambda request: wanted.append(request.url))
    page.goto(LESSON)
    page.wait_for_load_state("networkidle")
    assert not [url for url in wanted if "/media/" in url or "/videos/" in url]
    html = page.content()
    assert "/media/" not in html
    assert "m3u8" not in html
    assert "data-lesson-id" not in html


def test_everything_is_reached_by_keyboard(page: Page) -> None:
    page.goto("/login")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip-link"
    page.focus("input[name=email]")
    page.keyboard.type("member@example.com")
    page.keyboard.press("Tab")
    page.keyboard.type("limber-demo")
    page.keyboard.press("Enter")
    page.wait_for_url("**/library")


def test_reading_and_forms_work_without_scripts(chromium: Browser, demo: Demo) -> None:
    plain: BrowserContext = chromium.new_context(base_url=demo.site, java_script_enabled=False)
    try:
        page = plain.new_page()
        page.goto("/articles/hip-pain-from-running")
        expect(page.get_by_text("Responses to")).to_be_visible()
        page.goto("/contact")
        page.fill("input[name=name]", "Malia")
        page.fill("input[name=email]", "not an address")
        page.fill("textarea", "May I come on Tuesday?")
        page.locator("main form").get_by_role("button").last.click()
        assert page.input_value("textarea") == "May I come on Tuesday?", "nothing that was typed is lost"
        assert page.locator(".field-error").count() >= 1
    finally:
        plain.close()


def test_a_guests_browser_works_for_the_contact_form_while_they_write(page: Page) -> None:
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.post_data or "") if one.method == "POST" else None)
    page.goto("/contact")
    page.fill("main input[name=name]", "Malia")
    page.fill("main input[name=email]", "malia@example.org")
    page.fill("main textarea", "May I come on Tuesday?")
    # Nobody writes faster than two seconds.
    page.wait_for_timeout(2200)
    page.get_by_role("button", name="Send the message").click()
    page.wait_for_url("**/contact/sent")
    (proof,) = parse_qs(sent[-1])["proof"]
    assert proof.count("-") == PIECES - 1
