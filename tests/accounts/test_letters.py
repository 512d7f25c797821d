"""Every mail of accounts: complete, safe, and with nothing in it that somebody else may have typed for a stranger."""

import pytest

from app import mail

URL = "https://limber.test/x?token=abc&y=1"
CONTEXTS: dict[str, dict[str, str]] = {
    "confirm": {"url": URL},
    "already_joined": {"login_url": URL, "forgot_url": URL},
    "welcome": {"name": "Kai <b>", "url": URL},
    "reset_password": {"name": "Kai <b>", "url": URL},
    "no_account": {"join_url": URL},
    "password_changed": {"name": "Kai <b>", "forgot_url": URL},
    "change_email": {"name": "Kai <b>", "url": URL},
    "email_taken": {"login_url": URL},
    "email_changed": {"name": "Kai <b>", "new": "new@example.com", "contact_url": URL},
}


@pytest.mark.parametrize("template", CONTEXTS)
def test_a_letter_has_two_parts_that_both_carry_the_link(template: str) -> None:
    message = mail.render(template, "kai@example.com", CONTEXTS[template])
    assert 5 < len(message["Subject"]) < 60
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert URL in text.get_content()
    assert URL.replace("&", "&amp;") in html.get_content()
    assert "Kai <b>" not in html.get_content()
    assert "&lt;" not in text.get_content()


@pytest.mark.parametrize("template", ["confirm", "no_account", "email_taken", "already_joined"])
def test_a_letter_to_an_unproven_address_takes_no_typed_words(template: str) -> None:
    assert not {"name", "new"} & set(CONTEXTS[template])
