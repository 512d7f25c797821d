"""What `delivery-app` is compared with: Starlette's FileResponse and a route that answers, on a uvicorn of its own."""

import os
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from bench.streams import SMALL_BYTES

MEDIA = Path(os.environ.get("LIMBER_DATA_DIR", ".")) / "media"
BODY = b"x" * SMALL_BYTES


async def file(request: Request) -> Response:
    return FileResponse(MEDIA / request.path_params["path"])


async def small(_request: Request) -> Response:
    return Response(BODY, media_type="video/iso.segment")


async def alive(_request: Request) -> Response:
    return PlainTextResponse("ok")


app = Starlette(
    routes=[Route("/healthz", alive), Route("/plain/{path:path}", file), Route("/small/{path:path}", small)]
)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
