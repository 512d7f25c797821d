"""When a lesson counts as watched, and where it goes on."""

import pytest

from app.playback.rules import Mark, mark


@pytest.mark.parametrize(
    ("position_s", "duration_s", "expected"),
    [
        (0, 100, Mark(0, False)),
        (42.5, 100, Mark(42.5, False)),
        (89.9, 100, Mark(89.9, False)),
        (90, 100, Mark(0, True)),
        (100, 100, Mark(0, True)),
        (500, 100, Mark(0, True)),
        (-3, 100, Mark(0, False)),
        (7, 0, Mark(0, False)),
    ],
)
def test_nine_tenths_is_watched_and_begins_again(
    position_s: float, duration_s: float, expected: Mark
) -> None:
    assert mark(position_s, duration_s) == expected
