"""Worker processes as an operator runs them, and the pictures and sounds of what they made."""

import os
import subprocess
import sys
from pathlib import Path

from app.video.ffmpeg import binary
from app.video.graph import PLAYLIST
from app.video.renditions import Rendition

ROOT = Path(__file__).resolve().parent.parent


def start_worker(database_url: str, **environment: str) -> subprocess.Popen[bytes]:
    """`limber worker` in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "app", "worker"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def frames(stream: Path) -> dict[str, list[str]]:
    """Of each rendition of a stream on disk, by its folder: time and MD5 of each decoded picture, or piece of sound."""
    found = {}
    for playlist in sorted(stream.glob(f"*/{PLAYLIST}")):
        rendition = Rendition.load(playlist.parent)
        data = rendition.init + b"".join(
            (playlist.parent / segment.uri).read_bytes() for segment in rendition.segments
        )
        command = [
            binary(),
            "-v",
            "error",
            "-i",
            "pipe:0",
            "-fps_mode",
            "passthrough",
            "-f",
            "framemd5",
            "pipe:1",
        ]
        said = subprocess.run(
            command, input=data, capture_output=True, check=True, timeout=300
        ).stdout.decode()
        found[playlist.parent.name] = [line for line in said.splitlines() if not line.startswith("#")]
    return found
