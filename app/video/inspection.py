"""The half of the probe that reads hostile bytes: PyAV over one file, run only in a child on a leash."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
from av.sidedata.sidedata import Type

from app.i18n import N_
from app.video import mp4, sniff
from app.video.source import BREAKS_OFF, Source, Unusable

DEMUXERS = ("mov", "matroska", "avi", "mpegts", "mpeg", "asf", "flv", "mxf", "ogg", "dv")
OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,asf,flv,mxf,ogg,dv",
}
LOOK_FRAMES = 10
LOOK_PACKETS = 900
TAIL_S = 10.0
LEAST_S = 0.5
HOLD_LAST_S = 0.1
SLACK_S = 0.1
LARGEST_SIDE_PX = 8192
LARGEST_PX = 8192 * 4352

NOT_A_FILM = N_(
    "This file is not a film that we can read. Films from a phone or camera (MP4, MOV, MKV, AVI …) work; "
    "please export it again as MP4."
)
UNFINISHED = N_(
    "The end of this film is missing: the recording or the copy stopped before it was finished. "
    "Please export or copy it again."
)
NO_DECODER = N_(
    "The picture in this file is coded in a way that we cannot read (%(codec)s). "
    "Please export it as MP4 with H.264."
)
DAMAGED = N_("Not one picture of this film can be read: the file is damaged. Please export or copy it again.")
TOO_SHORT = N_("This film is shorter than half a second.")
TOO_LONG = N_("This film is longer than %(hours)d hours. Please cut it into parts.")
TOO_LARGE = N_(
    "The picture of this film is %(width)d × %(height)d, larger than we can take. "
    "Please export it at 4K or less."
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
class _Look:
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


@dataclass(frozen=True)
class _Ends:
    """Where picture and sound end, in seconds from the film's start."""

    picture_s: float
    sound_s: float


def inspect(path: Path, longest_s: float) -> Source:
    """Read what a source film is.

    Raises:
        Unusable: it cannot become a stream; `reason` says why.
    """
    with path.open("rb") as file:
        head = file.read(sniff.HEAD_BYTES)
    if message := sniff.refusal(head):
        raise Unusable(message)
    _refuse_unfinished(path, head)
    with _opened(path) as film:
        demuxer = _demuxer(film)
        picture, sound = _streams(film)
        stated = _stated_ends(film, picture, sound)
        look = _look(film, picture)
        facts = _facts(picture, sound, look)
    ends = _ends(path, stated, facts["video_index"], facts["audio_index"])
    # Sound that outlasts the picture by more than a blink is kept: the last picture stands still meanwhile.
    length_s = ends.sound_s if ends.sound_s > ends.picture_s + HOLD_LAST_S else ends.picture_s
    if length_s < LEAST_S or ends.picture_s <= 0:
        raise Unusable(TOO_SHORT)
    if length_s > longest_s:
        raise Unusable(TOO_LONG, hours=round(longest_s / 3600))
    return Source(
        demuxer=demuxer,
        size_bytes=path.stat().st_size,
        duration_s=length_s,
        picture_s=ends.picture_s,
        sound_s=ends.sound_s,
        **facts,
    )


