"""Five stretches of the hip and thigh, each a figure for every share (0 start, 1 stretched) of its movement."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from app.demo.figure import (
    FAR,
    NEAR,
    SHIN,
    THIGH,
    arm,
    bend,
    glow,
    head,
    leg,
    reaching_arm,
    strap,
    torso,
)
from app.demo.stage import INK, SKIN, Colour, Room, Stroke, blend, toward

Figure = Callable[[float], list[Stroke]]
SAGE: Colour = (176, 184, 160)
SAND: Colour = (221, 199, 166)
DUSK: Colour = (168, 178, 186)
ROSE: Colour = (216, 178, 158)


def along(keys: Sequence[tuple[float, float]], share: float) -> float:
    """The value at `share` of a track of (share, value) keys, easing through each."""
    for (start, a), (end, b) in pairwise(keys):
        if share <= end:
            part = (share - start) / (end - start)
            return a + (b - a) * part * part * (3 - 2 * part)
    return keys[-1][1]


def between(a: complex, b: complex, share: float) -> complex:
    return a + (b - a) * share


def hamstring_strap(share: float) -> list[Stroke]:
    """On the back, one leg straight up in a strap; the muscles behind the thigh lengthen."""
    pelvis = 620 + 522j
    trunk, shoulder, neck = torso(pelvis, 179, 1)
    far_knee = bend(pelvis, 800 + 549j, THIGH, SHIN, -1)
    lift = along(((0, 16), (1, 94)), share)
    knee = pelvis + toward(lift + 1, THIGH)
    ankle = knee + toward(lift - 1, SHIN)
    toes = lift + 84
    foot = ankle + toward(lift - 1, 9) + toward(toes, 27)
    pull = between(640 + 432j, 566 + 352j, share)
    far_arm, _ = reaching_arm(shoulder + 6j, pull + 8, 1, FAR)
    near_arm, hand = reaching_arm(shoulder + 2j, pull, 1, NEAR)
    behind = toward(lift - 90, 15)
    return [
        *far_arm,
        *leg(pelvis, far_knee, 800 + 549j, 1, FAR),
        *head(neck, 178, 1),
        *trunk,
        *leg(pelvis, knee, ankle, toes, NEAR),
        glow(between(pelvis, knee, 0.2) + behind, between(pelvis, knee, 0.86) + behind * 0.7, 9, 6, share),
        *strap(hand, foot),
        *near_arm,
    ]


def quadriceps_side(share: float) -> list[Stroke]:
    """On the side, seen from above: the lower knee held to the chest, the upper thigh drawn back."""
    pelvis = 585 + 352j
    trunk, shoulder, neck = torso(pelvis, 176, -1)
    held_knee = pelvis + toward(-104, THIGH)
    held_ankle = held_knee + toward(-4, SHIN)
    far_arm, _ = reaching_arm(shoulder + 8j, held_knee + (-6 + 12j), -1, FAR)
    swing = along(((0, -52), (1, 11)), share)
    knee = pelvis + toward(swing, THIGH)
    ankle = knee + toward(swing + along(((0, 118), (1, 142)), share), SHIN)
    away = between(500 + 272j, 516 + 258j, share)
    near_arm, hand = reaching_arm(shoulder - 6j, away, -1, NEAR)
    front = toward(swing - 90, 17)
    return [
        *far_arm,
        *leg(pelvis, held_knee, held_ankle, -74, FAR),
        *head(neck, 172, -1),
        *trunk,
        *leg(pelvis, knee, ankle, swing + along(((0, 172), (1, 196)), share), NEAR),
        glow(between(pelvis, knee, 0.16) + front, between(pelvis, knee, 0.9) + front * 0.6, 10, 6, share),
        *strap(hand, ankle),
        *near_arm,
    ]


def hip_flexor(share: float) -> list[Stroke]:
    """Kneeling, the hips glide forward and the arm reaches up; the front of the hip opens."""
    floor_knee = 500 + 574j
    pelvis = floor_knee + toward(along(((0, 97), (1, 57)), share), THIGH)
    lean = along(((0, 88), (0.6, 91), (1, 97)), share)
    trunk, shoulder, neck = torso(pelvis, lean, 1)
    front_ankle = 760 + 583j
    front_knee = bend(pelvis, front_ankle, THIGH, SHIN, -1)
    far_arm, _ = reaching_arm(shoulder, front_knee + (-26 - 20j), 1, FAR)
    upper = along(((0, -84), (1, 104)), share)
    elbow = shoulder + toward(upper, 112)
    hand = elbow + toward(upper + along(((0, 18), (0.5, 30), (1, 6)), share), 106)
    fore = toward(lean - 90)
    top = pelvis + toward(lean, 62) + fore * 22
    return [
        *far_arm,
        *leg(pelvis, front_knee, front_ankle, 1, FAR),
        *leg(pelvis, floor_knee, floor_knee + (-SHIN + 6j), 186, NEAR),
        *trunk,
        glow(top, pelvis + fore * 22, 7, 10, share),
        glow(pelvis + fore * 22, between(pelvis, floor_knee, 0.45) + fore * 17, 10, 6, share),
        *arm(shoulder, elbow, hand, NEAR),
        *head(neck, lean + along(((0, -2), (1, 4)), share), 1),
    ]


def gluteals(share: float) -> list[Stroke]:
    """On the back, the knee is drawn towards the shoulder; the muscles of the seat lengthen."""
    pelvis = 620 + 522j
    trunk, shoulder, neck = torso(pelvis, 179, 1)
    far_knee = pelvis + toward(1, THIGH)
    lift = along(((0, 58), (1, 133)), share)
    knee = pelvis + toward(lift, THIGH)
    ankle = knee + toward(along(((0, -62), (0.5, -30), (1, 14)), share), SHIN)
    grip = knee + (ankle - knee) / SHIN * 34
    far_arm, _ = reaching_arm(shoulder + 6j, grip + (6 + 4j), 1, FAR)
    near_arm, _ = reaching_arm(shoulder + 2j, grip, 1, NEAR)
    seat = toward(lift - 118, 27)
    return [
        *far_arm,
        *leg(pelvis, far_knee, far_knee + toward(-2, SHIN), 78, FAR),
        *head(neck, 178, 1),
        *trunk,
        *leg(pelvis, knee, ankle, along(((0, 4), (1, 84)), share), NEAR),
        glow(pelvis + seat, between(pelvis, knee, 0.34) + toward(lift - 90, 24), 14, 8, share),
        *near_arm,
    ]


def deep_rotators(share: float) -> list[Stroke]:
    """Face down, seen from above: the lower leg stands up and falls outward, turning the thigh in its socket."""
    pelvis, neck = 560 + 392j, 372 + 392j
    hip, knee = 580 + 426j, 752 + 442j
    far_hip, far_knee, far_ankle = 580 + 358j, 752 + 346j, 914 + 338j
    fall = along(((0, 0.1), (1, 0.8)), share)
    ankle = knee + complex(6, SHIN * fall)
    near = 1 + 0.12 * (1 - fall)  # what stands up is nearer to the eye
    shade = blend(SAGE, INK, 0.28)
    strokes = [Stroke(knee + (10 + 12j), ankle + (16 + 18j), 24, 20, shade)]
    strokes += [Stroke(ankle + (4 + 18j), ankle + (64 + 18j), 16, 13, shade)]
    for side in (-1, 1):
        shoulder = complex(404, 392 + side * 58)
        elbow = shoulder + complex(-58, side * 70)
        strokes += arm(shoulder, elbow, complex(300, 392 + side * 26), NEAR)
    strokes += [
        Stroke(far_ankle, far_ankle + (44 - 2j), 14, 10, SKIN),
        Stroke(far_knee, far_ankle, 25, 15, INK),
        Stroke(far_hip, far_knee, 42, 27, INK),
        Stroke(hip, knee, 42, 27, INK),
        Stroke(404 + 336j, 404 + 448j, 30, 30, INK),
        Stroke(404 + 340j, 560 + 366j, 30, 38, INK),
        Stroke(404 + 444j, 560 + 418j, 30, 38, INK),
        Stroke(neck + 20, pelvis, 40, 46, INK),
    ]
    for number in range(6):
        strokes.append(glow(complex(556, 402 + 6 * number), complex(604, 396 + 11 * number), 3, 3.4, share))
    strokes += [
        Stroke(neck + 8, neck - 40, 19, 18, SKIN),
        Stroke(318 + 392j, 312 + 392j, 42, 44, blend(INK, SKIN, 0.12)),
        Stroke(282 + 392j, 282 + 392j, 20, 20, blend(INK, SKIN, 0.2)),
        Stroke(knee, ankle, 26, 17 * near, blend(INK, FAR.cloth, 0.35)),
        Stroke(ankle - 8, ankle + 46, 17 * near, 13 * near, SKIN),
    ]
    return strokes


LYING = (170, 564, 1000, 590)
ROOMS: dict[str, tuple[Room, Figure]] = {
    "hamstring-strap": (Room(SAGE, LYING, (520, 330, 250), False, "Hamstrings"), hamstring_strap),
    "quadriceps-side": (
        Room(SAND, (150, 120, 990, 616), (640, 360, 330), True, "Quadriceps"),
        quadriceps_side,
    ),
    "hip-flexor": (Room(DUSK, (250, 598, 930, 622), (610, 330, 265), False, "Hip flexors"), hip_flexor),
    "gluteals": (Room(ROSE, LYING, (560, 350, 235), False, "Gluteals"), gluteals),
    "deep-rotators": (
        Room(SAGE, (160, 154, 1000, 624), (600, 380, 340), True, "Deep rotators"),
        deep_rotators,
    ),
}
