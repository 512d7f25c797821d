"""Load from wrk on a list of addresses, and what the servers spent on it."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

SCRIPT = """
local paths, at, threads, left = {}, 0, 0, nil
function setup(thread)
  thread:set("first", threads)
  threads = threads + 1
end
function init(args)
  for line in io.lines(args[1]) do paths[#paths + 1] = wrk.format("GET", line) end
  at = math.floor(#paths / 2) * (first % 2)
  if args[2] == "once" then
    left = #paths / 2
    ffi = require("ffi")
    ffi.cdef("int kill(int, int); int getpid();")
  end
end
function request()
  if left then
    left = left - 1
    -- As Ctrl-C does it: wrk itself only knows how to wait until the time is over.
    if left == 0 then ffi.C.kill(ffi.C.getpid(), 2) end
  end
  at = at % #paths + 1
  return paths[at]
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    "\\nRESULT {\\"bytes\\": %d, \\"requests\\": %d, \\"micros\\": %d, \\"wrong\\": %d, \\"p99_us\\": %d}\\n",
    summary.bytes, summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Load:
    """What came of one run: bytes and requests a second, CPU seconds of the servers, answers that were no 2xx."""

    bytes_s: float
    requests_s: float
    cpu_s: float
    total_bytes: int
    requests: int
    wrong: int
    p99_ms: float

    @property
    def cpu_s_per_gb(self) -> float:
        return self.cpu_s / (self.total_bytes / 1e9)


def program() -> str:
    """wrk's path.

    Raises:
        RuntimeError: it is not installed.
    """
    found = shutil.which("wrk")
    if found is None:
        raise RuntimeError("wrk is not installed (python -m tests.machine installs it)")
    return found


def cpu_s(pids: list[int]) -> float:
    """CPU seconds that these processes and all that they started have used so far."""
    spent = 0.0
    for pid in pids:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            spent += times.user + times.system
    return spent


def load(
    origin: str, paths: Path, connections: int, seconds: int, pids: list[int], *, once: bool = False
) -> Load:
    """Ask for the addresses in `paths`, one a line, in turn, over so many connections.

    `once`: for each only once; `seconds` is then the longest that it may take.

    Raises:
        RuntimeError: wrk failed.
    """
    script = paths.parent / "wrk.lua"
    script.write_text(SCRIPT)
    before = cpu_s(pids)
    ran = subprocess.run(
        [
            program(),
            "--threads=2",
            f"--connections={connections}",
            f"--duration={seconds}s",
            "--timeout=20s",
            "--latency",
            f"--script={script}",
            origin,
            "--",
            str(paths),
            *(["once"] if once else []),
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
    )
    spent = cpu_s(pids) - before
    line = next((line for line in ran.stdout.splitlines() if line.startswith("RESULT ")), None)
    if line is None:
        raise RuntimeError(f"wrk failed: {ran.stdout[-500:]} {ran.stderr[-500:]}")
    told = json.loads(line.removeprefix("RESULT "))
    took = told["micros"] / 1e6
    return Load(
        told["bytes"] / took,
        told["requests"] / took,
        spent,
        told["bytes"],
        told["requests"],
        told["wrong"],
        told["p99_us"] / 1000,
    )
