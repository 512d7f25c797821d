"""The words of the tus protocol: versions, headers and metadata, read strictly and written exactly (pure).

Source: https://tus.io/protocols/resumable-upload (1.0.0)
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from app.errors import LimberError
from app.i18n import _

VERSION = "1.0.0"
EXTENSIONS = ("creation", "creation-with-upload", "expiration", "checksum", "termination")
ALGORITHMS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256}
BYTES = "application/offset+octet-stream"
LARGEST_METADATA = 4096
LARGEST_NUMBER = 2**53


class BadTus(LimberError):
    """A header is missing or cannot be read."""

    status = 400
    code = "bad-tus-request"


class WrongVersion(LimberError):
    status = 412
    code = "wrong-tus-version"

    def default_sentence(self) -> str:
        return _("This uploader speaks another version of tus than 1.0.0.")


class NotBytes(LimberError):
    status = 415
    code = "not-bytes"

    def default_sentence(self) -> str:
        return _("Bytes of an upload are sent as application/offset+octet-stream.")


class ChecksumMismatch(LimberError):
    """460 is tus's own status."""

    status = 460
    code = "checksum-mismatch"

    def default_sentence(self) -> str:
        return _("A part of the file arrived damaged and was thrown away. It will be sent again.")


@dataclass(frozen=True)
class Checksum:
    """What the bytes of one request must hash to."""

    algorithm: str
    digest: bytes

    def start(self) -> Any:
        return ALGORITHMS[self.algorithm]()


def check_version(headers: Mapping[str, str]) -> None:
    """
    Raises:
        WrongVersion: when the client speaks no tus, or another version.
    """
    if headers.get("tus-resumable") != VERSION:
        raise WrongVersion


def number(headers: Mapping[str, str], name: str) -> int:
    """A header that must be a non-negative integer.

    Raises:
        BadTus: when it is missing or none.
    """
    text = headers.get(name, "")
    # The length first: Python refuses to read thousands of digits.
    if not (text.isascii() and text.isdigit() and len(text) <= 16) or int(text) > LARGEST_NUMBER:
        raise BadTus(_("The header %(name)s must be a whole number.") % {"name": name})
    return int(text)


def content_length(headers: Mapping[str, str]) -> int | None:
    """Bytes that the request announces, or None when it is sent in chunks."""
    return number(headers, "content-length") if "content-length" in headers else None


def check_bytes(headers: Mapping[str, str]) -> None:
    """
    Raises:
        NotBytes: when the body is not declared as bytes of an upload.
    """
    if headers.get("content-type", "").partition(";")[0].strip().lower() != BYTES:
        raise NotBytes


def metadata(text: str) -> dict[str, str]:
    """`Upload-Metadata` as text by key; a key without a value has an empty one.

    Raises:
        BadTus: when it is too long, a key repeats, or a value is not base64 of UTF-8.
    """
    found: dict[str, str] = {}
    if len(text) > LARGEST_METADATA:
        raise BadTus(_("The header Upload-Metadata is too long."))
    for pair in filter(None, (part.strip() for part in text.split(","))):
        key, _space, value = pair.partition(" ")
        if key in found:
            raise BadTus(_("The header Upload-Metadata names something twice."))
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as fault:
            raise BadTus(_("The header Upload-Metadata cannot be read.")) from fault
    return found


def checksum(headers: Mapping[str, str]) -> Checksum | None:
    """`Upload-Checksum`, or None where none was sent.

    Raises:
        BadTus: when the algorithm is not offered or the value is not its digest in base64.
    """
    text = headers.get("upload-checksum")
    if text is None:
        return None
    algorithm, _space, value = text.partition(" ")
    if algorithm not in ALGORITHMS:
        raise BadTus(_("Checksums are taken in sha1 or sha256."))
    try:
        digest = base64.b64decode(value.strip(), validate=True)
    except binascii.Error as fault:
        raise BadTus(_("The header Upload-Checksum cannot be read.")) from fault
    if len(digest) != ALGORITHMS[algorithm]().digest_size:
        raise BadTus(_("The header Upload-Checksum cannot be read."))
    return Checksum(algorithm, digest)


def expires(at: datetime) -> str:
    """An instant as `Upload-Expires` writes it (RFC 9110 IMF-fixdate)."""
    return format_datetime(at, usegmt=True)


def offered(max_bytes: int) -> dict[str, str]:
    """The answer to OPTIONS: what this server can do."""
    return {
        "Tus-Resumable": VERSION,
        "Tus-Version": VERSION,
        "Tus-Extension": ",".join(EXTENSIONS),
        "Tus-Max-Size": str(max_bytes),
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
    }
