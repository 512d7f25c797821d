"""Which picture stands for a film, where it lies and how its address changes, from the video's facts alone."""

from collections.abc import Sequence
from typing import Protocol

POSTER = "poster.jpg"
SMALL_POSTER = "poster-small.jpg"
NAMES = (POSTER, SMALL_POSTER)
POSTERS = "posters"
OWN = "own"
# Limber's choice, a picture of the film by its time, or a picture of the teacher's.
AUTO, TIME = "auto", "time"
CHOICES = (AUTO, TIME, OWN)


class HasPoster(Protocol):
    """What a video knows about its poster."""

    @property
    def version(self) -> int: ...
    @property
    def poster_choice(self) -> str: ...
    @property
    def poster_at_ms(self) -> int | None: ...
    @property
    def poster_own(self) -> str: ...
    @property
    def poster_times(self) -> list[int]: ...


def mark(version: int, poster_version: int) -> str:
    """The `v` of a poster's address: another one with each encode and with each choice, since it is kept for long."""
    return f"{version}.{poster_version}" if poster_version else str(version)


def shown_ms(video: HasPoster) -> int | None:
    """The time of the picture that was chosen from the film, in the stream that is shown; None: it is another one.

    A stream may lack the very picture for the moment between its end and the taking of it: the nearest stands in.
    """
    if video.poster_choice != TIME or video.poster_at_ms is None:
        return None
    return nearest(video.poster_times, video.poster_at_ms)


def nearest(times: Sequence[int], at_ms: int) -> int | None:
    return min(times, key=lambda time: abs(time - at_ms), default=None)


def folder(video_id: object, video: HasPoster) -> str:
    """Where the film's `poster.jpg` and `poster-small.jpg` lie."""
    stream = f"videos/{video_id}/{video.version}"
    if video.poster_choice == OWN and video.poster_own:
        return own_folder(video_id, video.poster_own)
    at_ms = shown_ms(video)
    return stream if at_ms is None else f"{stream}/{POSTERS}/{at_ms}"


def own_folder(video_id: object, name: str) -> str:
    """Beside the versions, so that it stays when they go."""
    return f"videos/{video_id}/{OWN}/{name}"
