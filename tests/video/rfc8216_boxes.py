"""Read when the samples of a fragmented MP4 are shown: ffmpeg shifts negative offsets away, players do not."""

import struct
from collections.abc import Iterator

INSIDE = frozenset({b"moov", b"trak", b"mdia", b"moof", b"traf", b"mvex"})


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of every box, containers opened, in the order of the file.

    Raises:
        ValueError: a box is larger than what holds it.
    """
    at = 0
    while at < len(data):
        size, header = int.from_bytes(data[at : at + 4], "big"), 8
        if size == 1:
            size, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if size < header or at + size > len(data):
            raise ValueError("breaks off")
        kind, content = data[at + 4 : at + 8], data[at + header : at + size]
        if kind in INSIDE:
            yield from boxes(content)
        else:
            yield kind, content
        at += size


def shown_from_s(init: bytes, segment: bytes) -> float:
    """When the first picture or sound of a segment is presented, in seconds.

    Source: ISO/IEC 14496-12, 8.8.7 (tfhd), 8.8.8 (trun), 8.8.12 (tfdt).
    Raises:
        ValueError: the bytes break off or hold no samples.
    """
    ticks, duration = 0, 0
    for kind, content in boxes(init):
        if kind == b"mdhd":
            ticks = int.from_bytes(content[20:24] if content[0] == 1 else content[12:16], "big")
        elif kind == b"trex":
            duration = int.from_bytes(content[12:16], "big")
    at, shown = 0, []
    for kind, content in boxes(segment):
        if kind == b"tfhd" and content[3] & 0x8:
            skip = 8 + 8 * bool(content[3] & 0x1) + 4 * bool(content[3] & 0x2)
            duration = int.from_bytes(content[skip : skip + 4], "big")
        elif kind == b"tfdt":
            at = int.from_bytes(content[4:12] if content[0] == 1 else content[4:8], "big")
        elif kind == b"trun":
            for length, offset in _run(content, duration):
                shown.append(at + offset)
                at += length
    if not ticks or not shown:
        raise ValueError("holds no samples")
    return min(shown) / ticks


def _run(content: bytes, duration: int) -> Iterator[tuple[int, int]]:
    flags, count = struct.unpack_from(">II", content)
    at = 8 + 4 * bool(flags & 0x1) + 4 * bool(flags & 0x4)
    for _sample in range(count):
        length, offset = duration, 0
        if flags & 0x100:
            (length,) = struct.unpack_from(">I", content, at)
        at += 4 * bool(flags & 0x100) + 4 * bool(flags & 0x200) + 4 * bool(flags & 0x400)
        if flags & 0x800:
            (offset,) = struct.unpack_from(">i", content, at)
            at += 4
        yield length, offset
