"""What a source film is, as measured, and the errors that say why one cannot become a stream."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Self

from app.i18n import N_

BREAKS_OFF = N_(
    "This film breaks off: only %(found).1f of its %(stated).1f seconds are in the file. "
    "Please export or copy it again."
)
DISK_FULL = N_("There is no space left to store this film. It stays queued until there is.")
FAULTY = N_("The converted film did not pass its check, so it was not published. We will try again.")


class VideoError(Exception):
    """Why a film did not become a stream.

    `reason` is one kind sentence for the teacher (English; `message` is its gettext id and `params` fill it).
    `detail` is for the log only: it may hold text that an uploader chose.
    """

    def __init__(self, message: str, *, detail: str = "", **params: object) -> None:
        self.message = message
        self.params = params
        self.detail = detail
        self.reason = message % params if params else message
        super().__init__(self.reason)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.detail, self.params))


class Unusable(VideoError):
    """The file is at fault: trying again gives the same answer."""


class EncodingFailed(VideoError):
    """Our side is at fault (stalled, killed, no space left): trying again can help."""


@contextmanager
def writing() -> Iterator[None]:
    """Around our own writing of files: a full disk has a sentence.

    Raises:
        EncodingFailed: there was no space left.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise EncodingFailed(DISK_FULL, detail=str(error)) from error
        raise


def faulty(fault: str, detail: str = "") -> EncodingFailed:
    """A fault of our own making in what was encoded; `fault` and `detail` are for the log."""
    return EncodingFailed(FAULTY, detail=f"{fault}. {detail}".strip())


def _rebuild(kind: type[VideoError], message: str, detail: str, params: dict[str, Any]) -> VideoError:
    return kind(message, detail=detail, **params)


@dataclass(frozen=True)
class Source:
    """A source film as it will be seen.

    `width_px` and `height_px` are after rotation and with square pixels. `duration_s` is the film's length,
    counted from its start: the picture's, or the sound's when that clearly outlasts the picture. `picture_s`
    and `sound_s` are where each of the two ends. `rate` is frames per second as an exact fraction
    (numerator, denominator), and `demuxer` the container reader that ffmpeg is forced to use.
    """

    demuxer: str
    size_bytes: int
    duration_s: float
    picture_s: float
    sound_s: float
    video_index: int
    video_codec: str
    pixel_format: str
    width_px: int
    height_px: int
    coded_width_px: int
    coded_height_px: int
    rotation: int
    rate: tuple[int, int]
    interlaced: bool
    matrix: str
    primaries: str
    transfer: str
    full_range: bool
    audio_index: int | None
    audio_codec: str
    audio_channels: int
    # Further tracks of sound, heard when the first is silent. Plans of older releases name none.
    other_sounds: tuple[int, ...] = ()
    audio_layout: str = ""

    @property
    def has_audio(self) -> bool:
        return self.audio_index is not None

    @property
    def fps(self) -> float:
        return self.rate[0] / self.rate[1]

    @property
    def is_hdr(self) -> bool:
        return self.transfer in ("smpte2084", "arib-std-b67")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        rate, others = facts["rate"], facts.get("other_sounds", ())
        return cls(**{**facts, "rate": (int(rate[0]), int(rate[1])), "other_sounds": tuple(others)})
