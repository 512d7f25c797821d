"""Join a film's encoded parts into its stream: first as far as they go, at the end the whole."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from app import storage
from app.video import packaging, poster_files, storyboard
from app.video.captions_files import publish_captions
from app.video.graph import AUDIO_FOLDER
from app.video.hls import Segment
from app.video.ladder import Ladder
from app.video.packaging import Track
from app.video.parts import prefix
from app.video.progress import Report
from app.video.source import Source, faulty
from app.video.verify import check_lengths, check_switching

Answer = dict[str, Any]
# Sums of lengths that are the same may differ by this.
SAME_S = 0.002


def joined(done: Iterable[Answer]) -> dict[str, Track]:
    """Every rendition by its folder, of the parts in their order.

    Raises:
        EncodingFailed: they do not follow one another.
    """
    chunks: dict[str, list[Track]] = {}
    for part in done:
        for facts in part["tracks"]:
            track = Track.from_json(facts)
            chunks.setdefault(track.folder, []).append(track)
    return {folder: packaging.join(tracks) for folder, tracks in chunks.items()}


async def show_beginning(video_id: str, attempt: int, plan: Answer, done: list[Answer]) -> None:
    """Publish what is finished so far, in every rung, as playlists that grow. `done`: what is whole, then chunks."""
    ladder = Ladder.from_json(plan["ladder"])
    tracks = joined(done)
    until_s = tracks[ladder.lowest.folder].duration_s
    whole = _whole(plan, ladder)
    for folder in whole:
        tracks[folder] = _beginning(tracks[folder], until_s)
    texts, _rungs = packaging.playlists(ladder, tracks, has_grown=True, is_whole=False)
    if len(done) - len(whole) > 1:
        # What a player has read once it does not read again.
        del texts[packaging.MASTER]
    await packaging.write(prefix(video_id, attempt), texts)
    await Report(UUID(video_id), attempt).begun(until_s)


def _whole(plan: Answer, ladder: Ladder) -> list[str]:
    """Folders of the renditions that are made in one piece: the sound, and a top rung that is the source's own."""
    return [AUDIO_FOLDER, *([ladder.top.folder] if plan.get("passthrough") else [])]


def _beginning(track: Track, until_s: float) -> Track:
    kept: list[Segment] = []
    at_s = 0.0
    for segment in track.segments:
        if at_s > until_s - SAME_S:
            break
        kept.append(segment)
        at_s += segment.duration_s
    return replace(track, duration=round(at_s * track.timescale), segments=tuple(kept))


async def finish(video_id: str, attempt: int, plan: Answer, done: list[Answer]) -> Answer:
    """Publish the whole stream; `source`, `rungs` and `posters` as they are told to the catalogue.

    Raises:
        Unusable: the source breaks off.
        EncodingFailed: the parts make no whole, or there is no space left.
    """
    source, ladder = Source.from_json(plan["source"]), Ladder.from_json(plan["ladder"])
    report = Report(UUID(video_id), attempt)
    await report.say("packaging")
    tracks = joined(done)
    texts, rungs = packaging.playlists(ladder, tracks, has_grown=plan["chunks"] > 1)
    await report.say("verifying")
    check_lengths(tracks.values(), source, ladder)
    check_switching([tracks[rung.folder] for rung in ladder.rungs])
    await _check_stored(prefix(video_id, attempt), tracks.values())
    top = tracks[ladder.top.folder]
    posters = await poster_files.settle(UUID(video_id), prefix(video_id, attempt), top.folder, top.segments)
    boards = _storyboard(done, max(track.duration_s for track in tracks.values()))
    await packaging.write(prefix(video_id, attempt), {**boards, **texts})
    await publish_captions(UUID(video_id), attempt)
    return {"source": source.to_json(), "rungs": [rung.to_json() for rung in rungs], "posters": posters}


def _storyboard(chunks: Iterable[Answer], film_s: float) -> dict[str, str]:
    """The text of its index by its path; chunks made by a release that drew no tiles have none."""
    found = [chunk["storyboard"] for chunk in chunks if "storyboard" in chunk]
    boards = [storyboard.Board.from_json(facts) for facts in found]
    if not boards:
        return {}
    return {f"{storyboard.FOLDER}/{storyboard.INDEX}": storyboard.index(boards, film_s)}


async def _check_stored(place: str, tracks: Iterable[Track]) -> None:
    """Every file is where it will be asked for, as large as it was measured.

    Raises:
        EncodingFailed: one is not.
    """
    stored = await storage.sizes(f"{place}/")
    for track in tracks:
        for segment in track.segments:
            key = f"{place}/{track.folder}/{segment.uri}"
            if stored.get(key) != segment.size_bytes:
                raise faulty("a file is not as it was delivered", f"{key}: {stored.get(key)} bytes")
