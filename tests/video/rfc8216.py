"""Check HLS playlists by their text alone: what RFC 8216 and Apple's authoring specification demand of it.

`rfc8216_stream.check_stream` checks the same playlists against the files that they name. Both read with their own
code, not with the product's: a mistake there must not hide itself here.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

TARGET_MOST_S = 6
MEDIA_TAGS = frozenset({
    "EXTINF", "EXT-X-BYTERANGE", "EXT-X-DISCONTINUITY", "EXT-X-KEY", "EXT-X-MAP", "EXT-X-PROGRAM-DATE-TIME",
    "EXT-X-DATERANGE", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE",
    "EXT-X-ENDLIST", "EXT-X-PLAYLIST-TYPE", "EXT-X-I-FRAMES-ONLY",
})  # fmt: skip
MASTER_TAGS = frozenset({
    "EXT-X-MEDIA", "EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF", "EXT-X-SESSION-DATA", "EXT-X-SESSION-KEY",
})  # fmt: skip
EITHER = frozenset({"EXTM3U", "EXT-X-VERSION", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-START"})
ONCE = frozenset({
    "EXTM3U", "EXT-X-VERSION", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE",
    "EXT-X-ENDLIST", "EXT-X-PLAYLIST-TYPE", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-START",
})  # fmt: skip
ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(?:,|$)')
QUOTED = frozenset({"CODECS", "AUDIO", "SUBTITLES", "GROUP-ID", "NAME", "LANGUAGE", "URI", "CHANNELS",
                    "CHARACTERISTICS", "INSTREAM-ID"})  # fmt: skip


@dataclass(frozen=True)
class Listed:
    """One segment as a media playlist lists it; `init` is the EXT-X-MAP that applies to it."""

    uri: str
    duration_s: float
    init: str | None


@dataclass
class Media:
    """A media playlist as read, with what is wrong in it."""

    target_s: int = 0
    version: int = 1
    kind: str | None = None
    ended: bool = False
    segments: list[Listed] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Offer:
    """An EXT-X-STREAM-INF with its URI, or an EXT-X-MEDIA (then `uri` may be absent)."""

    attributes: dict[str, str]
    uri: str | None


@dataclass
class Master:
    variants: list[Offer] = field(default_factory=list)
    media: list[Offer] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def attributes(text: str, faults: list[str]) -> dict[str, str]:
    """An attribute list (4.2), quotes taken off."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = ATTRIBUTE.match(text, at)
        if match is None:
            faults.append(f"not an attribute list: {text[at : at + 60]}")
            break
        name, value = match.groups()
        if name in found:
            faults.append(f"{name} twice in one attribute list")
        if value.startswith('"') != (name in QUOTED) and name != "CLOSED-CAPTIONS":
            faults.append(f"{name} must {'' if name in QUOTED else 'not '}be a quoted string")
        found[name] = value.strip('"')
        at = match.end()
    return found


def _lines(text: str, own: frozenset[str], other: frozenset[str], faults: list[str]) -> list[tuple[str, str]]:
    """Tags as (name, value) and addresses as ("", address), with the rules for every playlist (4.1, 4.3.1)."""
    if text.startswith("\ufeff"):
        faults.append("a byte order mark")
    if re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]", text):
        faults.append("control characters")
    lines = text.splitlines()
    if not lines or lines[0] != "#EXTM3U":
        faults.append("EXTM3U is not the first line")
    found: list[tuple[str, str]] = []
    for line in lines:
        if line.startswith("#EXT"):
            name, _, value = line[1:].partition(":")
            if name in other:
                faults.append(f"{name} in the wrong kind of playlist")
            elif name not in own | EITHER:
                faults.append(f"{name} is no tag of RFC 8216")
            found.append((name, value))
        elif line and not line.startswith("#"):
            if line != line.strip() or "://" in line or line.startswith("/") or ".." in line:
                faults.append(f"an address that leaves the stream: {line[:80]}")
            found.append(("", line))
    for name, times in Counter(name for name, _value in found).items():
        if times > 1 and name in ONCE:
            faults.append(f"{name} {times} times")
    return found


