"""Which containers a source film may come in, and how one is opened: no other file, no network."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import av
import av.error

from app.i18n import N_
from app.video import mp4
from app.video.source import Unusable

DEMUXERS = ("mov", "matroska", "avi", "mpegts", "mpeg", "asf", "flv", "mxf", "ogg", "dv")
OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,asf,flv,mxf,ogg,dv",
}

NOT_A_FILM = N_(
    "This file is not a film that we can read. Films from a phone or camera (MP4, MOV, MKV, AVI …) work; "
    "please export it again as MP4."
)
UNFINISHED = N_(
    "The end of this film is missing: the recording or the copy stopped before it was finished. "
    "Please export or copy it again."
)

LOCKED = N_("This film is locked by whoever sold it, so it cannot be shown here.")
SPED_UP = N_(
    "In this film an editor changed the speed of a part without writing that part anew, so other players show "
    "it wrongly. Please export it as MP4."
)


def refuse_unfinished(path: Path, head: bytes) -> None:
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
    with suppress(mp4.Malformed):
        moov = mp4.index_of(path)
        if mp4.is_locked(moov):
            raise Unusable(LOCKED)
        if mp4.changes_speed(moov):
            raise Unusable(SPED_UP)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    try:
        film = av.open(f"file:{path.resolve()}", options=OPTIONS, metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise Unusable(NOT_A_FILM, detail=str(error)) from error
    try:
        yield film
    finally:
        film.close()


def demuxer_of(film: Any) -> str:
    name = str(film.format.name).split(",")[0]
    if name not in DEMUXERS:
        raise Unusable(NOT_A_FILM, detail=f"container {name}")
    return name
