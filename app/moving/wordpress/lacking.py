"""Why a file of the old site is not here, in words for the report."""

from app.i18n import _

LARGEST_BYTES = 40_000_000


class Lacking(Exception):
    """The file is not to be had; the message says why in a few words."""


class Absent(Lacking):
    """Nothing is of that name there; under another one it may be."""


class Silent(Lacking):
    """There is no telling whether it is there: nobody answered in time."""


class Busy(Silent):
    """It asks to be asked later, in so many seconds."""

    def __init__(self, why: str, wait_s: float) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class Postponed(Lacking):
    """It was not asked for yet: this run writes nothing."""


def too_large() -> Lacking:
    return Lacking(_("larger than 40 MB"))


_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_RECORDINGS = (b"OggS", b"fLaC", b"FORM", b".snd")
_TEXTS = (b"<!doctype html", b"<html", b"<head", b"<body")
_ARCHIVES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")


def said_of(data: bytes, otherwise: str) -> str:
    """What a file is that cannot be used as a picture or a hand-out; `otherwise` where nobody can tell."""
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not data:
        return _("the file is empty")
    if start.startswith(_TEXTS):
        return _("this is a web page and not the file")
    if b"<svg" in data[:100_000].lower() and start.startswith(b"<"):
        return _("an SVG drawing cannot be used here; please save it as PNG and send that")
    if data[4:8] == b"ftyp" and data[8:11] in (b"mp4", b"iso", b"avc", b"M4V", b"qt ", b"3gp", b"3g2"):
        return _film()
    if data.startswith((b"\x1aE\xdf\xa3", b"FLV", b"0&\xb2u")) or data[8:12] == b"AVI ":
        return _film()
    if data.startswith(_RECORDINGS) or data[8:12] == b"WAVE":
        return _("a recording that not every browser plays; please save it as MP3 and send that")
    if data.startswith(_ARCHIVES):
        return _("a document or an archive; please save it as PDF and send that")
    # `otherwise` says it better of a picture that is whole.
    is_picture = (
        data.startswith(_PICTURES) or data[8:12] == b"WEBP" or data[4:12] in (b"ftypavif", b"ftypheic")
    )
    if is_picture and otherwise == _("this is no picture that can be read"):
        return _("the picture is damaged, or its end is missing")
    return otherwise


def _film() -> str:
    return _("a film; please upload it under Videos")
