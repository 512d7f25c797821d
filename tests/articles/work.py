"""Does a form's proof of work as a browser does it, with Python's own SHA-256."""

import hashlib
from itertools import count

from app.articles.proofs import BITS, PIECES, challenge_of


def solve(stamp: str, pieces: int = PIECES, bits: int = BITS) -> str:
    challenge = challenge_of(stamp)
    found = []
    for piece in range(pieces):
        for n in count():
            digest = hashlib.sha256(f"{challenge}.{piece}.{n}".encode()).digest()
            if digest[0] == 0 and int.from_bytes(digest[:4]) >> (32 - bits) == 0:
                found.append(str(n))
                break
    return "-".join(found)
