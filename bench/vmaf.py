"""How much a rung looks like its source: VMAF, of pictures that stand at the same places in both."""

import re
import subprocess
from pathlib import Path

from app.video.ffmpeg import binary, threads
from app.video.renditions import Rendition

SCORE = re.compile(r"VMAF score: ([\d.]+)")
# Every so many pictures are compared: the mean moved by less than 0.1 on our films.
EACH = 5
# One is labelled and the other is not: ffmpeg would convert between the two, and the same picture score 4 less.
LABEL = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"


def joined(folders: list[Path], out: Path) -> Path:
    """One film of the chunks of a rung."""
    with out.open("wb") as film:
        for number, folder in enumerate(folders):
            rendition = Rendition.load(folder)
            film.write(rendition.init if number == 0 else b"")
            for segment in rendition.segments:
                film.write((folder / segment.uri).read_bytes())
    return out


def vmaf(made: Path, source: Path, length_s: float) -> float:
    """The mean score (0 to 100) over the first `length_s` of two films of equal rate.

    Source: libvmaf, its default model vmaf_v0.6.1, which asks for 1080p: both are brought to it.
    Raises:
        RuntimeError: it could not be measured.
    """
    size = f"{LABEL},scale=1920:1080:flags=bicubic,setsar=1"
    graph = (
        f"[0:v]settb=AVTB,setpts=PTS-STARTPTS,{size}[made];[1:v]settb=AVTB,setpts=PTS-STARTPTS,{size}[source];"
        f"[made][source]libvmaf=n_threads={threads()}:n_subsample={EACH}"
    )
    films = ["-t", str(length_s), "-i", str(made), "-t", str(length_s), "-i", str(source)]
    command = [binary(), "-nostdin", "-nostats", *films, "-an", "-filter_complex", graph, "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=1200).stderr
    found = SCORE.search(said)
    if found is None:
        raise RuntimeError(f"no score: {said[-500:]}")
    return float(found[1])
