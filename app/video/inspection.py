"""The half of the probe that reads hostile bytes: PyAV over one file, run only in a child on a leash."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from app.i18n import N_
from app.video import sniff
from app.video.containers import NOT_A_FILM, demuxer_of, opened, refuse_unfinished
from app.video.inspection_ends import LEAST_S, ends_of, stated_ends
from app.video.inspection_look import Look, frame_rate, look_at, steady_rate
from app.video.source import Source, Unusable

HOLD_LAST_S = 0.1
# Containers in which cameras, telephones and recorders leave pictures out.
VARYING = frozenset({"mov", "matroska", "asf", "flv"})

NO_DECODER = N_(
    "The picture in this file is coded in a way that we cannot read (%(codec)s). "
    "Please export it as MP4 with H.264."
)
NO_SOUND_DECODER = N_(
    "The sound in this file is coded in a way that we cannot read (%(codec)s). "
    "Please export it as MP4 with H.264 and AAC."
)
TOO_SHORT = N_("This film is shorter than half a second.")
TOO_LONG = N_("This film is longer than %(hours)d hours. Please cut it into parts.")


def inspect(path: Path, longest_s: float) -> Source:
    """Read what a source film is.

    Raises:
        Unusable: it cannot become a stream; `reason` says why.
    """
    with path.open("rb") as file:
        head = file.read(sniff.HEAD_BYTES)
    if message := sniff.refusal(head):
        raise Unusable(message)
    refuse_unfinished(path, head)
    with opened(path) as film:
        demuxer = demuxer_of(film)
        picture, sound = _streams(film)
        stated = stated_ends(film, picture, sound)
        look = look_at(film, picture)
        facts = _facts(picture, sound, look)
        facts["other_sounds"] = tuple(one.index for one in _sounds(film) if one.index != facts["audio_index"])
    if demuxer in VARYING and not look.interlaced:
        facts["rate"] = _steadied(path, facts)
    ends = ends_of(path, stated, facts["video_index"], facts["audio_index"])
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


def _streams(film: Any) -> tuple[Any, Any]:
    pictures = [
        stream for stream in film.streams.video if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    if not pictures:
        raise Unusable(sniff.SOUND_ONLY if film.streams.audio else NOT_A_FILM)
    readable = [stream for stream in pictures if stream.codec_context is not None]
    if not readable:
        raise Unusable(NO_DECODER, codec="unknown")
    # Pictures of chapters are a track too, and can be larger than the film; but not the one that is shown by itself.
    picture = max(readable, key=lambda stream: (_is_default(stream), _pixels(stream)))
    sounds = _sounds(film)
    if film.streams.audio and not sounds:
        # Published without a word of it, a lesson would be silent, and nobody would know why.
        raise Unusable(NO_SOUND_DECODER, codec="unknown")
    defaults = [stream for stream in sounds if _is_default(stream)]
    sound = (defaults or sounds or [None])[0]
    return picture, sound


def _sounds(film: Any) -> list[Any]:
    return [stream for stream in film.streams.audio if stream.codec_context is not None]


def _steadied(path: Path, facts: dict[str, Any]) -> tuple[int, int]:
    with opened(path) as film:
        picture = film.streams[facts["video_index"]]
        told = (picture.average_rate, picture.guessed_rate or picture.base_rate)
        rate = frame_rate(*told, steady_rate(film, picture))
    return rate.numerator, rate.denominator


def _is_default(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.default)


def _pixels(stream: Any) -> int:
    return int(stream.codec_context.width * stream.codec_context.height)


def _facts(picture: Any, sound: Any, look: Look) -> dict[str, Any]:
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
        "audio_layout": sound.codec_context.layout.name if sound else "",
    }
