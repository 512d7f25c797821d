"""A connection to a web process inside the test's own, spoken letter by letter."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn
from uvicorn.server import ServerState

from app.playback.standing import standing
from app.web.media_question import Listening
from tests.playback.scene import Scene, device, set_up, start

TIMEOUT_S = 30


@dataclass
class Line:
    """One connection to the process, and the address of a playlist that may be watched."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    address: str
    scene: Scene

    async def say(self, *pieces: bytes) -> None:
        """Each in a packet of its own."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0.05)

    async def answer(self) -> tuple[int, bytes, bytes]:
        """Status, head and body of the next answer."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), TIMEOUT_S)
        found = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        body = await self.reader.readexactly(int(found[0].partition(b":")[2])) if found else b""
        return int(head.split()[1]), head, body

    async def ask(self, address: str) -> tuple[int, bytes, bytes]:
        await self.say(question(address))
        return await self.answer()

    async def known(self) -> None:
        """From now on this process knows the answer."""
        assert (await self.ask(self.address))[0] == 204


def question(address: str, key: str | None = None) -> bytes:
    """As nginx asks it."""
    edge = f"X-Limber-Edge: {key}\r\n" if key else ""
    return f"GET /media-auth HTTP/1.1\r\nX-Original-URI: {address}\r\n{edge}Host: limber_web\r\n\r\n".encode()


@asynccontextmanager
async def connected() -> AsyncIterator[Line]:
    """To the whole site, over a database that is open."""
    standing.forget()
    scene = await set_up()
    async with device() as browser:
        begun = await start(browser, scene.free)
    config = uvicorn.Config("app.main:create_app", factory=True, http=Listening, access_log=False)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: Listening(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    yield Line(reader, writer, begun["playlist_url"], scene)
    writer.close()
    server.close()
    await asyncio.gather(*state.tasks)
