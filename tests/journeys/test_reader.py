"""A reader with a pain: reads, asks, is answered, waits for what is being made, and is told when it is out."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import Demo, press, sign_in

# Most of it waits for the worker's minute.
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo"), pytest.mark.long]

READER = "kaleo@example.org"
ARTICLE = "/articles/wrists-that-ache-in-the-evening"


@pytest.fixture
def reader(chromium: Browser, demo: Demo) -> Iterator[Page]:
    """A phone, whose owner has no account."""
    context = chromium.new_context(base_url=demo.site, viewport={"width": 390, "height": 844})
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def write(page: Page, title: str, body: str, button: str) -> None:
    """The teacher writes an article."""
    page.goto("/studio/articles/new")
    page.fill("input[name=title]", title)
    page.fill("textarea[name=summary]", "For hands that type and hold the phone.")
    page.fill("textarea[name=body_md]", body)
    press(page, page.get_by_role("button", name=button))


def announce(page: Page) -> None:
    """The teacher announces what is not filmed yet, and shows it in an article."""
    page.goto("/studio/waiting/new")
    page.fill("input[name=title]", "Stretches for the wrists")
    page.fill("textarea[name=summary]", "Four minutes, sitting.")
    press(page, page.get_by_role("button", name="Announce it"))
    line = page.locator("#show-title ~ p code").inner_text()
    assert line == "::topic stretches-for-the-wrists"
    body = f"They ache because they never open.\n\n{line}\n\nUntil then, shake them out."
    write(page, "Wrists that ache in the evening", body, "Save and publish")


def ask(reader: Page) -> None:
    """A response as a guest, who wants to hear of answers."""
    reader.goto(ARTICLE)
    reader.fill("#respond textarea[name=body]", "How can I access these stretches?")
    reader.fill("#respond input[name=name]", "Kaleo")
    reader.fill("#respond input[name=email]", READER)
    reader.check("#respond input[name=replies]")
    # Nobody writes faster than that.
    reader.wait_for_timeout(2500)
    reader.get_by_role("button", name="Post response").click()
    expect(reader.get_by_text("Your response appears once")).to_be_visible()


def answer(page: Page, reader: Page, demo: Demo) -> None:
    """The teacher lets it in, the reader confirms the address, the teacher answers and the reader gets the mail."""
    page.goto("/studio/responses")
    press(page, page.get_by_role("button", name="Approve: response by Kaleo"))
    demo.mail_to(READER, "Your response is shown")
    reader.goto(demo.link_to(READER, "/responses/follow"))
    press(reader, reader.get_by_role("button", name="Yes, tell me"))
    page.goto("/studio/responses?state=approved")
    item = page.locator(".queue-item", has_text="How can I access these stretches?").first
    item.get_by_text("Reply", exact=True).first.click()
    item.locator("textarea").fill("They are being filmed. Leave your address above.")
    press(page, item.get_by_role("button", name="Reply"))
    mail = demo.mail_to(READER, "has answered you")
    assert "They are being filmed." in mail["text"]
    assert "/responses/unfollow?token=" in mail["text"]


def wait(page: Page, reader: Page, demo: Demo) -> None:
    """The reader joins the waiting list from the article's card, and the teacher sees one more."""
    reader.goto(ARTICLE)
    card = reader.locator("#wait-stretches-for-the-wrists")
    card.locator("input[name=email]").fill(READER)
    reader.wait_for_timeout(2500)
    card.get_by_role("button", name="Tell me when it is out").click()
    expect(reader.locator("#wait-stretches-for-the-wrists [role=status]")).to_contain_text(
        "look into your mail"
    )
    demo.mail_to(READER, "shall we tell you")
    page.goto("/studio/waiting")
    row = page.locator("tr", has_text="Stretches for the wrists")
    expect(row.locator("[data-label='To confirm']")).to_have_text("1")
    reader.goto(demo.link_to(READER, "/waiting/confirm"))
    reader.get_by_role("button", name="Yes, tell me").click()
    expect(reader.locator("[role=status]")).to_contain_text("You are on the list")
    page.reload()
    expect(row.locator("[data-label='Wait']")).to_have_text("1")
    row.get_by_role("link").first.click()
    expect(page.get_by_role("link", name="Wrists that ache in the evening")).to_be_visible()


def publish(page: Page) -> None:
    """The teacher begins it as a draft, says that this is what was announced, and publishes it."""
    write(page, "Wrists in four minutes", "Open the hand. Two seconds. Let go.", "Save the draft")
    editor = page.url.partition("?")[0]
    page.goto("/studio/waiting")
    page.get_by_role("link", name="Stretches for the wrists").first.click()
    choice = page.locator("select[name=becomes] option", has_text="Wrists in four minutes")
    page.select_option("select[name=becomes]", choice.get_attribute("value"))
    press(page, page.get_by_role("button", name="Save"))
    page.goto(editor)
    press(page, page.get_by_role("button", name="Save and publish"))


def test_a_reader_asks_is_answered_waits_and_is_told(page: Page, reader: Page, demo: Demo) -> None:
    sign_in(page, "teacher", "/studio")
    announce(page)
    ask(reader)
    answer(page, reader, demo)
    wait(page, reader, demo)
    publish(page)
    mail = demo.mail_to(READER, "“Stretches for the wrists” is out", seconds=120)
    assert "/waiting/end?token=" in mail["text"]
    reader.goto(demo.link_to(READER, "/articles/wrists-in-four-minutes"))
    expect(reader.get_by_role("heading", name="Wrists in four minutes")).to_be_visible()
    # The card in the first article leads there too, now.
    reader.goto(ARTICLE)
    expect(reader.get_by_role("link", name="Wrists in four minutes")).to_be_visible()
    page.goto("/studio/waiting")
    expect(page.locator("tr", has_text="Stretches for the wrists").locator("[data-label=Told]")).to_have_text(
        "1"
    )
