"""Draw the demo films' stage: palette, tapered strokes with smooth edges, mat and room, and the count."""

import math
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Planes = tuple[Image.Image, Image.Image, Image.Image]

WIDTH, HEIGHT = 1280, 720
FINE = 3  # drawn this many times larger, then reduced: Pillow's own strokes have hard edges

# RGB to BT.709 in limited range, as rows of (red, green, blue, offset). Source: ITU-R BT.709-6, item 3.
BT709 = (
    0.1826, 0.6142, 0.0620, 16.0,
    -0.1006, -0.3386, 0.4392, 128.0,
    0.4392, -0.3989, -0.0403, 128.0,
)  # fmt: skip

PAPER: Colour = (246, 241, 231)
SUN: Colour = (240, 228, 210)
LINE: Colour = (222, 210, 192)
INK: Colour = (43, 38, 36)
FAR_INK: Colour = (98, 88, 80)
SKIN: Colour = (196, 134, 102)
FAR_SKIN: Colour = (166, 116, 92)
CLAY: Colour = (184, 84, 54)
QUIET: Colour = (132, 120, 108)


@dataclass(frozen=True)
class Stroke:
    """A rounded stroke from `a` (radius `ra`) to `b` (radius `rb`), in pixels; points are x + y·1j, y down."""

    a: complex
    b: complex
    ra: float
    rb: float
    colour: Colour


def blend(one: Colour, other: Colour, share: float) -> Colour:
    """`one` with `share` (0 to 1) of `other`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def toward(degrees: float, length: float = 1.0) -> complex:
    """A step of `length` in a direction: 0 is right, 90 is up."""
    angle = math.radians(degrees)
    return complex(length * math.cos(angle), -length * math.sin(angle))


def extent(strokes: list[Stroke]) -> tuple[int, int, int, int]:
    """The box (left, top, right, bottom) that holds all the strokes, within the picture; even, as colour is."""
    ends = [(point, radius) for s in strokes for point, radius in ((s.a, s.ra), (s.b, s.rb))]
    left = math.floor(min(p.real - r for p, r in ends)) - 2
    top = math.floor(min(p.imag - r for p, r in ends)) - 2
    right = math.ceil(max(p.real + r for p, r in ends)) + 3
    bottom = math.ceil(max(p.imag + r for p, r in ends)) + 3
    return (max(0, left & ~1), max(0, top & ~1), min(WIDTH, right & ~1), min(HEIGHT, bottom & ~1))


def paint(ground: Image.Image, strokes: list[Stroke]) -> tuple[Image.Image, tuple[int, int]]:
    """The strokes over `ground`, smoothed: only the patch that they cover, and where it belongs."""
    left, top, right, bottom = extent(strokes)
    patch = ground.crop((left, top, right, bottom))
    fine = patch.resize((patch.width * FINE, patch.height * FINE), Image.Resampling.NEAREST)
    pen = ImageDraw.Draw(fine)
    origin = complex(left, top)
    for stroke in strokes:
        _draw(pen, stroke, origin)
    return fine.reduce(FINE), (left, top)


def _draw(pen: ImageDraw.ImageDraw, stroke: Stroke, origin: complex) -> None:
    a, b = (stroke.a - origin) * FINE, (stroke.b - origin) * FINE
    ra, rb = stroke.ra * FINE, stroke.rb * FINE
    for point, radius in ((a, ra), (b, rb)):
        pen.ellipse((point.real - radius, point.imag - radius, point.real + radius, point.imag + radius),
                    fill=stroke.colour)  # fmt: skip
    length = abs(b - a)
    if length <= abs(ra - rb):
        return
    along = (b - a) / length
    # The common tangents of two circles of different size lean towards the smaller one.
    lean = (ra - rb) / length
    side = math.sqrt(1 - lean * lean)
    one, other = along * complex(lean, side), along * complex(lean, -side)
    corners = (a + one * ra, b + one * rb, b + other * rb, a + other * ra)
    pen.polygon([(corner.real, corner.imag) for corner in corners], fill=stroke.colour)


@dataclass(frozen=True)
class Room:
    """What stands still behind a figure: the mat's colour, its box, and where the pale disc hangs."""

    mat: Colour
    mat_box: tuple[int, int, int, int]
    sun: tuple[int, int, int]  # x, y, radius
    seen_from_above: bool
    label: str