def _number(value: str, name: str, faults: list[str]) -> int:
    if not re.fullmatch(r"\d{1,20}", value):
        faults.append(f"{name} is not a whole number: {value[:40]}")
        return 0
    return int(value)


def read_media(text: str) -> Media:
    """Read and check a media playlist (4.3.2, 4.3.3)."""
    media = Media()
    faults = media.faults
    seen: set[str] = set()
    duration_s: float | None = None
    init: str | None = None
    for name, value in _lines(text, MEDIA_TAGS, MASTER_TAGS, faults):
        if name == "EXTINF":
            if duration_s is not None:
                faults.append("EXTINF without an address")
            duration_s = _duration(value, media)
        elif name == "EXT-X-MAP":
            init = attributes(value, faults).get("URI")
            if init is None:
                faults.append("EXT-X-MAP without URI")
        elif name == "EXT-X-MEDIA-SEQUENCE":
            _number(value, name, faults)
            if media.segments:
                faults.append("EXT-X-MEDIA-SEQUENCE after the first segment")
        elif name == "EXT-X-TARGETDURATION":
            media.target_s = _number(value, name, faults)
        elif name == "EXT-X-VERSION":
            media.version = _number(value, name, faults)
        elif name == "EXT-X-PLAYLIST-TYPE":
            media.kind = value
        elif not name:
            if duration_s is None:
                faults.append(f"{value[:60]} without EXTINF")
            media.segments.append(Listed(value, duration_s or 0.0, init))
            duration_s = None
        seen.add(name)
    if duration_s is not None:
        faults.append("EXTINF without an address")
    media.ended = "EXT-X-ENDLIST" in seen
    _check_media(media, seen)
    return media


def _duration(value: str, media: Media) -> float:
    number = value.split(",")[0]
    if "," not in value or not re.fullmatch(r"\d+(\.\d+)?", number):
        media.faults.append(f"EXTINF is not a duration and a comma: {value[:40]}")
        return 0.0
    if "." in number and media.version < 3:
        media.faults.append("EXTINF with a fraction needs version 3")
    return float(number)


def _check_media(media: Media, seen: set[str]) -> None:
    faults = media.faults
    if "EXT-X-TARGETDURATION" not in seen:
        faults.append("no EXT-X-TARGETDURATION")
    for segment in media.segments:
        # Half up: Python's own rounding goes to the even number.
        if int(segment.duration_s + 0.5) > media.target_s:
            faults.append(
                f"{segment.uri} lasts {segment.duration_s} s, longer than the target {media.target_s}"
            )
    if not media.segments and media.ended:
        faults.append("no segments")
    uris = [segment.uri for segment in media.segments]
    if len(set(uris)) != len(uris):
        faults.append("a segment is listed twice")
    if "EXT-X-MAP" in seen and media.version < 6:
        faults.append(f"EXT-X-MAP needs version 6, not {media.version}")
    if any(uri.endswith((".m4s", ".mp4", ".m4v", ".m4a")) for uri in uris) and any(
        segment.init is None for segment in media.segments
    ):
        faults.append("a segment in MP4 without an EXT-X-MAP before it")
    if media.kind not in (None, "VOD", "EVENT"):
        faults.append(f"EXT-X-PLAYLIST-TYPE {media.kind}")
    if media.kind == "VOD" and not media.ended:
        faults.append("VOD without EXT-X-ENDLIST")
    if media.kind is None and not media.ended:
        faults.append("neither EXT-X-ENDLIST nor a type: a live stream")


