"""The site's accent colour: any colour becomes one that can be read in the light and in the dark theme. Pure.

Lightness is moved in OKLCH, which keeps the hue that the eye sees; everything else of the themes stays as it is in
frontend/site.css.
"""

import re
from dataclasses import dataclass
from math import atan2, cbrt, cos, hypot, sin

from app.i18n import N_

CLAY = "#9a4424"
# What the studio offers, by its name; the first one is built into the stylesheet.
CHOICES = (
    (CLAY, N_("Clay")),
    ("#8a5a00", N_("Ochre")),
    ("#4c6327", N_("Moss")),
    ("#1f6470", N_("Sea")),
    ("#3b5599", N_("Indigo")),
    ("#7b3f7a", N_("Plum")),
    ("#a1304f", N_("Berry")),
    ("#55504a", N_("Graphite")),
)
# What accents stand on: the grounds of both themes, as frontend/site.css has them (a test compares).
LIGHT_GROUNDS = ("#fbf8f2", "#f3ede2")
DARK_GROUNDS = ("#1a1714", "#24201b")
LIGHT_CONTENT, DARK_CONTENT = "#fffaf5", "#1a1714"
# WCAG 2.2, 1.4.3: text of any size.
LEAST_CONTRAST = 4.5
# Where the accent of a dark page begins: what is only just readable looks muddy.
DARK_BEGINS = 0.74
STEP = 0.005
# Bright colours on dark ground shimmer; this much of one is colour enough.
MOST_DARK_CHROMA = 0.12
# How much darker (lighter in the dark) an accent is under the pointer.
STRONGER = 0.07

_HEX = re.compile(r"#[0-9a-f]{6}")

Rgb = tuple[float, float, float]


def is_colour(text: str) -> bool:
    """Whether it is written as `#1f6470`."""
    return _HEX.fullmatch(text) is not None


@dataclass(frozen=True)
class Accent:
    """The accent of one theme: links and buttons, what is written on them, and both under the pointer."""

    colour: str
    content: str
    strong: str


@dataclass(frozen=True)
class Palette:
    """`is_light_kept`: the light theme shows the colour exactly as it was chosen."""

    light: Accent
    dark: Accent
    is_light_kept: bool


def contrast(first: str, second: str) -> float:
    """1 to 21.

    Source: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
    """
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def palette(chosen: str) -> Palette:
    """What becomes of a colour (`#rrggbb`): as it is where it can be read, else darker, and lighter on dark ground."""
    lightness, chroma, hue = _lch(chosen)
    light = chosen
    at = lightness
    while not _is_readable(light, LIGHT_GROUNDS):
        at -= STEP
        light = _hex(at, chroma, hue)
    bright, soft = max(lightness, DARK_BEGINS), min(chroma, MOST_DARK_CHROMA)
    dark = _hex(bright, soft, hue)
    while not _is_readable(dark, DARK_GROUNDS):
        bright += STEP
        dark = _hex(bright, soft, hue)
    return Palette(
        Accent(light, LIGHT_CONTENT, _hex(at - STRONGER, chroma, hue)),
        Accent(dark, DARK_CONTENT, _hex(bright + STRONGER, soft, hue)),
        is_light_kept=light == chosen,
    )


def stylesheet(chosen: str) -> str:
    """The custom properties that differ from the built-in theme's. Paper keeps its own colours."""

    def properties(accent: Accent) -> str:
        return (
            f"--color-primary:{accent.colour};--color-accent:{accent.colour};--color-primary-strong:{accent.strong};"
            f"--color-primary-content:{accent.content};--color-accent-content:{accent.content}"
        )

    both = palette(chosen)
    light, dark = properties(both.light), properties(both.dark)
    return (
        f"@media screen{{:root{{{light}}}@media (prefers-color-scheme:dark){{:root:not([data-theme]){{{dark}}}}}"
        f"[data-theme=limber-dark]{{{dark}}}}}"
    )


def _is_readable(colour: str, grounds: tuple[str, ...]) -> bool:
    return all(contrast(colour, ground) >= LEAST_CONTRAST for ground in grounds)


def _rgb(colour: str) -> Rgb:
    """Linear light, 0 to 1."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return red, green, blue


def _linear(value: float) -> float:
    return float(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)


def _gamma(value: float) -> float:
    return float(value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055)


def _luminance(colour: str) -> float:
    red, green, blue = _rgb(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _lch(colour: str) -> tuple[float, float, float]:
    """OKLCH: lightness 0 to 1, chroma, hue in radians.

    Source: https://bottosson.github.io/posts/oklab/
    """
    red, green, blue = _rgb(colour)
    long = cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return lightness, hypot(a, b), atan2(b, a)


def _hex(lightness: float, chroma: float, hue: float) -> str:
    """The colour as sRGB; what no screen shows loses chroma until one does."""
    lightness = min(max(lightness, 0.0), 1.0)
    while True:
        parts = _from_lch(lightness, chroma, hue)
        if chroma <= 0 or all(-0.0005 <= part <= 1.0005 for part in parts):
            return "#" + "".join(f"{round(255 * _gamma(min(max(part, 0.0), 1.0))):02x}" for part in parts)
        chroma = max(0.0, chroma - STEP)


def _from_lch(lightness: float, chroma: float, hue: float) -> Rgb:
    a, b = chroma * cos(hue), chroma * sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
