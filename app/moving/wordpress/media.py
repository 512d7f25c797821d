"""Where an import gets the old site's files: a copy of its uploads folder, or the site itself; never any other host."""

import asyncio
import ipaddress
import socket
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urljoin, urlsplit

import httpx

from app.errors import BadInput
from app.i18n import _
from app.moving.wordpress import addresses

LARGEST_BYTES = 40_000_000
# For one file, from the first byte asked for to the last one read.
LONGEST_S = 60
REDIRECTS = 3
# Instead of an address: the site that the export itself names.
SITE = "site"
UPLOADS = "wp-content/uploads"
KINDS = ("image/", "application/pdf", "audio/", "application/octet-stream", "binary/octet-stream")


class Lacking(Exception):
    """The file is not to be had; the message says why in a few words."""


class Postponed(Lacking):
    """It was not asked for yet: this run writes nothing."""


class Source(Protocol):
    async def read(self, upload: str) -> bytes: ...
    async def close(self) -> None: ...


class Nowhere:
    """No source was named: all files stay where they are."""

    async def read(self, upload: str) -> bytes:  # noqa: ARG002 (a Source's question)
        raise Lacking(_("no --media was given"))

    async def close(self) -> None:
        return


class Later(Nowhere):
    """The site that the export names, in a run that writes nothing: it is not asked for all its pictures twice."""

    async def read(self, upload: str) -> bytes:
        raise Postponed(upload)


class Folder:
    """A copy of wp-content/uploads, or a folder that has one inside."""

    def __init__(self, root: Path) -> None:
        inner = (root / "wp-content" / "uploads", root / "uploads")
        self._root = next((place for place in inner if place.is_dir()), root).resolve()

    async def read(self, upload: str) -> bytes:
        return await asyncio.to_thread(self._read, upload)

    def _read(self, upload: str) -> bytes:
        place = (self._root / upload).resolve()
        # Neither ".." nor a link may lead out of the folder.
        if not place.is_relative_to(self._root) or not place.is_file():
            raise Lacking(_("not in the folder"))
        if place.stat().st_size > LARGEST_BYTES:
            raise Lacking(_("larger than 40 MB"))
        return place.read_bytes()

    async def close(self) -> None:
        return


class Site:
    """The uploads of a site that still answers. One host is asked, whatever a redirect says.

    `public_only`: and only when its address is one that the whole internet reaches.
    """

    def __init__(self, base_url: str, *, public_only: bool = False) -> None:
        self._base = base_url.rstrip("/") + "/"
        self._public_only = public_only
        self._address = ""
        self._client = httpx.AsyncClient(timeout=httpx.Timeout(10, read=20), follow_redirects=False)

    async def read(self, upload: str) -> bytes:
        try:
            async with asyncio.timeout(LONGEST_S):
                return await self._fetch(urljoin(self._base, quote(upload)))
        except TimeoutError:
            raise Lacking(_("the site took longer than a minute")) from None
        except httpx.HTTPError as fault:
            raise Lacking(_("the site does not answer (%(why)s)") % {"why": type(fault).__name__}) from None

    async def _fetch(self, url: str) -> bytes:
        for _step in range(REDIRECTS + 1):
            async with self._client.stream("GET", **await self._asked(url)) as answer:
                if answer.is_redirect:
                    url = self._own(urljoin(url, answer.headers.get("location", "")))
                    continue
                if answer.status_code != 200:
                    raise Lacking(_("the site answers %(status)s") % {"status": answer.status_code})
                kind = answer.headers.get("content-type", "").lower()
                if kind and not kind.startswith(KINDS):
                    raise Lacking(_("the site sends no picture there, but %(kind)s") % {"kind": kind[:60]})
                return await _bounded(answer)
        raise Lacking(_("too many redirects"))

    async def _asked(self, url: str) -> dict[str, Any]:
        """What is asked: where it matters which machine answers, that machine by its number, which cannot change."""
        if not self._public_only:
            return {"url": url}
        asked = httpx.URL(url)
        self._address = self._address or await _public(asked.host, asked.port or 443)
        return {
            "url": asked.copy_with(host=self._address),
            "headers": {"Host": asked.netloc.decode()},
            "extensions": {"sni_hostname": asked.host},
        }

    def _own(self, url: str) -> str:
        there, here = urlsplit(url), urlsplit(self._base)
        is_safe = there.scheme in ("https", here.scheme) and there.port in (None, here.port)
        if there.hostname != here.hostname or not is_safe:
            raise Lacking(_("the site sends on to another host"))
        return url

    async def close(self) -> None:
        await self._client.aclose()


async def _public(host: str, port: int) -> str:
    """The number of a host that everybody reaches.

    Raises:
        Lacking: it is a machine of an inner network, or is not known.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise Lacking(_("the site’s address is not known")) from None
    numbers = [str(one[4][0]) for one in found]
    if not numbers or not all(ipaddress.ip_address(number).is_global for number in numbers):
        raise Lacking(_("the site is not on the internet"))
    return numbers[0]


async def _bounded(answer: httpx.Response) -> bytes:
    data = bytearray()
    async for piece in answer.aiter_bytes(1 << 16):
        data += piece
        if len(data) > LARGEST_BYTES:
            raise Lacking(_("larger than 40 MB"))
    return bytes(data)


def open_source(
    media: str | None, site_url: str = "", *, is_dry: bool = False, public_only: bool = False
) -> Source:
    """By what was given with --media; `site_url` is the address that the export names.

    Raises:
        BadInput: it is neither a folder nor an http(s) address.
    """
    if media == SITE and is_dry and addresses.host_of(site_url):
        return Later()
    if media == SITE:
        media = f"{site_url.rstrip('/')}/{UPLOADS}" if addresses.host_of(site_url) else None
    if not media:
        return Nowhere()
    if media.startswith(("http://", "https://")):
        if not addresses.host_of(media):
            raise BadInput(_("The address after --media has no host."))
        return Site(media, public_only=public_only)
    if not Path(media).is_dir():
        raise BadInput(
            _("There is no folder %(name)s. Give --media a copy of wp-content/uploads, or its address.")
            % {"name": media}
        )
    return Folder(Path(media))


async def read_largest(source: Source, upload: str) -> tuple[str, bytes]:
    """The file, or the picture of which it is a smaller copy; answers what was found under which name.

    Raises:
        Lacking: for the reason of the last try.
    """
    why = Lacking(_("not found"))
    for name in addresses.candidates(upload):
        try:
            return name, await source.read(name)
        except Lacking as lacking:
            why = lacking
    raise why
