"""What the first pictures of a source film tell: size, which way is up, fields, colours, and its rate."""

import errno
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import Any

import av.error
from av.sidedata.sidedata import Type

from app.i18n import N_
from app.video.source import Unusable

LOOK_FRAMES = 10
LOOK_PACKETS = 900
# Pictures whose times are compared, and how much the steps between them may differ and still be alike.
LOOK_STEPS = 300
LEAST_STEPS = 12
STEP_SLACK = Fraction(15, 100)
MOST_RATE = 240
LARGEST_SIDE_PX = 8192
LARGEST_PX = 8192 * 4352

DAMAGED = N_("Not one picture of this film can be read: the file is damaged. Please export or copy it again.")
TOO_LARGE = N_(
    "The picture of this film is %(width)d × %(height)d, larger than we can take. "
    "Please export it at 4K or less."
)

TOO_DEAR = N_(
    "Reading one picture of this film takes more memory than we can give it. Please export it at 4K or less."
)

DOLBY_VISION = N_(
    "This film is in Dolby Vision only, whose colours other players show wrongly. "
    "Please export it as SDR, HDR10 or HLG."
)
DOLBY_TAGS = ("dvh1", "dvhe", "dav1", "dva1", "dvav")
IPT_C2 = 15

# Names as ffmpeg's filters spell them, for the numbers of ITU-T H.273.
MATRICES = {0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc"}
PRIMARIES = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    9: "bt2020",
    12: "smpte432",
}
TRANSFERS = {
    1: "bt709",
    6: "smpte170m",
    13: "iec61966-2-1",
    14: "bt2020-10",
    16: "smpte2084",
    18: "arib-std-b67",
}


@dataclass(frozen=True)
class Look:
    """What the first pictures tell."""

    width_px: int
    height_px: int
    pixel_format: str
    rotation: int
    interlaced: bool
    matrix: str
    primaries: str
    transfer: str
    full_range: bool


def look_at(film: Any, picture: Any) -> Look:
    picture.codec_context.thread_count = 1
    first: Any = None
    seen, interlaced, problem = 0, False, ""
    for number, packet in enumerate(film.demux(picture)):
        try:
            # Only the first is kept: ten of 8K are more memory than this child has.
            for frame in packet.decode():
                first = first or frame
                seen, interlaced = seen + 1, interlaced or bool(frame.interlaced_frame)
        except av.error.FFmpegError as error:
            # A film may begin in the middle of a group of pictures; what follows can still be whole.
            problem = str(error)
            if error.errno == errno.ENOMEM:
                raise Unusable(TOO_DEAR, detail=problem) from error
        if seen >= LOOK_FRAMES or number >= LOOK_PACKETS:
            break
    if first is None:
        raise Unusable(DAMAGED, detail=problem)
    if max(first.width, first.height) > LARGEST_SIDE_PX or first.width * first.height > LARGEST_PX:
        raise Unusable(TOO_LARGE, width=first.width, height=first.height)
    if _is_dolby_vision_alone(picture, first):
        raise Unusable(DOLBY_VISION)
    return Look(
        width_px=first.width,
        height_px=first.height,
        pixel_format=first.format.name,
        rotation=upright(first.rotation),
        interlaced=interlaced,
        matrix=MATRICES.get(int(first.colorspace), ""),
        primaries=PRIMARIES.get(int(first.color_primaries), ""),
        transfer=TRANSFERS.get(int(first.color_trc), ""),
        full_range=int(first.color_range) == 2 or first.format.name.startswith("yuvj"),
    )


def _is_dolby_vision_alone(picture: Any, first: Any) -> bool:
    """Whether the picture is in Dolby's own colours (profile 5) and not in HDR10 or HLG with Dolby's data beside.

    Profile 5 leaves the colours unsaid or names ICtCp's relative; what others can show (8.1, 8.4) says what it is.
    """
    if int(first.colorspace) == IPT_C2:
        return True
    told = str(picture.codec_context.codec_tag) in DOLBY_TAGS or any(
        data.type == Type.DOVI_METADATA for data in first.side_data
    )
    return told and int(first.color_trc) not in TRANSFERS


def upright(degrees: float) -> int:
    """The rotation as ffmpeg applies it: a matrix within a degree of a quarter turn is a quarter turn."""
    quarters = round(degrees / 90)
    near = abs(degrees - 90 * quarters) <= 1
    return (90 * quarters if near else int(degrees)) % 360


def steady_rate(film: Any, picture: Any) -> Fraction | None:
    """Frames per second between the pauses of a film whose rate may vary; None where no rate stands out.

    Read at its beginning and in its middle: a meeting begins with a slide that stands still.
    """
    found = [_steady(_shown(film, picture))]
    if film.duration:
        with suppress(av.error.FFmpegError):
            film.seek((film.start_time or 0) + film.duration // 2)
            found.append(_steady(_shown(film, picture)))
    return max((rate for rate in found if rate), default=None)


def _shown(film: Any, picture: Any) -> list[Fraction]:
    """When the next pictures are shown, in seconds and in order; nothing is decoded."""
    found: list[Fraction] = []
    with suppress(av.error.FFmpegError):
        for packet in film.demux(picture):
            if packet.pts is not None and packet.size:
                found.append(packet.pts * packet.time_base)
            if len(found) >= LOOK_STEPS:
                break
    return sorted(found)


def _steady(shown: list[Fraction]) -> Fraction | None:
    steps = [later - earlier for earlier, later in pairwise(shown) if later > earlier]
    if len(steps) < LEAST_STEPS:
        return None
    usual = median(steps)
    # Matroska rounds to thousandths: only many steps together say which rate it is.
    alike = [step for step in steps if abs(step - usual) <= usual * STEP_SLACK]
    return len(alike) / sum(alike, Fraction()) if 2 * len(alike) >= len(steps) else None


def frame_rate(
    average: Fraction | None, guessed: Fraction | None, steady: Fraction | None = None
) -> Fraction:
    """A constant rate, in frames per second, that loses no movement of a film whose own rate may vary."""
    rate = _rate_told(average, guessed)
    if steady and rate * (1 + STEP_SLACK) < steady <= MOST_RATE:
        # 25 pictures a second, of which a busy camera lost every third, are 17 on average.
        rate = steady
    common = [Fraction(n, d) for n, d in ((24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (50, 1),
                                          (60000, 1001), (60, 1), (120000, 1001), (120, 1))]  # fmt: skip
    near = min(common, key=lambda candidate: abs(candidate - rate))
    if abs(near - rate) <= rate / 50:
        return near
    return rate.limit_denominator(1001)


def _rate_told(average: Fraction | None, guessed: Fraction | None) -> Fraction:
    usable = [rate for rate in (average, guessed) if rate and 1 <= rate <= MOST_RATE]
    if not usable:
        return Fraction(30)
    rate = usable[0]
    if len(usable) == 2 and usable[1] >= rate * Fraction(3, 2):
        # Long pauses pull the average down; what moves between them was recorded faster.
        rate = min(usable[1], max(rate, Fraction(30)))
    return rate
