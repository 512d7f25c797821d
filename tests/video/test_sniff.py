"""What a file's first bytes say."""

import pytest

from app.video import sniff


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        (b"", sniff.EMPTY),
        (b"\x89PNG\r\n\x1a\n\x00\x00", sniff.PICTURE),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", sniff.PICTURE),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", sniff.PICTURE),
        (b"\x00\x00\x00\x18ftypheic\x00\x00", sniff.PICTURE),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg">', sniff.PICTURE),
        (b"ID3\x04\x00", sniff.SOUND_ONLY),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", sniff.SOUND_ONLY),
        (b"#EXTM3U\n#EXTINF:6,\nfile:///etc/passwd\n", sniff.PLAYLIST),
        (b"\xef\xbb\xbf#EXTM3U\n", sniff.PLAYLIST),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", sniff.PLAYLIST),
        (b'<?xml version="1.0"?><MPD>', sniff.PLAYLIST),
        (b"%PDF-1.7", sniff.DOCUMENT),
        (b"PK\x03\x04", sniff.DOCUMENT),
        ("Liebe Grüße".encode(), sniff.TEXT),
        ("é".encode() * 2047 + "é".encode()[:1], sniff.TEXT),
        (b"\xff\xfeh\x00i\x00", sniff.TEXT),
        (b" \n\n ", sniff.TEXT),
    ],
)
def test_what_is_no_film_is_called_by_its_name(head: bytes, sentence: str) -> None:
    assert sniff.refusal(head) == sentence


@pytest.mark.parametrize(
    "head",
    [
        b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00",
        b"\x1a\x45\xdf\xa3\x01\x00\x00\x00",
        b"\x1a\x45\xdf\xa3\x01\x00\x00\x00 title: #EXT-X-ENDLIST <svg <mpd",
        b"RIFF\x00\x10\x00\x00AVI LIST",
        b"\x47\x40\x00\x10\x00\x00\xb0\x0d",
        b"\x00\x00\x01\xba\x44\x00",
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
        b"FLV\x01\x05\x00\x00\x00\x09",
    ],
)
def test_what_may_be_a_film_is_left_to_the_probe(head: bytes) -> None:
    assert sniff.refusal(head) is None
