"""The opponents of `upload` on one uvicorn: Limber itself, and in front of it a PUT that only streams and fsyncs."""

import asyncio
import os
import sys
from pathlib import Path

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.main import create_app
from app.settings import get_settings
from app.video.receiving import BLOCK_BYTES


def write(handle: int, data: bytes) -> None:
    """All of `data`, flushed."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
    os.fsync(handle)


async def put(request: Request) -> Response:
    """What anybody would write first: the same blocks, one being written while the next arrives; no row, no hash."""
    path = Path(get_settings().data_dir) / "uploads" / "bare"
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    writing: asyncio.Task[None] | None = None
    parts: list[bytes] = []
    count = 0
    try:
        async for chunk in request.stream():
            parts.append(chunk)
            count += len(chunk)
            if count >= BLOCK_BYTES or not chunk:
                if writing is not None:
                    await writing
                writing = asyncio.create_task(asyncio.to_thread(write, handle, b"".join(parts)))
                parts, count = [], 0
        if writing is not None:
            await writing
        await asyncio.to_thread(write, handle, b"".join(parts))
    finally:
        os.close(handle)
    return Response(status_code=204)


class Both:
    """Limber, and the bare route before it: none of Limber's middleware slows that."""

    def __init__(self) -> None:
        self.limber = create_app()
        self.bare = Route("/bare", put, methods=["PUT"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_bare = scope["type"] == "http" and scope["path"] == "/bare"
        await (self.bare.handle if is_bare else self.limber)(scope, receive, send)


if __name__ == "__main__":
    uvicorn.run(Both(), host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