def background(room: Room) -> Image.Image:
    """The still picture behind a figure."""
    fine = Image.new("RGB", (WIDTH * 2, HEIGHT * 2), PAPER)
    pen = ImageDraw.Draw(fine)
    if room.seen_from_above:
        for board in range(60, 2 * HEIGHT, 288):
            pen.rectangle((0, board, 2 * WIDTH, board + 2), fill=blend(PAPER, LINE, 0.55))
    else:
        x, y, radius = (2 * value for value in room.sun)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=SUN)
    left, top, right, bottom = (2 * value for value in room.mat_box)
    if room.seen_from_above:
        pen.rounded_rectangle((left + 8, top + 14, right + 8, bottom + 14), 44, fill=LINE)
        pen.rounded_rectangle((left, top, right, bottom), 44, fill=room.mat)
        edge = blend(room.mat, PAPER, 0.35)
        pen.rounded_rectangle((left + 22, top + 22, right - 22, bottom - 22), 28, outline=edge, width=3)
    else:
        pen.rectangle((0, bottom, WIDTH * 2, HEIGHT * 2), fill=blend(PAPER, LINE, 0.45))
        pen.rectangle((0, bottom, WIDTH * 2, bottom + 3), fill=LINE)
        pen.rounded_rectangle((left, top, right, bottom), 20, fill=room.mat)
        pen.rounded_rectangle((left, top, right, top + 12), 6, fill=blend(room.mat, PAPER, 0.3))
    pen.text((2 * 64, 2 * 678), room.label, font=_font(58), fill=QUIET, anchor="ls")
    return fine.reduce(2)


COUNT_AT = (1034, 56)
COUNT_SIZE = (190, 236)


def count(ground: Image.Image, number: int, of: int, held: float, glow: float) -> Image.Image:
    """The patch at COUNT_AT: a ring that fills as the hold goes on (`held`, 0 to 1), the numeral, and dots.

    `glow` (0 to 1) colours the numeral while the stretch is held.
    """
    left, top = COUNT_AT
    width, height = COUNT_SIZE
    patch = ground.crop((left, top, left + width, top + height))
    fine = patch.resize((width * FINE, height * FINE), Image.Resampling.NEAREST)
    pen = ImageDraw.Draw(fine)
    centre, radius, thick = 95 * FINE, 78 * FINE, 9 * FINE
    box = (centre - radius, centre - radius, centre + radius, centre + radius)
    pen.ellipse(box, outline=LINE, width=thick)
    if held > 0:
        pen.arc(box, -90, -90 + 360 * held, fill=CLAY, width=thick)
        for angle in (-90.0, -90 + 360 * held):
            tip = complex(centre, centre) + toward(-angle, radius - thick / 2)
            end = thick / 2
            pen.ellipse((tip.real - end, tip.imag - end, tip.real + end, tip.imag + end), fill=CLAY)
    if number:
        ink = blend(INK, CLAY, glow)
        pen.text((centre, centre), str(number), font=_font(84 * FINE), fill=ink, anchor="mm")
    gap, dot = 22 * FINE, 5 * FINE
    for index in range(of):
        x = centre + (index - (of - 1) / 2) * gap
        y = 212 * FINE
        done = index + 1 < number or (index + 1 == number and held >= 1)
        pen.ellipse((x - dot, y - dot, x + dot, y + dot), fill=CLAY if done else LINE)
    return fine.reduce(FINE)


def planes(picture: Image.Image) -> Planes:
    """Brightness, and the two colours at half the size: what a video encoder takes."""
    light, blue, red = picture.convert("RGB", BT709).split()
    return light, blue.reduce(2), red.reduce(2)


def inset(scene: Planes, patch: Planes, at: tuple[int, int]) -> Planes:
    """The scene with `patch` over it at an even place."""
    light, blue, red = (plane.copy() for plane in scene)
    light.paste(patch[0], at)
    half = (at[0] // 2, at[1] // 2)
    blue.paste(patch[1], half)
    red.paste(patch[2], half)
    return light, blue, red


def raw(picture: Planes) -> bytes:
    """Raw 4:2:0, plane after plane."""
    return b"".join(plane.tobytes() for plane in picture)


@lru_cache(maxsize=8)
def _font(size_px: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size_px)
