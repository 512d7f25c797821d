"""A disk of a few megabytes that is really full when it says so, with and without the rights of an administrator."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE_BYTES = 24 * 2**20
# Docker gives containers 64 MB of shared memory; more than this is not filled for a test.
MOST_FILLED_BYTES = 2**30
FILLER = "filler"


class SmallDisk:
    """A folder on a file system of its own, or of this machine's least."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def free_bytes(self) -> int:
        return shutil.disk_usage(self.folder).free

    def fill(self, left_bytes: int) -> None:
        """Leave only so much room."""
        with (self.folder / FILLER).open("wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, self.free_bytes - left_bytes)

    def make_room(self) -> None:
        (self.folder / FILLER).unlink()


@contextmanager
def small_disk(place: Path) -> Iterator[SmallDisk]:
    """Mounted at `place` as root; in a namespace of a process of ours as anybody else; or else shared memory.

    Raises:
        RuntimeError: this machine lets us have none of them.
    """
    place.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_BYTES}", "limber-test", str(place)]
    if os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0:
        try:
            yield SmallDisk(place)
        finally:
            # Lazily: a worker that is just ending may still look into it.
            subprocess.run(["umount", "-l", str(place)], check=True)
        return
    with _namespace(mount) as root:
        if root is not None:
            yield SmallDisk(root / place.relative_to("/"))
            return
    shared = Path("/dev/shm")
    if not shared.is_dir() or shutil.disk_usage(shared).free > MOST_FILLED_BYTES:
        raise RuntimeError("a small disk needs root, user namespaces (`unshare -Urm`), or a small /dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="limber-test-", dir=shared))
    try:
        yield SmallDisk(folder)
    finally:
        shutil.rmtree(folder)


@contextmanager
def _namespace(mount: list[str]) -> Iterator[Path | None]:
    """The root folder as a process sees it that mounted something for itself alone; None when it may not."""
    holder = subprocess.Popen(
        ["unshare", "-Urm", "sh", "-c", '"$@" && echo mounted && exec cat', "sh", *mount],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        is_mounted = holder.stdout.readline() == b"mounted\n"
        yield Path(f"/proc/{holder.pid}/root") if is_mounted else None
    finally:
        holder.stdin.close()
        holder.stdout.close()
        holder.wait(10)
