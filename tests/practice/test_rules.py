"""What the settings of the practice may hold."""

from typing import Any

import pytest

from app.practice.rules import LocationDraft, PracticeDraft, check_location, check_practice

GOOD: dict[str, Any] = {"site_name": "Kapahulu Stretch Practice", "contact_email": "teacher@example.com"}


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({}, set()),
        ({"site_name": ""}, {"site_name"}),
        ({"contact_email": ""}, {"contact_email"}),
        ({"contact_email": "teacher@@example"}, {"contact_email"}),
        ({"time_zone": "Pacific/Honolulu"}, set()),
        ({"time_zone": "Honolulu"}, {"time_zone"}),
        ({"time_zone": "../../etc/passwd"}, {"time_zone"}),
        ({"tagline": "x" * 201, "teacher_bio": "x" * 1_201}, {"tagline", "teacher_bio"}),
    ],
)
def test_a_practice_needs_a_name_and_an_address_for_mail(values: dict[str, Any], wrong: set[str]) -> None:
    assert set(check_practice(PracticeDraft(**{**GOOD, **values}))) == wrong


@pytest.mark.parametrize(
    ("draft", "wrong"),
    [
        (LocationDraft("Honolulu"), set()),
        (LocationDraft("Honolulu", phone="(808) 555-0142"), set()),
        (LocationDraft(), {"city"}),
        (LocationDraft("Honolulu", phone="ask"), {"phone"}),
        (LocationDraft("Honolulu", hours="x" * 401), {"hours"}),
    ],
)
def test_an_address_needs_a_city_and_a_number_that_can_be_called(
    draft: LocationDraft, wrong: set[str]
) -> None:
    assert set(check_location(draft)) == wrong
