"""Where an import gets the old site's files: a copy of its uploads folder, or the site itself; never any other host."""

import asyncio
import ipaddress
import socket
import unicodedata
import zlib
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urljoin, urlsplit

import httpx

from app.errors import BadInput
from app.i18n import _
from app.moving.wordpress import addresses
from app.moving.wordpress.folder import Folder
from app.moving.wordpress.lacking import LARGEST_BYTES, Absent, Busy, Lacking, Postponed, Silent, too_large

# For one file, from the first byte asked for to the last one read.
LONGEST_S = 60
REDIRECTS = 3
# A site that is asked too often says how long to wait, or does not.
WAIT_S, LONGEST_WAIT_S = 5.0, 30.0
# Instead of an address: the site that the export itself names.
SITE = "site"
UPLOADS = "wp-content/uploads"
# What a file is, its first bytes say: servers that are older than a format call it text, or nothing.
KINDS = (
    "image/",
    "application/pdf",
    "audio/",
    "application/octet-stream",
    "binary/octet-stream",
    "text/plain",
    "application/unknown",
)
# After so many files in a row without an answer, only every so-manieth one is asked for still: a site that is down must
# not hold an import for days, and one that comes back is noticed.
SILENT_IN_A_ROW = 5
ASKED_OF_SILENT = 50


class Source(Protocol):
    """`names`: under which a file may be there, the best first; `read` takes one of them."""

    async def names(self, upload: str, *, is_whole: bool = False) -> list[str]: ...
    async def read(self, name: str) -> bytes: ...
    async def close(self) -> None: ...


class Nowhere:
    """No source was named: all files stay where they are."""

    async def names(self, upload: str, *, is_whole: bool = False) -> list[str]:  # noqa: ARG002 (a Source's question)
        return [upload]

    async def read(self, name: str) -> bytes:  # noqa: ARG002 (a Source's question)
        raise Lacking(_("no --media was given"))

    async def close(self) -> None:
        return


class Later(Nowhere):
    """The site that the export names, in a run that writes nothing: it is not asked for all its pictures twice."""

    async def read(self, name: str) -> bytes:
        raise Postponed(name)


class Site:
    """The uploads of a site that still answers. One host is asked, whatever a redirect says.

    `public_only`: and only when its address is one that the whole internet reaches.
    """

    def __init__(self, base_url: str, *, public_only: bool = False, below: str = "") -> None:
        # A network's site: where its uploads begin, unless the address says so already.
        self._below = "" if addresses.network_part(f"{base_url.rstrip('/')}/") else below
        self._base = base_url.rstrip("/") + "/"
        self._public_only = public_only
        self._address = ""
        self._silent = self._left = 0
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(10, read=20),
            follow_redirects=False,
            headers={"Accept-Encoding": "identity"},
        )

    async def names(self, upload: str, *, is_whole: bool = False) -> list[str]:
        found = addresses.candidates(upload, is_whole=is_whole)
        # Files that came from a Mac are often called so.
        apart = (unicodedata.normalize("NFD", name) for name in found)
        names = [*found, *apart]
        return list(dict.fromkeys([*(f"{self._below}{name}" for name in names if self._below), *names]))

    async def read(self, name: str) -> bytes:
        if self._silent >= SILENT_IN_A_ROW:
            self._left += 1
            if self._left % ASKED_OF_SILENT:
                raise Silent(_("the site has stopped answering: not asked for, a second run does"))
        try:
            async with asyncio.timeout(LONGEST_S):
                data = await self._patiently(self._own(urljoin(self._base, quote(name.lstrip("/")))))
        except Busy:
            self._silent += 1
            raise
        except TimeoutError:
            self._silent += 1
            raise Silent(_("the site took longer than a minute")) from None
        except httpx.HTTPError as fault:
            raise self._fault(fault) from None
        except (httpx.InvalidURL, ValueError):
            raise Lacking(_("the site sends on to what is no address")) from None
        except Lacking:
            self._silent = 0
            raise
        self._silent = 0
        return data

    async def _patiently(self, url: str) -> bytes:
        """The file, asked for once more where the site asks for a little patience."""
        try:
            return await self._fetch(url)
        except Busy as busy:
            if busy.wait_s > LONGEST_WAIT_S:
                raise
            await asyncio.sleep(busy.wait_s)
        return await self._fetch(url)

    def _fault(self, fault: httpx.HTTPError) -> Lacking:
        if isinstance(fault, httpx.RemoteProtocolError):
            return Lacking(_("the site sent something else than it announced, or not all of it"))
        self._silent += 1
        return Silent(_("the site does not answer (%(why)s)") % {"why": type(fault).__name__})

    async def _fetch(self, url: str) -> bytes:
        for _step in range(REDIRECTS + 1):
            async with self._client.stream("GET", **await self._asked(url)) as answer:
                if answer.is_redirect:
                    url = self._own(urljoin(url, answer.headers.get("location", "")))
                    continue
                if answer.status_code in (429, 503):
                    after = answer.headers.get("retry-after", "")
                    wait_s = (
                        float(after) if after.isascii() and after.isdigit() and len(after) < 6 else WAIT_S
                    )
                    raise Busy(_("the site answers %(status)s") % {"status": answer.status_code}, wait_s)
                if answer.status_code != 200:
                    kind = Absent if answer.status_code in (404, 410) else Lacking
                    raise kind(_("the site answers %(status)s") % {"status": answer.status_code})
                sent = answer.headers.get("content-type", "").lower()
                if sent and not sent.startswith(KINDS):
                    # Many sites say so, and 200, of a file that they do not have.
                    kind = Absent if sent.startswith("text/html") else Lacking
                    raise kind(_("the site sends no picture there, but %(kind)s") % {"kind": sent[:60]})
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
        try:
            there, here = urlsplit(url), urlsplit(self._base)
            is_safe = there.scheme in ("https", here.scheme) and there.port in (None, here.port)
        except ValueError:
            raise Lacking(_("the site sends on to what is no address")) from None
        if there.hostname != here.hostname or not is_safe:
            raise Lacking(
                _("the site sends on to another host (%(host)s), which is not asked")
                % {"host": f"{there.scheme}://{there.netloc}"[:80]}
            )
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
    """The whole file, unpacked where a server packs what it was asked not to; never more than may come."""
    form = answer.headers.get("content-encoding", "identity").lower()
    if form not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise Lacking(_("the site sends it packed in a way that was not asked for"))
    unpacker = zlib.decompressobj(wbits=47) if form not in ("identity", "") else None
    data = bytearray()
    async for piece in answer.aiter_raw(1 << 16):
        try:
            data += unpacker.decompress(piece, LARGEST_BYTES + 1 - len(data)) if unpacker else piece
        except zlib.error:
            raise Lacking(_("the site sent something else than it announced, or not all of it")) from None
        if len(data) > LARGEST_BYTES:
            raise too_large()
    return bytes(data)


def open_source(
    media: str | None,
    site_url: str = "",
    *,
    is_dry: bool = False,
    public_only: bool = False,
    below: str = "",
) -> Source:
    """By what was given with --media; `site_url` is the address that the export names.

    `below`: where a network keeps this site's uploads below those of all ("sites/3/").

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
        return Site(media, public_only=public_only, below=below)
    if not Path(media).is_dir():
        raise BadInput(
            _("There is no folder %(name)s. Give --media a copy of wp-content/uploads, or its address.")
            % {"name": media}
        )
    return Folder(Path(media), below)
