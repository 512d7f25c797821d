"""Put this process on a leash (CPU, memory, file size, death with its parent), then become another program.

Started by `bounded.py` as `python -I -S leash.py PARENT CPU_S MEMORY_BYTES FILE_BYTES NICE -- PROGRAM ARGS…`.
A small program of its own, because `preexec_fn` may deadlock in a process that has threads, and because a
child that sets its own limits has them before it reads its first hostile byte.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
ORPHANED = 75


def limit(what: int, soft: int, hard: int) -> None:
    # macOS refuses some limits, and a lower hard limit set by the operator wins.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(what, (soft, hard))


def main() -> None:
    parent, cpu_s, memory_bytes, file_bytes, nice = (int(word) for word in sys.argv[1:6])
    argv = sys.argv[7:]
    limit(resource.RLIMIT_CPU, cpu_s, cpu_s + 2)
    limit(resource.RLIMIT_AS, memory_bytes, memory_bytes)
    limit(resource.RLIMIT_FSIZE, file_bytes, file_bytes)
    limit(resource.RLIMIT_CORE, 0, 0)
    os.nice(nice)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit(ORPHANED)
    os.execv(argv[0], argv)  # noqa: S606 (no shell is the point)


if __name__ == "__main__":
    main()
