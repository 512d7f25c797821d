"""`start`: seconds from `make demo` to "Limber is ready", cold (a fresh clone) and warm (a second start)."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
READY = "Limber is ready at"
COLD_GOAL_S = 180.0
WARM_GOAL_S = 10.0
GIVE_UP_S = 900


def free_ports() -> int:
    """A port whose three followers are free too."""
    for port in range(18000, 19000, 10):
        try:
            for offset in range(4):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port + offset))
        except OSError:
            continue
        return port
    raise RuntimeError("no four free ports in a row")


def until_ready(folder: Path, port: int, data_dir: Path) -> float:
    """Start the demo as a newcomer does, wait for its line, stop it as Ctrl-C does. Answers seconds until ready.

    Raises:
        RuntimeError: when the demo ends, or is not ready within 15 minutes.
    """
    environment = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL")}
    began = time.monotonic()
    process = subprocess.Popen(
        ["make", "demo", f"PORT={port}", f"DATA_DIR={data_dir}"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        for line in process.stdout:
            said.append(line)
            if line.startswith(READY):
                return time.monotonic() - began
            if time.monotonic() - began > GIVE_UP_S:
                break
        raise RuntimeError("the demo did not become ready:\n" + "".join(said[-30:]))
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.stdout.read()
        process.wait(60)


def run() -> dict[str, Any]:
    """Measure both on a clone of HEAD; the registries' caches of this machine are whatever they are."""
    with tempfile.TemporaryDirectory(prefix="limber-bench-") as scratch:
        Path(scratch).chmod(0o755)
        folder = Path(scratch) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        port = free_ports()
        cold = until_ready(folder, port, folder / "data")
        warm = until_ready(folder, port, folder / "data")
    ratio = max(cold / COLD_GOAL_S, warm / WARM_GOAL_S)
    return {
        "ratio": round(ratio, 3),
        "goal": 1.0,
        "met": ratio <= 1.0,
        "cold_s": round(cold, 1),
        "cold_goal_s": COLD_GOAL_S,
        "warm_s": round(warm, 1),
        "warm_goal_s": WARM_GOAL_S,
    }
