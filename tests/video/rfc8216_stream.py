"""Check a whole HLS stream on disk: what its playlists claim against what its files hold, read by PyAV."""

import io
import math
import re
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import av

from tests.video import rfc8216, rfc8216_boxes
from tests.video.rfc8216 import Listed, Media, Offer

KEYS_APART_S = 2.0
TIME_SLACK_S = 0.002
LENGTHS_APART_S = 0.25
# In a film of a few seconds one segment is all there is, and its neighbours cannot even it out.
EVEN_FROM_S = 60
CUE = re.compile(
    r"^(?:\d{2,}:)?[0-5]\d:[0-5]\d\.\d{3}[ \t]+-->[ \t]+(?:\d{2,}:)?[0-5]\d:[0-5]\d\.\d{3}(?:[ \t].*)?$"
)


@dataclass(frozen=True)
class Part:
    """The samples of one segment file. Times in seconds."""

    start_s: float
    duration_s: float
    samples: int
    first_is_idr: bool
    keys_s: tuple[float, ...]
    size_bytes: int


@dataclass
class Rendition:
    """A media playlist with what is in its files."""

    media: Media
    parts: list[Part] = field(default_factory=list)
    codec: str = ""
    width_px: int = 0
    height_px: int = 0
    channels: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def fps(self) -> float:
        length_s = sum(part.duration_s for part in self.parts)
        return sum(part.samples for part in self.parts) / length_s if length_s else 0.0

    @property
    def peak_bps(self) -> float:
        """The peak segment bit rate: of any run of 0.5 to 1.5 target durations (4.1), or else of everything."""
        rates = [self.average_bps] if len(self.parts) < 2 else []
        for first in range(len(self.parts)):
            for last in range(first + 1, len(self.parts) + 1):
                run = self.parts[first:last]
                length_s = math.fsum(part.duration_s for part in run)
                if 0.5 * self.media.target_s <= length_s <= 1.5 * self.media.target_s:
                    rates.append(8 * sum(part.size_bytes for part in run) / length_s)
        return max(rates, default=self.average_bps)

    @property
    def average_bps(self) -> float:
        length_s = math.fsum(part.duration_s for part in self.parts)
        return 8 * sum(part.size_bytes for part in self.parts) / length_s if length_s else 0.0


def check_stream(folder: Path, master_name: str = "master.m3u8") -> list[str]:
    """Everything that is wrong with the stream in `folder`; each a sentence that begins with where."""
    try:
        text = (folder / master_name).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return [f"{master_name}: cannot be read: {error}"]
    master = rfc8216.read_master(text)
    faults = [f"{master_name}: {fault}" for fault in master.faults]
    read: dict[str, Rendition] = {}
    offers = [*master.variants, *master.media]
    for offer in offers:
        if offer.uri is not None and offer.uri not in read:
            subtitles = offer.attributes.get("TYPE") == "SUBTITLES"
            read[offer.uri] = read_rendition(folder, offer.uri, subtitles=subtitles)
            faults += [f"{offer.uri}: {fault}" for fault in read[offer.uri].faults]
    for offer in master.variants:
        assert offer.uri is not None
        heard = [other for other in master.media if other.attributes.get("TYPE") == "AUDIO"
                 and other.attributes.get("GROUP-ID") == offer.attributes.get("AUDIO")]  # fmt: skip
        sounds = [read[other.uri] for other in heard if other.uri is not None]
        faults += [f"{offer.uri}: {fault}" for fault in _check_claims(offer, read[offer.uri], sounds)]
    for offer in master.media:
        stated = offer.attributes.get("CHANNELS")
        if stated is not None and offer.uri is not None and stated != str(read[offer.uri].channels):
            faults.append(f"{offer.uri}: CHANNELS {stated}, but {read[offer.uri].channels} in the file")
    return faults + _check_together(master, read)


