"""The body from the front and from behind, as paths of an SVG: half of it is given as points, the rest is its mirror.

Points are (to the right of the middle, down from the top); the drawing is `WIDTH` by `HEIGHT`, the body in its middle.
Each region is drawn wider than it is and cut along the outline of the body, so that only its inner edges must fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.finding.regions import BACK, FRONT, REGIONS

Point = tuple[float, float]
Points = Sequence[Point]
WIDTH, HEIGHT = 500, 490
MIDDLE = WIDTH / 2
# Where names begin, from the middle.
NAMES = 96

# fmt: off
_HEAD = [(0, 12), (9, 13.2), (15.5, 18), (19, 26.5), (20, 37), (18.8, 47), (15.5, 56.5), (11.5, 63)]
_NECK = [(10.5, 68), (11, 75), (15, 81)]
_ARM = [(30, 86.5), (43, 92), (52, 101), (56.5, 116), (57.5, 134), (58.5, 152), (62, 170), (66.5, 186), (69.5, 204),
        (71, 222), (71.5, 238)]
_HAND = [(75, 250), (78.5, 264), (79, 279), (76, 292), (71.5, 296.5), (68.5, 291), (66.8, 281)]
_INNER_ARM = [(63.5, 271.5), (60.5, 262), (60.5, 250), (61.5, 238), (58.5, 222), (54.5, 205), (50, 188), (46.5, 172),
              (44, 156), (42, 140)]
_TRUNK = [(39.5, 128), (40, 146), (38.5, 164), (35, 182), (33, 198), (34.5, 212), (39, 228), (42.5, 246)]
_LEG = [(44.5, 266), (44.5, 290), (42, 316), (37.5, 338), (34, 354), (33.5, 368), (35.5, 384), (35.5, 402),
        (31.5, 424), (26.5, 442), (25, 452)]
_FOOT = [(29, 460), (33.5, 468), (31, 474), (23, 475.5), (16.5, 473), (14, 464), (14, 452)]
_INNER_LEG = [(13.5, 440), (12, 424), (10, 404), (11, 386), (13.5, 368), (12.5, 352), (9.5, 330), (6, 304), (3.5, 280),
              (1.5, 262), (0, 259)]
_OUTLINE = [*_HEAD, *_NECK, *_ARM, *_HAND, *_INNER_ARM, *_TRUNK, *_LEG, *_FOOT, *_INNER_LEG]

# Edges between regions, from the middle outward.
_JAW = [(0, 67), (8, 64.5), (14, 57.5), (30, 44)]
_NAPE = [(0, 60), (9, 59.5), (14.5, 55), (30, 44)]
_COLLAR = [(0, 96), (5, 93), (13, 92.5), (24, 91), (34, 86)]
_COLLAR_BEHIND = [(0, 106), (9, 98), (20, 89), (34, 80)]
_CHEST = [(0, 151), (12, 155), (26, 154), (36, 146), (44, 134)]
_SHOULDER_BLADES = [(0, 180), (14, 176), (28, 170), (41, 164)]
_WAIST = [(44, 134), (40.5, 150), (39, 170), (38, 190)]
_PELVIS = [(0, 232), (8, 226), (20, 218), (34, 217), (50, 222)]
_GROIN = [(0, 257), (9, 250), (22, 238), (34, 225), (46, 212)]
_BELOW_HIP = [(0, 276), (14, 287), (30, 286), (52, 272)]
_BELOW_SEAT = [(0, 278), (10, 284), (22, 285), (34, 281), (52, 268)]
_ABOVE_KNEE = [(0, 344), (16, 338), (28, 337), (48, 344)]
_BELOW_KNEE = [(0, 374), (16, 380), (28, 380), (48, 374)]
_ANKLE = [(0, 436), (14, 440), (24, 440), (40, 436)]
_SHOULDER = [(26, 70), (32, 88), (37, 101), (40, 115), (41, 131), (49, 136), (57, 133), (68, 126), (70, 90)]
_BELOW_SHOULDER = [(41, 131), (46, 136), (54, 134), (66, 126)]
_ELBOW = [(47.5, 187), (54, 193), (64, 192), (80, 184)]

# Fine lines, each on both sides.
_FRONT_LINES: list[Points] = [
    [(19.4, 37), (21.8, 35.5), (22.2, 41), (20.6, 47), (18.6, 48)],
    [(6, 158), (16, 162), (30, 158)], [(0, 112), (0, 146)], [(0, 166), (0, 197)], [(0, 208.6), (2.6, 206)],
    [(16.5, 354), (19, 349.5), (24, 348), (29, 350.5), (30.5, 356)], [(18, 366), (23, 369.5), (28.5, 367)],
    [(71.5, 295), (70.8, 280)], [(75, 291), (74.2, 277)], [(61.5, 263), (65, 269), (66.6, 281)],
    [(18, 470), (18.4, 475)], [(22.5, 470.5), (22.8, 475.5)], [(27, 469.5), (27.6, 474.6)],
    [(24, 390), (25.5, 406), (23, 424)], [(28, 300), (29, 318), (27, 332)],
]
_BACK_LINES: list[Points] = [
    [(19.4, 37), (21.8, 35.5), (22.2, 41), (20.6, 47), (18.6, 48)],
    [(0, 112), (0, 224)], [(33, 112), (20, 115), (12, 117), (11.5, 128), (14, 142), (19, 151), (24, 149)],
    [(0, 240), (0, 274)], [(8, 222), (9.5, 225)], [(6, 204), (8, 192), (7, 178)],
    [(14, 352), (23, 356), (32, 352)], [(22, 386), (23, 402), (22.5, 416)], [(16.5, 428), (17.5, 444), (16, 456)],
    [(23, 428), (22, 444), (23.5, 456)], [(16, 470), (22, 466.5), (28.5, 469)], [(56, 188), (60, 186)],
    [(71.5, 295), (70.8, 280)], [(75, 291), (74.2, 277)], [(23, 300), (24, 316), (22, 330)],
]
# Where each region's name points to: to the right of the figure, or (negative) to its left.
_MARKS: dict[str, dict[str, Point]] = {
    FRONT: {"head": (14, 36), "neck": (-7, 78), "shoulder": (48, 112), "chest": (-20, 126), "arm": (53, 164),
            "hand": (65, 228), "belly": (-15, 192), "hip": (-30, 256), "thigh": (28, 312), "knee": (-24, 358),
            "shin": (25, 410), "foot": (-24, 462)},
    BACK: {"head": (-14, 36), "neck": (7, 82), "shoulder": (-48, 112), "upper-back": (22, 136), "arm": (-53, 164),
           "lower-back": (16, 200), "hand": (-65, 228), "seat": (26, 254), "hamstrings": (-28, 312), "knee": (26, 358),
           "calf": (-24, 410), "foot": (24, 462)},
}
# fmt: on


def smooth(points: Points, *, closed: bool = False) -> str:
    """A curve through the points, as an SVG path with relative coordinates.

    Source: a uniform Catmull-Rom spline, written as cubic Bézier curves
    """
    count = len(points)

    def at(number: int) -> Point:
        return points[number % count] if closed else points[min(max(number, 0), count - 1)]

    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for number in range(count if closed else count - 1):
        before, one, other, after = (at(number + step) for step in (-1, 0, 1, 2))
        steps = (
            ((other[0] - before[0]) / 6, (other[1] - before[1]) / 6),
            (other[0] - one[0] - (after[0] - one[0]) / 6, other[1] - one[1] - (after[1] - one[1]) / 6),
            (other[0] - one[0], other[1] - one[1]),
        )
        path.append("c" + " ".join(f"{x:.1f} {y:.1f}" for x, y in steps))
    return "".join(path) + ("z" if closed else "")


def _placed(points: Points, side: int) -> list[Point]:
    return [(MIDDLE + side * x, y) for x, y in points]


def _both(points: Points, *, closed: bool = False) -> str:
    return smooth(_placed(points, 1), closed=closed) + smooth(_placed(points, -1), closed=closed)


def _joined(edges: Sequence[Points]) -> str:
    """One region within these edges, each a curve, in the order of walking round it."""
    first, *rest = (smooth(edge) for edge in edges)
    return first + "".join(f"L{edge[1:]}" for edge in rest) + "z"


def _over_the_middle(*half: Points) -> str:
    """A region within the edges of its right half, from the middle at the top round to the middle at the bottom."""
    right = [_placed(edge, 1) for edge in half]
    left = [_placed(edge, -1)[::-1] for edge in half[::-1]]
    return _joined([*right, *left])


def _on_both_sides(*right: Points) -> str:
    """A region on either side, not over the middle, within these edges of the right one."""
    return "".join(_joined([_placed(edge, side) for edge in right]) for side in (1, -1))


def _back(edge: Points) -> list[Point]:
    return list(edge)[::-1]


_LEVEL = [(0, 0), (30, 0)]
_ARM_SIDE = _SHOULDER[1:5]
_PARTS = {
    "shoulder": _both(_SHOULDER, closed=True),
    "arm": _on_both_sides(_BELOW_SHOULDER, _back(_ELBOW)),
    "hand": _on_both_sides(_ELBOW, [(90, 305), (47.5, 305)]),
    "knee": _on_both_sides(_ABOVE_KNEE, _back(_BELOW_KNEE)),
    "foot": _on_both_sides(_ANKLE, [(50, HEIGHT), (0, HEIGHT)]),
}
_SHAPES = {
    FRONT: {
        **_PARTS,
        "head": _over_the_middle(_LEVEL, _back(_JAW)),
        "neck": _over_the_middle(_JAW, _back(_COLLAR)),
        "chest": _over_the_middle(_COLLAR, _ARM_SIDE, _back(_CHEST)),
        "belly": _over_the_middle(_CHEST, _WAIST, _back(_GROIN)),
        "hip": _over_the_middle(_GROIN, _back(_BELOW_HIP)),
        "thigh": _on_both_sides(_BELOW_HIP, _back(_ABOVE_KNEE)),
        "shin": _on_both_sides(_BELOW_KNEE, _back(_ANKLE)),
    },
    BACK: {
        **_PARTS,
        "head": _over_the_middle(_LEVEL, _back(_NAPE)),
        "neck": _over_the_middle(_NAPE, _back(_COLLAR_BEHIND)),
        "upper-back": _over_the_middle(_COLLAR_BEHIND, _ARM_SIDE, _back(_SHOULDER_BLADES)),
        "lower-back": _over_the_middle(_SHOULDER_BLADES, _WAIST[2:], _back(_PELVIS)),
        "seat": _over_the_middle(_PELVIS, _back(_BELOW_SEAT)),
        "hamstrings": _on_both_sides(_BELOW_SEAT, _back(_ABOVE_KNEE)),
        "calf": _on_both_sides(_BELOW_KNEE, _back(_ANKLE)),
    },
}


@dataclass(frozen=True)
class Shape:
    """A region on one view. Its name stands at (`name_x`, `mark_y`), and a line leads from there to its mark."""

    key: str
    path: str
    mark_x: float
    mark_y: float
    name_x: float
    is_left: bool

    @property
    def label(self) -> str:
        return REGIONS[self.key].label


@dataclass(frozen=True)
class Figure:
    """One view of the body; `shapes` from the head down."""

    side: str
    outline: str
    lines: str
    shapes: tuple[Shape, ...]


def _shape(side: str, key: str) -> Shape:
    x, y = _MARKS[side][key]
    return Shape(key, _SHAPES[side][key], MIDDLE + x, y, MIDDLE + (NAMES if x > 0 else -NAMES), x < 0)


def _figure(side: str, lines: Sequence[Points]) -> Figure:
    outline = smooth([*_placed(_OUTLINE, 1), *_placed(_OUTLINE[-2:0:-1], -1)], closed=True)
    shapes = tuple(_shape(side, key) for key in REGIONS if key in _SHAPES[side])
    return Figure(side, outline, "".join(_both(line) for line in lines), shapes)


FIGURES = (_figure(FRONT, _FRONT_LINES), _figure(BACK, _BACK_LINES))
