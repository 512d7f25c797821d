"""Ask what a source film is, from a child process: its parsers read bytes that nobody vouches for."""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

from app.i18n import N_
from app.video.bounded import Bounds, run
from app.video.source import EncodingFailed, Source, Unusable

LONGEST_S = 6 * 3600.0
BOUNDS = Bounds(cpu_s=60, wall_s=180, stall_s=180, memory_bytes=3 * 2**30, file_bytes=0, nice=5)
# Some containers are read from end to end, to see whether their clock jumps.
CPU_S_PER_GIB, WALL_S_PER_GIB = 20, 120

# The child's first line: from here on it is the film's fault when it ends without an answer.
BEGUN = "begun"

UNREADABLE = N_(
    "This file could not be read: it is damaged or made to do harm. Please export the film again."
)
NOT_STARTED = N_("The program that reads films did not start on this machine. We will try again.")
SLOW = N_("Reading this film took too long. We will try again.")


def _bounds(size_bytes: int) -> Bounds:
    gib = size_bytes / 2**30
    wall_s = BOUNDS.wall_s + WALL_S_PER_GIB * gib
    return replace(BOUNDS, cpu_s=BOUNDS.cpu_s + int(CPU_S_PER_GIB * gib), wall_s=wall_s, stall_s=wall_s)


async def probe(path: Path, *, longest_s: float = LONGEST_S, bounds: Bounds | None = None) -> Source:
    """What the film at `path` is, read within `bounds` (left out, they grow with the file).

    Raises:
        Unusable: it cannot become a stream; `reason` is a sentence for the teacher.
        EncodingFailed: this machine was too slow to tell.
        FileNotFoundError: there is no such file.
    """
    path = await asyncio.to_thread(path.resolve, True)
    if bounds is None:
        bounds = _bounds((await asyncio.to_thread(path.stat)).st_size)
    answers: list[str] = []

    def keep(line: str) -> bool:
        answers.append(line)
        return True

    argv = [sys.executable, "-P", "-m", "app.video.probe", str(path), str(longest_s)]
    ended = await run(argv, bounds, on_line=keep)
    if ended.why != "exit":
        raise EncodingFailed(SLOW, detail=f"{ended.why}: {ended.last_words}")
    if not answers:
        # It had not looked at the film yet: an upgrade was under way, or there is no memory left at all.
        raise EncodingFailed(NOT_STARTED, detail=f"exit {ended.code}: {ended.last_words}")
    if not ended.ok or len(answers) < 2:
        raise Unusable(UNREADABLE, detail=f"exit {ended.code}: {ended.last_words}")
    answer = json.loads(answers[-1])
    if "unusable" in answer:
        raise Unusable(answer["unusable"], detail=answer["detail"], **answer["params"])
    return Source.from_json(answer["source"])


def main() -> None:
    from app.video.inspection import inspect  # imports the parsers, which only this child may hold

    sys.stdout.write(BEGUN + "\n")
    sys.stdout.flush()
    path, longest_s = Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else LONGEST_S
    try:
        answer: dict[str, object] = {"source": inspect(path, longest_s).to_json()}
    except Unusable as refusal:
        answer = {"unusable": refusal.message, "params": refusal.params, "detail": refusal.detail}
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
