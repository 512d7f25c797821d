"""Proof of work: a guest's browser did some computing for this one form, so that a million forms cost something.

The challenge is the form's stamp, which is signed, for one article, and two days old at most. There are many small
pieces rather than one large one: the time then hardly depends on luck (docs/adr/0021).
"""

import hashlib
import re
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.articles.models import SpentStamp

# 16 pieces of 12 bits: 65,536 hashes on average, with a standard deviation of a quarter of that.
PIECES = 16
BITS = 12
_NONCE = re.compile(r"[0-9]{1,7}")


def challenge_of(stamp: str) -> str:
    """The part of a stamp that the work is done on: its signature, which covers all the others."""
    return stamp.rpartition(".")[2]


def is_work(challenge: str, piece: int, nonce: str) -> bool:
    """Whether SHA-256 of `challenge.piece.nonce` begins with BITS zero bits."""
    digest = hashlib.sha256(f"{challenge}.{piece}.{nonce}".encode()).digest()
    return int.from_bytes(digest[:4]) >> (32 - BITS) == 0


def is_proven(stamp: str, proof: str) -> bool:
    """Whether `proof` ("17-4093-…", a nonce for each piece) is the work for this stamp, which is checked elsewhere."""
    nonces = proof.split("-") if len(proof) < 9 * PIECES else []
    challenge = challenge_of(stamp)
    return len(nonces) == PIECES and all(
        _NONCE.fullmatch(nonce) is not None and is_work(challenge, piece, nonce)
        for piece, nonce in enumerate(nonces)
    )


async def spend(db: AsyncSession, stamp: str, now: datetime) -> bool:
    """Note that this stamp's work has paid for a response; False when it has done so before."""
    spent = await db.scalar(
        insert(SpentStamp)
        .values(challenge=challenge_of(stamp), spent_at=now)
        .on_conflict_do_nothing(index_elements=["challenge"])
        .returning(SpentStamp.challenge)
    )
    return spent is not None