def read_master(text: str) -> Master:
    """Read and check a master playlist (4.3.4)."""
    master = Master()
    faults = master.faults
    pending: dict[str, str] | None = None
    for name, value in _lines(text, MASTER_TAGS, MEDIA_TAGS, faults):
        if pending is not None and name:
            faults.append("EXT-X-STREAM-INF without an address in the next line")
            pending = None
        if name == "EXT-X-STREAM-INF":
            pending = attributes(value, faults)
            _check_variant(pending, faults)
        elif name == "EXT-X-MEDIA":
            found = attributes(value, faults)
            _check_rendition(found, faults)
            master.media.append(Offer(found, found.get("URI")))
        elif not name:
            if pending is None:
                faults.append(f"{value[:60]} without EXT-X-STREAM-INF")
            else:
                master.variants.append(Offer(pending, value))
            pending = None
    if pending is not None:
        faults.append("EXT-X-STREAM-INF without an address in the next line")
    if "#EXT-X-INDEPENDENT-SEGMENTS" not in text.splitlines():
        faults.append("no EXT-X-INDEPENDENT-SEGMENTS")
    if not master.variants:
        faults.append("no variants")
    _check_groups(master)
    return master


def _check_variant(found: dict[str, str], faults: list[str]) -> None:
    for name in ("BANDWIDTH", "AVERAGE-BANDWIDTH"):
        _number(found.get(name, ""), name, faults)
    for name, pattern in (
        ("CODECS", r"[A-Za-z0-9.]+(,[A-Za-z0-9.]+)*"),
        ("RESOLUTION", r"\d+x\d+"),
        ("FRAME-RATE", r"\d+(\.\d{1,3})?"),
    ):
        if not re.fullmatch(pattern, found.get(name, "")):
            faults.append(f"{name} is missing or misspelt: {found.get(name, '')[:40]}")


def _check_rendition(found: dict[str, str], faults: list[str]) -> None:
    kind = found.get("TYPE", "")
    if kind not in ("AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS"):
        faults.append(f"EXT-X-MEDIA of TYPE {kind}")
    faults.extend(f"EXT-X-MEDIA without {name}" for name in ("GROUP-ID", "NAME") if not found.get(name))
    if kind == "SUBTITLES" and "URI" not in found:
        faults.append("SUBTITLES without URI")
    if (kind == "CLOSED-CAPTIONS") != ("INSTREAM-ID" in found):
        faults.append("INSTREAM-ID belongs to CLOSED-CAPTIONS, and only there")
    if "FORCED" in found and kind != "SUBTITLES":
        faults.append("FORCED on what is not SUBTITLES")
    for name in ("DEFAULT", "AUTOSELECT", "FORCED"):
        if found.get(name, "YES") not in ("YES", "NO"):
            faults.append(f"{name} is neither YES nor NO")
    if found.get("DEFAULT") == "YES" and found.get("AUTOSELECT", "YES") != "YES":
        faults.append("DEFAULT=YES with AUTOSELECT=NO")


def _check_groups(master: Master) -> None:
    named = Counter((m.attributes.get("TYPE"), m.attributes.get("GROUP-ID"), m.attributes.get("NAME"))
                    for m in master.media)  # fmt: skip
    master.faults.extend(f"two renditions of one name: {key}" for key, times in named.items() if times > 1)
    chosen = Counter((m.attributes.get("TYPE"), m.attributes.get("GROUP-ID"))
                     for m in master.media if m.attributes.get("DEFAULT") == "YES")  # fmt: skip
    master.faults.extend(f"two defaults in one group: {key}" for key, times in chosen.items() if times > 1)
    groups = {(m.attributes.get("TYPE"), m.attributes.get("GROUP-ID")) for m in master.media}
    for variant in master.variants:
        for kind in ("AUDIO", "VIDEO", "SUBTITLES"):
            wanted = variant.attributes.get(kind)
            if wanted is not None and (kind, wanted) not in groups:
                master.faults.append(f"{variant.uri}: no {kind} group {wanted}")


def check_grown(old: str, new: str) -> list[str]:
    """What is wrong in how a growing playlist became `new`: an EVENT playlist may only be appended to (4.3.3.5)."""
    faults: list[str] = []
    before = read_media(old)
    if before.ended and old != new:
        faults.append("a playlist that had ended was changed")
    if before.kind != "EVENT" and not before.ended:
        faults.append("a growing playlist that is not EVENT")
    if not before.ended and not new.startswith(old):
        faults.append("lines of an EVENT playlist were changed or taken away")
    return faults