def _refuse_unfinished(path: Path, head: bytes) -> None:
    if head[4:8] not in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return
    try:
        found = mp4.top_level_boxes(path)
    except mp4.Malformed as error:
        raise Unusable(UNFINISHED, detail=str(error)) from error
    if not any(box.kind == b"moov" for box in found):
        raise Unusable(UNFINISHED, detail="no moov")
    last = found[-1]
    if last.kind in (b"moov", b"mdat", b"moof") and last.start + last.size > path.stat().st_size:
        raise Unusable(UNFINISHED, detail=f"{last.kind!r} ends after the file")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        film = av.open(f"file:{path.resolve()}", options=OPTIONS, metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise Unusable(NOT_A_FILM, detail=str(error)) from error
    try:
        yield film
    finally:
        film.close()


def _demuxer(film: Any) -> str:
    name = str(film.format.name).split(",")[0]
    if name not in DEMUXERS:
        raise Unusable(NOT_A_FILM, detail=f"container {name}")
    return name


def _streams(film: Any) -> tuple[Any, Any]:
    pictures = [
        stream for stream in film.streams.video if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    if not pictures:
        raise Unusable(sniff.SOUND_ONLY if film.streams.audio else NOT_A_FILM)
    readable = [stream for stream in pictures if stream.codec_context is not None]
    if not readable:
        raise Unusable(NO_DECODER, codec="unknown")
    picture = max(readable, key=lambda stream: stream.codec_context.width * stream.codec_context.height)
    sounds = [stream for stream in film.streams.audio if stream.codec_context is not None]
    defaults = [stream for stream in sounds if stream.disposition & av.stream.Disposition.default]
    sound = (defaults or sounds or [None])[0]
    return picture, sound


def _look(film: Any, picture: Any) -> _Look:
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
        if seen >= LOOK_FRAMES or number >= LOOK_PACKETS:
            break
    if first is None:
        raise Unusable(DAMAGED, detail=problem)
    if max(first.width, first.height) > LARGEST_SIDE_PX or first.width * first.height > LARGEST_PX:
        raise Unusable(TOO_LARGE, width=first.width, height=first.height)
    if _is_dolby_vision_alone(picture, first):
        raise Unusable(DOLBY_VISION)
    return _Look(
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


def _facts(picture: Any, sound: Any, look: _Look) -> dict[str, Any]:
    aspect = picture.sample_aspect_ratio or picture.codec_context.sample_aspect_ratio or Fraction(1)
    if not Fraction(1, 4) <= aspect <= 4:
        aspect = Fraction(1)
    width, height = round(look.width_px * aspect), look.height_px
    if look.rotation % 180 == 90:
        width, height = height, width
    rate = frame_rate(picture.average_rate, picture.guessed_rate or picture.base_rate)
    return {
        "video_index": picture.index,
        "video_codec": picture.codec_context.name,
        "pixel_format": look.pixel_format,
        "width_px": width,
        "height_px": height,
        "coded_width_px": look.width_px,
        "coded_height_px": look.height_px,
        "rotation": look.rotation,
        "rate": (rate.numerator, rate.denominator),
        "interlaced": look.interlaced,
        "matrix": look.matrix,
        "primaries": look.primaries,
        "transfer": look.transfer,
        "full_range": look.full_range,
        "audio_index": sound.index if sound else None,
        "audio_codec": sound.codec_context.name if sound else "",
        "audio_channels": sound.codec_context.layout.nb_channels if sound else 0,
    }


def upright(degrees: float) -> int:
    """The rotation as ffmpeg applies it: a matrix within a degree of a quarter turn is a quarter turn."""
    quarters = round(degrees / 90)
    near = abs(degrees - 90 * quarters) <= 1
    return (90 * quarters if near else int(degrees)) % 360


def frame_rate(average: Fraction | None, guessed: Fraction | None) -> Fraction:
    """A constant rate, in frames per second, that loses no movement of a film whose own rate may vary."""
    usable = [rate for rate in (average, guessed) if rate and 1 <= rate <= 240]
    if not usable:
        return Fraction(30)
    rate = usable[0]
    if len(usable) == 2 and usable[1] >= rate * Fraction(3, 2):
        # Long pauses pull the average down; what moves between them was recorded faster.
        rate = min(usable[1], max(rate, Fraction(30)))
    common = [Fraction(n, d) for n, d in ((24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (50, 1),
                                          (60000, 1001), (60, 1), (120, 1))]  # fmt: skip
    near = min(common, key=lambda candidate: abs(candidate - rate))
    if abs(near - rate) <= rate / 50:
        return near
    return rate.limit_denominator(1001)


def _stated_ends(film: Any, picture: Any, sound: Any) -> tuple[float | None, float | None, float | None]:
    """What the headers say: end of the picture, of the sound, and of the whole, each None when unsaid."""
    start_s = (film.start_time or 0) / av.time_base
    whole = film.duration / av.time_base if film.duration else None
    # Matroska's writers disagree whether a length counts from 0 or from a late start: then it says only the least.
    unsure = film.format.name.startswith("matroska") and start_s > SLACK_S
    if whole and unsure:
        whole = whole - start_s if whole > start_s + LEAST_S else whole

    def end_of(stream: Any) -> float | None:
        if stream is None or unsure:
            return None
        if stream.duration and stream.time_base:
            return float((stream.duration + (stream.start_time or 0)) * stream.time_base) - start_s
        return _clock_s(stream.metadata.get("DURATION", ""))

    return end_of(picture), end_of(sound), whole


def _clock_s(text: str) -> float | None:
    hours, _, rest = text.partition(":")
    minutes, _, seconds = rest.partition(":")
    try:
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return None


def _ends(
    path: Path, stated: tuple[float | None, float | None, float | None], picture: int, sound: int | None
) -> _Ends:
    """The stated ends where the file's own last packets agree with them, else the measured ones.

    Raises:
        Unusable: the file stops well before it says it does.
    """
    picture_s, sound_s, whole_s = _without_others(*stated, has_sound=sound is not None)
    seen = _last_packets(path, picture, sound, whole_s - TAIL_S if whole_s else None)
    slack_s = max(1.0, (whole_s or 0) / 50)
    if whole_s is None or picture not in seen or max(seen.values()) < whole_s - slack_s:
        seen = _last_packets(path, picture, sound, None)
    if not seen:
        raise Unusable(DAMAGED, detail="no packets")
    if whole_s is not None and max(seen.values()) < whole_s - slack_s:
        raise Unusable(BREAKS_OFF, found=max(seen.values()), stated=whole_s)
    return _Ends(
        picture_s=_end(picture_s, seen.get(picture, whole_s or 0.0)),
        sound_s=0.0 if sound is None else _end(sound_s, seen.get(sound, 0.0)),
    )


def _without_others(
    picture_s: float | None, sound_s: float | None, whole_s: float | None, *, has_sound: bool
) -> tuple[float | None, float | None, float | None]:
    """Subtitles may outlast the film, which then does not break off; tags of an older cut may outlast the file."""
    told = [picture_s, sound_s] if has_sound else [picture_s]
    known = [end_s for end_s in told if end_s is not None]
    if whole_s is None:
        return picture_s, sound_s, None
    if len(known) == len(told):
        whole_s = min(whole_s, max(known))

    def within(end_s: float | None) -> float | None:
        return None if end_s is None or end_s > whole_s + SLACK_S else end_s

    return within(picture_s), within(sound_s), whole_s


def _end(stated_s: float | None, measured_s: float) -> float:
    # A header that says less than there is does not shorten the film: ffmpeg would encode all of it.
    return measured_s if stated_s is None or measured_s > stated_s + SLACK_S else stated_s


def _last_packets(path: Path, picture: int, sound: int | None, from_s: float | None) -> dict[int, float]:
    """The latest end among each stream's packets, in seconds from the film's start."""
    ends: dict[int, float] = {}
    with _opened(path) as film:
        start_s = (film.start_time or 0) / av.time_base
        wanted = [film.streams[index] for index in (picture, sound) if index is not None]
        try:
            if from_s is not None and from_s > 0:
                film.seek(int((from_s + start_s) * av.time_base))
            for packet in film.demux(*wanted):
                if packet.pts is None or packet.is_discard or not packet.size:
                    continue
                end_s = float((packet.pts + (packet.duration or 0)) * packet.time_base) - start_s
                ends[packet.stream_index] = max(end_s, ends.get(packet.stream_index, 0.0))
        except av.error.FFmpegError:
            # A broken tail: what was read up to here is the answer, and the caller compares it.
            return ends
    return ends
