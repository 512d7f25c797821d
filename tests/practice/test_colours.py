"""The accent colour: whatever is chosen can be read in both themes, and the themes' own colours can."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.practice.colours import (
    CHOICES,
    CLAY,
    DARK_CONTENT,
    DARK_GROUNDS,
    LEAST_CONTRAST,
    LIGHT_CONTENT,
    LIGHT_GROUNDS,
    contrast,
    is_colour,
    palette,
    stylesheet,
)

SITE = Path(__file__).resolve().parent.parent.parent / "frontend/site.css"
COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def themes() -> list[dict[str, str]]:
    """The custom properties of the light and of the dark theme, as the stylesheet's source has them."""
    blocks = re.findall(r'@plugin "daisyui/theme" \{(.*?)\n\}', SITE.read_text("utf-8"), re.DOTALL)
    return [dict(re.findall(r"--color-([a-z0-9-]+): (#[0-9a-f]{6});", block)) for block in blocks]


@pytest.mark.parametrize(
    ("first", "second", "ratio"),
    [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.478), ("#9a4424", "#9a4424", 1.0)],
)
def test_contrast_is_what_wcag_says(first: str, second: str, ratio: float) -> None:
    assert contrast(first, second) == pytest.approx(ratio, abs=0.001)
    assert contrast(second, first) == contrast(first, second)


@given(COLOURS)
@example("#ffffff")
@example("#000000")
@example("#ffff00")
@example("#0000ff")
def test_any_colour_can_be_read_in_both_themes(chosen: str) -> None:
    made = palette(chosen)
    for accent, grounds in ((made.light, LIGHT_GROUNDS), (made.dark, DARK_GROUNDS)):
        for colour in (accent.colour, accent.strong):
            assert is_colour(colour)
            assert contrast(colour, accent.content) >= LEAST_CONTRAST
            for ground in grounds:
                assert contrast(colour, ground) >= LEAST_CONTRAST


def test_what_can_be_read_stays_as_it_was_chosen_and_what_cannot_is_darkened() -> None:
    for colour, _name in CHOICES:
        assert palette(colour).is_light_kept, colour
    assert palette("#ffd400").light.colour != "#ffd400"
    assert not palette("#ffd400").is_light_kept


@pytest.mark.parametrize("text", ["", "#fff", "red", "#12345g", "#1f6470;}", "1f6470", "#1F6470"])
def test_only_six_small_hex_digits_are_a_colour(text: str) -> None:
    assert not is_colour(text)


def test_the_stylesheet_holds_nothing_but_colours() -> None:
    found = stylesheet("#1f6470")
    assert found.count("{") == found.count("}")
    assert "--color-primary:#1f6470" in found
    assert "prefers-color-scheme:dark" in found


def test_the_grounds_are_those_of_the_stylesheet() -> None:
    light, dark = themes()
    assert (light["base-100"], light["base-200"]) == LIGHT_GROUNDS
    assert (dark["base-100"], dark["base-200"]) == DARK_GROUNDS
    assert (light["primary"], light["primary-content"]) == (CLAY, LIGHT_CONTENT)
    assert dark["base-100"] == DARK_CONTENT


@pytest.mark.parametrize("number", [0, 1])
def test_the_built_in_themes_can_be_read(number: int) -> None:
    theme = themes()[number]
    pairs = [("base-content", ground) for ground in ("base-100", "base-200", "base-300")]
    pairs += [
        (name, ground)
        for name in ("primary", "primary-strong", "muted")
        for ground in ("base-100", "base-200")
    ]
    pairs += [
        (f"{name}-content", name) for name in ("primary", "secondary", "info", "success", "warning", "error")
    ]
    pairs += [("base-content", f"{name}-soft") for name in ("info", "success", "warning", "error")]
    for first, second in pairs:
        assert contrast(theme[first], theme[second]) >= LEAST_CONTRAST, (first, second)
