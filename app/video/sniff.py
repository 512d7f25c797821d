"""Tell from a file's first bytes that it is no film, so that the refusal can say what it is instead."""

from app.i18n import N_

HEAD_BYTES = 4096

EMPTY = N_("This file is empty. Please choose the film again; the copy may have stopped before it began.")
PICTURE = N_("This is a picture, not a film. Please choose the film itself.")
SOUND_ONLY = N_("This file holds sound but no picture. Please choose the film itself.")
TEXT = N_("This is a text file, not a film, although its name may end like one.")
PLAYLIST = N_("This is a playlist that points to other files, not a film. Please choose the film itself.")
DOCUMENT = N_("This is a document or an archive, not a film. Please unpack it and choose the film inside.")

_PICTURES = (
    b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", b"II*\x00", b"MM\x00*", b"8BPS",
    b"\x00\x00\x01\x00", b"\xff\x0a", b"\x00\x00\x00\x0cJXL ",
)  # fmt: skip
_STILL_BRANDS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis", b"crx ")
_SOUNDS = (
    b"ID3",
    b"fLaC",
    b"\xff\xfb",
    b"\xff\xf3",
    b"\xff\xf2",
    b"\xff\xf1",
    b"\xff\xf9",
    b"FORM",
    b"MThd",
    b"#!AMR",
)
_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"[playlist]", b"[Reference]", b"RTSPtext", b"<asx", b"<MPD", b"<smil")
_DOCUMENTS = (b"%PDF", b"PK\x03\x04", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"{\\rtf")


def refusal(head: bytes) -> str | None:
    """The sentence for a file that begins with `head` and is surely no film, else None."""
    if not head:
        return EMPTY
    return _by_signature(head) or _by_words(head)


def _by_signature(head: bytes) -> str | None:
    if head.startswith(_PICTURES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return PICTURE
    if head[4:8] == b"ftyp" and head[8:12] in _STILL_BRANDS:
        return PICTURE
    if head.startswith(_SOUNDS) or (head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE"):
        return SOUND_ONLY
    return DOCUMENT if head.startswith(_DOCUMENTS) else None


def _by_words(head: bytes) -> str | None:
    words = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    # What a film's metadata holds is not what the film is: only a text is looked into.
    lower = b"" if b"\x00" in head else words[:1024].lower()
    if words.startswith(_PLAYLISTS) or b"<mpd" in lower or b"<smil" in lower or b"#ext-x-" in lower:
        return PLAYLIST
    if b"<svg" in lower:
        return PICTURE
    return TEXT if _reads_as_text(words) else None


def _reads_as_text(head: bytes) -> bool:
    if not head:
        return True  # nothing but blanks
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if b"\x00" in head:
        return False
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        # The head may cut a letter in two.
        if error.start < len(head) - 4:
            return False
        text = head[: error.start].decode("utf-8")
    odd = sum(1 for letter in text if not letter.isprintable() and letter not in "\r\n\t\f")
    return odd * 50 <= len(text)
