"""`python -m bench NAME` runs one benchmark, `python -m bench all` every one, each ending in a JSON line."""

import json
import sys
from collections.abc import Callable
from typing import Any

from bench import (
    chunks,
    converge,
    delivery,
    delivery_app,
    first_frame,
    first_rung,
    guards,
    ladder,
    lighthouse,
    pages,
    play,
    quality,
    resume,
    revoke,
    search,
    start,
    storyboard,
    upload,
    webhook,
)

BENCHES: dict[str, Callable[[], dict[str, Any]]] = {
    "start": start.run,
    "upload": upload.run,
    "ladder": ladder.run,
    "quality": quality.run,
    "first-rung": first_rung.run,
    "chunks": chunks.run,
    "resume": resume.run,
    "storyboard": storyboard.run,
    "delivery": delivery.run,
    "delivery-app": delivery_app.run,
    "revoke": revoke.run,
    "pages": pages.run,
    "lighthouse": lighthouse.run,
    "play": play.run,
    "first-frame": first_frame.run,
    "guards": guards.run,
    "webhook": webhook.run,
    "converge": converge.run,
    "search": search.run,
}


def main(names: list[str]) -> int:
    """Run the named benchmarks; 1 when a goal was missed, 2 when a name is not known."""
    wanted = list(BENCHES) if names == ["all"] else names
    if not wanted or any(name not in BENCHES for name in wanted):
        print(f"usage: python -m bench [all|{'|'.join(BENCHES)}]", file=sys.stderr)
        return 2
    met = True
    for name in wanted:
        result = {"name": name, **BENCHES[name]()}
        met = met and result["met"]
        print(json.dumps(result), flush=True)
    return 0 if met else 1


if __name__ == "__main__":
    # What a benchmark reads for itself, such as --lives 100, is no benchmark's name.
    raise SystemExit(main([word for word in sys.argv[1:] if not word.startswith("-") and not word.isdigit()]))
