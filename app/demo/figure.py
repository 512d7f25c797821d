"""A person as jointed strokes: angles and reaches in, strokes in the order of drawing out."""

import math
from dataclasses import dataclass
from itertools import pairwise

from app.demo.stage import CLAY, FAR_INK, FAR_SKIN, INK, SKIN, Colour, Stroke, blend, toward

TORSO = 196.0
UPPER_ARM, FOREARM = 112.0, 106.0
THIGH, SHIN, FOOT = 170.0, 166.0, 58.0
HEAD = 41.0
NECK = 30.0


@dataclass(frozen=True)
class Tone:
    """Cloth and skin of the limbs on one side: those farther away are paler."""

    cloth: Colour
    skin: Colour


NEAR = Tone(INK, SKIN)
FAR = Tone(FAR_INK, FAR_SKIN)


def bend(root: complex, goal: complex, first: float, second: float, turn: int) -> complex:
    """Where the middle joint of two bones is when the far end reaches for `goal`; `turn` is +1 or -1.

    A goal out of reach is aimed at with both bones straight.
    """
    line = goal - root
    distance = min(max(abs(line), abs(first - second) + 0.1), first + second - 0.1)
    angle = math.acos((first**2 + distance**2 - second**2) / (2 * first * distance))
    return root + line / abs(line) * first * complex(math.cos(angle), turn * math.sin(angle))


def reach(middle: complex, goal: complex, second: float) -> complex:
    """The far end of the second bone, pointing from `middle` at `goal`."""
    line = goal - middle
    return middle + line / abs(line) * second


def leg(hip: complex, knee: complex, ankle: complex, toes: float, tone: Tone) -> list[Stroke]:
    """A leg by its joints; the foot points `toes` degrees."""
    toe = ankle + toward(toes, FOOT)
    heel = ankle - toward(toes, 13)
    return [
        Stroke(heel, toe, 14, 8, tone.skin),
        Stroke(knee + (ankle - knee) * 0.7, ankle, 14, 13.5, tone.skin),
        Stroke(knee, knee + (ankle - knee) * 0.84, 25, 16, tone.cloth),
        Stroke(hip, knee, 41, 26, tone.cloth),
    ]


def arm(shoulder: complex, elbow: complex, hand: complex, tone: Tone) -> list[Stroke]:
    """An arm by its joints, sleeve to the elbow."""
    return [
        Stroke(elbow, hand, 14.5, 10.5, tone.skin),
        Stroke(hand, hand + (hand - elbow) / abs(hand - elbow) * 9, 12.5, 10, tone.skin),
        Stroke(shoulder, elbow, 22, 17, tone.cloth),
    ]


def reaching_arm(shoulder: complex, goal: complex, turn: int, tone: Tone) -> tuple[list[Stroke], complex]:
    """An arm whose hand goes to `goal`, or as near as it can, and where the hand is."""
    elbow = bend(shoulder, goal, UPPER_ARM, FOREARM, turn)
    hand = reach(elbow, goal, FOREARM)
    return arm(shoulder, elbow, hand, tone), hand


def torso(pelvis: complex, lean: float, front: int) -> tuple[list[Stroke], complex, complex]:
    """Trunk from the pelvis in direction `lean`; `front` is +1 when the belly is clockwise of the spine.

    Returns its strokes, the shoulder, and the base of the neck.
    """
    spine = toward(lean)
    belly = spine * complex(0, 1) * front
    chest = pelvis + spine * TORSO * 0.66 + belly * 5
    top = pelvis + spine * TORSO
    shoulder = pelvis + spine * TORSO * 0.9
    waist = pelvis + spine * TORSO * 0.32 + belly * 1
    strokes = [
        Stroke(pelvis, waist, 43, 36, INK),
        Stroke(waist, chest, 36, 45, INK),
        Stroke(chest, shoulder + spine * 4, 45, 30, INK),
    ]
    return strokes, shoulder, top


def head(neck: complex, lean: float, front: int) -> list[Stroke]:
    """Neck, face and hair; the head leans `lean` degrees and looks towards `front`."""
    up = toward(lean)
    face = up * complex(0, 1) * front
    centre = neck + up * (NECK + HEAD * 0.72)
    hair = blend(INK, CLAY, 0.16)
    return [
        Stroke(neck - up * 10, centre, 17, 15, SKIN),
        Stroke(centre - face * 34 + up * 22, centre - face * 34 + up * 22, 19, 19, hair),
        Stroke(centre - face * 3 + up * 4, centre - face * 3 + up * 4, HEAD + 1, HEAD + 1, hair),
        Stroke(centre + face * 9 - up * 3, centre + face * 7 - up * 13, 34, 27, SKIN),
        Stroke(centre + face * 40 - up * 4, centre + face * 42 - up * 7, 5, 5, SKIN),
    ]


def glow(a: complex, b: complex, ra: float, rb: float, share: float) -> Stroke:
    """A working muscle: it warms from the cloth's colour to clay as `share` goes from 0 to 1."""
    return Stroke(a, b, ra, rb, blend(INK, CLAY, share))


def strap(*points: complex) -> list[Stroke]:
    """A strap through the given points."""
    return [Stroke(a, b, 4.2, 4.2, CLAY) for a, b in pairwise(points)]
