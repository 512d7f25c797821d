"""`python -m app …` as processes that need not load their libraries first: that took 3 s of CPU for each start.

One that has loaded them waits and is forked for each. From there on they are what the command is: other programs over
the same files, that can be killed. `tests/test_deploy.py` and `tests/journeys` start the command itself.
Source: https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods (forkserver)
"""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.loaded"])


def _run(words: tuple[str, ...], environment: dict[str, str], out: str) -> None:
    """What the new process does: become the command."""
    # A process group of its own: who ends it may end its ffmpeg too.
    os.setsid()
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    file = os.open(out, os.O_WRONLY | os.O_APPEND)
    for number in (1, 2):
        os.dup2(file, number)
    sys.argv = ["app", *words]
    runpy.run_module("app", run_name="__main__")


class Forked:
    """A running command, with those methods of `subprocess.Popen` that tests need.

    `out`: a file that is there, to which all that it prints is added.
    """

    def __init__(self, *words: str, environment: Mapping[str, str], out: str = os.devnull) -> None:
        self._process = _CONTEXT.Process(target=_run, args=(words, dict(environment), out), daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit status; of a signal that ended it, the negative number."""
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: it goes on after `timeout` seconds.
        """
        self._process.join(timeout)
        ended = self._process.exitcode
        if ended is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return ended

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def start_worker(database_url: str, **environment: str) -> Forked:
    """`limber worker`."""
    return Forked("worker", environment={**os.environ, "DATABASE_URL": database_url, **environment})
