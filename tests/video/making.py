"""The one way for tests to make a whole stream of a source: probe, plan, encode, package, verify."""

from pathlib import Path

from app.video.encode import encode
from app.video.ladder import Ladder, plan
from app.video.packaging import package
from app.video.probe import probe
from app.video.source import Source
from app.video.verify import verify


async def make_stream(path: Path, work: Path) -> tuple[Source, Ladder, Path]:
    """What the film at `path` is, its ladder, and the folder that holds its `master.m3u8`.

    Raises:
        Unusable: it cannot become a stream.
        EncodingFailed: this machine failed.
    """
    source = await probe(path)
    ladder = plan(source)
    place = await encode(path, source, ladder, work)
    await package(place, ladder)
    await verify(place, source, ladder)
    return source, ladder, place