def read_rendition(folder: Path, uri: str, *, subtitles: bool = False) -> Rendition:
    """The media playlist at `uri` with what its files hold, and what is wrong with both."""
    path = folder / uri
    try:
        media = rfc8216.read_media(path.read_bytes().decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        return Rendition(Media(), faults=[f"cannot be read: {error}"])
    found = Rendition(media, faults=list(media.faults))
    if not subtitles and media.target_s > rfc8216.TARGET_MOST_S + 1:
        found.faults.append(f"a target duration of {media.target_s} s")
    for segment in media.segments:
        try:
            if subtitles:
                _check_captions(path.parent / segment.uri, found)
            else:
                _read_part(path.parent, segment, found)
        except (OSError, av.error.FFmpegError) as error:
            found.faults.append(f"{segment.uri} cannot be read: {error}")
    if not subtitles and len(found.parts) == len(media.segments):
        _check_times(found)
    return found


def _check_captions(path: Path, found: Rendition) -> None:
    """RFC 8216, 3.5; W3C WebVTT, 4."""
    data = path.read_bytes()
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        found.faults.append(f"{path.name} is not UTF-8")
        return
    if not re.match(r"WEBVTT(?:[ \t\r\n]|$)", text):
        found.faults.append(f"{path.name} does not begin with WEBVTT")
    found.faults.extend(
        f"{path.name}: not a cue: {line[:60]}"
        for line in text.splitlines()
        if "-->" in line and not CUE.match(line)
    )


def _read_part(folder: Path, segment: Listed, found: Rendition) -> None:
    init = (folder / segment.init).read_bytes() if segment.init else b""
    data = (folder / segment.uri).read_bytes()
    try:
        start_s = rfc8216_boxes.shown_from_s(init, data)
    except ValueError as error:
        found.faults.append(f"{segment.uri} {error}")
        return
    # No edit list: the times that a player sees are those of the fragments.
    options = {"ignore_editlist": "1"}
    with av.open(io.BytesIO(init + data), mode="r", options=options) as film:
        if len(film.streams) != 1:
            found.faults.append(f"{segment.uri} holds {len(film.streams)} tracks")
        stream = film.streams[0]
        _describe(stream, found)
        packets = [packet for packet in film.demux(stream) if packet.size and packet.pts is not None]
        if not packets or stream.time_base is None:
            found.faults.append(f"{segment.uri} is empty")
            return
        base = float(stream.time_base)
        shift_s = min(p.pts for p in packets if p.pts is not None) * base - start_s
        keys = [p.pts * base - shift_s for p in packets if p.is_keyframe and p.pts is not None]
        part = Part(
            start_s=start_s,
            duration_s=sum(p.duration or 0 for p in packets) * base,
            samples=len(packets),
            first_is_idr=stream.type != "video" or 5 in _nal_types(bytes(packets[0])),
            keys_s=tuple(keys) if stream.type == "video" else (),
            size_bytes=len(data),
        )
    found.parts.append(part)
    if not part.first_is_idr:
        found.faults.append(f"{segment.uri} does not begin with an IDR picture")
    if abs(part.duration_s - segment.duration_s) > TIME_SLACK_S:
        found.faults.append(
            f"{segment.uri}: EXTINF {segment.duration_s}, but {part.duration_s:.6f} s of samples"
        )


def _describe(stream: "av.stream.Stream", found: Rendition) -> None:
    context = stream.codec_context
    extra = bytes(context.extradata or b"")
    if isinstance(context, av.VideoCodecContext):
        found.width_px, found.height_px = context.width, context.height
        # avcC: version, profile, compatibility, level (ISO/IEC 14496-15, 5.3.3).
        found.codec = "avc1." + extra[1:4].hex() if context.name == "h264" else context.name
    elif isinstance(context, av.AudioCodecContext):
        found.channels = context.layout.nb_channels
        # esds: AudioSpecificConfig begins with five bits of object type (ISO/IEC 14496-3, 1.6.2.1).
        found.codec = f"mp4a.40.{extra[0] >> 3}" if context.name == "aac" and extra else context.name


def _nal_types(sample: bytes) -> set[int]:
    """The kinds of unit in an H.264 sample whose units have four bytes of length before them."""
    kinds, at = set(), 0
    while at + 5 <= len(sample):
        kinds.add(sample[at + 4] & 0x1F)
        at += 4 + int.from_bytes(sample[at : at + 4], "big")
    return kinds


def _check_times(found: Rendition) -> None:
    """Segments follow each other without gap or overlap, and key frames are at most two seconds apart."""
    for before, after, listed in zip(found.parts, found.parts[1:], found.media.segments[1:], strict=False):
        gap_s = after.start_s - before.start_s - before.duration_s
        if abs(gap_s) > TIME_SLACK_S:
            found.faults.append(f"{listed.uri} begins {gap_s:+.3f} s from where the one before it ends")
    keys = [key for part in found.parts for key in part.keys_s]
    keys += [found.parts[-1].start_s + found.parts[-1].duration_s] if keys else []
    slack_s = 1 / found.fps if found.fps else 0.0
    if any(b - a > KEYS_APART_S + slack_s for a, b in pairwise(keys)):
        found.faults.append("key frames more than two seconds apart")


def _check_claims(offer: Offer, seen: Rendition, sounds: list[Rendition]) -> list[str]:
    """CODECS, RESOLUTION, FRAME-RATE and both bandwidths (4.3.4.2) against the files."""
    if not seen.parts:
        return ["nothing in it to compare with"]
    claim, faults = offer.attributes, []
    codecs = set(claim.get("CODECS", "").split(","))
    held = {seen.codec, *(sound.codec for sound in sounds)}
    if codecs != held:
        faults.append(f"CODECS {sorted(codecs)}, but {sorted(held)} in the files")
    if claim.get("RESOLUTION") != f"{seen.width_px}x{seen.height_px}":
        faults.append(f"RESOLUTION {claim.get('RESOLUTION')}, but {seen.width_px}x{seen.height_px}")
    if abs(_float(claim.get("FRAME-RATE")) - seen.fps) > 0.01:
        faults.append(f"FRAME-RATE {claim.get('FRAME-RATE')}, but {seen.fps:.3f}")
    declared, average = _float(claim.get("BANDWIDTH")), _float(claim.get("AVERAGE-BANDWIDTH"))
    peak = seen.peak_bps + max((sound.peak_bps for sound in sounds), default=0.0)
    mean = seen.average_bps + max((sound.average_bps for sound in sounds), default=0.0)
    # One bit per second may be lost in rounding. What still grows may yet come to its declared peak.
    if declared < peak - 1 or (seen.media.ended and declared > 1.1 * peak):
        faults.append(f"BANDWIDTH {declared:.0f} is {declared / peak:.3f} of the measured {peak:.0f}")
    if seen.media.ended and not 0.9 * mean <= average <= 1.1 * mean:
        faults.append(f"AVERAGE-BANDWIDTH {average:.0f} is {average / mean:.3f} of the measured {mean:.0f}")
    if average > declared:
        faults.append("AVERAGE-BANDWIDTH above BANDWIDTH")
    if sum(part.duration_s for part in seen.parts) >= EVEN_FROM_S and seen.media.ended and peak > 2 * mean:
        faults.append("a peak of more than twice the average")
    return faults


def _float(text: str | None) -> float:
    return float(text) if text and re.fullmatch(r"\d+(\.\d+)?", text) else 0.0


def _check_together(master: rfc8216.Master, read: dict[str, Rendition]) -> list[str]:
    """What the renditions of one stream must have in common (6.2.4)."""
    faults: list[str] = []
    if len({rendition.media.kind for rendition in read.values()}) > 1:
        faults.append("playlists of different EXT-X-PLAYLIST-TYPE in one stream")
    captions = {offer.uri for offer in master.media if offer.attributes.get("TYPE") == "SUBTITLES"}
    timed = {uri: rendition for uri, rendition in read.items() if uri not in captions}
    targets = {rendition.media.target_s for rendition in timed.values()}
    if len(targets) > 1:
        faults.append(f"different target durations in one stream: {sorted(targets)}")
    for uri, rendition in read.items():
        if uri in captions and rendition.media.kind != "VOD" and rendition.media.target_s not in targets:
            faults.append(f"{uri}: captions of another target duration that are not VOD")
    rungs = [(offer.uri, read[offer.uri]) for offer in master.variants if offer.uri is not None]
    for uri, rung in rungs[1:]:
        faults += _check_aligned(uri, rung, rungs[0][1])
    ended = {
        uri: math.fsum(part.duration_s for part in one.parts) for uri, one in timed.items() if one.media.ended
    }
    if ended and max(ended.values()) - min(ended.values()) > LENGTHS_APART_S:
        faults.append(f"renditions of different lengths: {ended}")
    return faults


def _check_aligned(uri: str, rung: Rendition, first: Rendition) -> list[str]:
    if len(rung.parts) != len(first.parts) and rung.media.ended and first.media.ended:
        return [f"{uri}: {len(rung.parts)} segments, the first rung has {len(first.parts)}"]
    for number, (mine, other) in enumerate(zip(rung.parts, first.parts, strict=False), start=1):
        if abs(mine.start_s - other.start_s) > TIME_SLACK_S or mine.samples != other.samples:
            return [f"{uri}: segment {number} is not aligned with the first rung's"]
    return []
