"""Child processes of the demo: started in sessions of their own, restarted when they die, all stopped at the end."""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

STOP_S = 8
RESTARTS = 20


def _die_with_parent() -> None:
    """Linux: ask the kernel to end the child when the demo itself is killed, so that no port stays taken."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


@dataclass
class Child:
    """One program that has to run for as long as the demo does."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    codes: list[int] = field(default_factory=list)

    def start(self) -> None:
        with self.log.open("ab") as out:
            # A session of its own: Ctrl-C reaches only the demo, which then stops its children in order.
            self.process = subprocess.Popen(  # noqa: S603 (our own programs, fixed arguments)
                self.command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def has_died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def tail(self, lines: int = 12) -> str:
        text = self.log.read_text("utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


class Fault(RuntimeError):
    """The demo cannot go on; the message says why, in words."""


class GaveUp(Fault):
    """A child died again and again."""


async def watch(children: list[Child]) -> None:
    """Restart children that die, with a growing pause.

    Raises:
        GaveUp: after 20 restarts of one child.
    """
    while True:
        for child in children:
            if child.has_died() and child.process is not None:
                child.codes.append(child.process.returncode)
                child.restarts += 1
                if child.restarts > RESTARTS:
                    raise GaveUp(f"{child.name} keeps ending (last code {child.codes[-1]}):\n{child.tail()}")
                await asyncio.sleep(min(0.2 * child.restarts, 3))
                child.start()
        await asyncio.sleep(0.5)


def stop(children: list[Child]) -> None:
    """SIGTERM to each child's whole process group, SIGKILL to what is left after 8 s. Last started, first stopped."""
    running = [
        child.process for child in reversed(children) if child.process and child.process.poll() is None
    ]
    for process in running:
        _signal_group(process.pid, signal.SIGTERM)
    for process in running:
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()
    for process in running:
        # An encoder that its worker had no time to stop.
        _signal_group(process.pid, signal.SIGKILL)


def _signal_group(pid: int, signum: signal.Signals) -> None:
    try:
        os.killpg(pid, signum)
    except ProcessLookupError:
        return
