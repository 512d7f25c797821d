"""What nginx was not told yet: who stands, each once and while that is young."""

import time
from collections import OrderedDict

from app.playback.verdicts import Viewing

# Letters in one answer, of the 32 kB that nginx has for its head (deploy/nginx/answers-in-memory/question.conf): 1,200
# viewings of a few films, 450 where each has a film of its own.
ROOM = 28_000


class News:
    """Viewings that stand, the longest waiting first."""

    def __init__(self, young_s: float) -> None:
        self._young_s = young_s
        self._found_at: OrderedDict[Viewing, float] = OrderedDict()

    def put(self, viewing: Viewing, found_at: float) -> None:
        """It stood at `found_at` (monotonic seconds), which is not before what was put last."""
        self._found_at[viewing] = found_at
        self._found_at.move_to_end(viewing)
        # Nobody may come for them.
        while next(iter(self._found_at.values())) <= found_at - self._young_s:
            self._found_at.popitem(last=False)

    def drop(self, viewing: Viewing) -> None:
        """It does not stand, or was told otherwise."""
        self._found_at.pop(viewing, None)

    def take(self) -> dict[str, list[str]]:
        """`<video>/<version>` -> playbacks, as many as one answer has room for; they are told by that."""
        films: dict[str, list[str]] = {}
        oldest, room = time.monotonic() - self._young_s, ROOM
        while self._found_at and room > 0:
            (sid, video, version), found_at = self._found_at.popitem(last=False)
            if found_at <= oldest:
                continue
            film = f"{video}/{version}"
            if film not in films:
                films[film] = []
                room -= len(film) + 1
            films[film].append(sid)
            room -= len(sid) + 1
        return films

    def __len__(self) -> int:
        return len(self._found_at)

    def clear(self) -> None:
        """Nobody is to be told of."""
        self._found_at.clear()
