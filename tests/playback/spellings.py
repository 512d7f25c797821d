"""Addresses of streams as a thief, a broken client or a fuzzer would spell them, from one that is good."""

import base64
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID, uuid4

from app.keys import KeyRing
from app.playback import tokens

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
ODD = [
    *(
        "%00",
        "\0",
        "%",
        "%%",
        "%2",
        "%zz",
        "%0a",
        "%0d%0a",
        "%09",
        "%20",
        " ",
        "\t",
        "\x01",
        "\x7f",
        "%7f",
        "\x80",
    ),
    *(
        "\xe9",
        "\xff",
        "%c3%a9",
        "%C3%A9",
        "%ff",
        "%c0%ae",
        "%c0%af",
        "%e2%80%8b",
        "%ef%bc%8f",
        "%f0%9f%8e%ac",
        "%u0041",
    ),
    *(
        "/",
        "//",
        "/./",
        "/../",
        "..",
        ".",
        "...",
        "%2e",
        "%2E",
        "%2e%2e",
        "%2e%2e/",
        "..%2f",
        "%2f",
        "%2F",
        "%5c",
        "\\",
    ),
    *(
        ";",
        ";x=1",
        "%3b",
        "?",
        "?x=1",
        "%3f",
        "#",
        "%23",
        "&",
        "=",
        "+",
        "*",
        ":",
        "@",
        "!",
        "~",
        "'",
        '"',
        "<",
        "|",
        "^",
    ),
    *(
        "{",
        "}",
        "[",
        "]",
        ",",
        "$",
        "(",
        ")",
        "`",
        "%252e%252e%252f",
        "%252f",
        "%25",
        "A",
        "a",
        "0",
        "-",
        "_",
    ),
]
HEADERS: list[dict[str, object]] = [
    {"alg": "none"},
    {"alg": "None", "typ": "JWT"},
    {"alg": "HS256", "typ": "JWT"},
    {"alg": "HS256", "kid": "../../dev/null"},
    {"alg": "RS256", "jwk": {}},
]


@dataclass(frozen=True)
class Good:
    """Addresses that open: `/media/{token}/{video}/{version}/{path}` for each of `paths`; and what does not."""

    ring: KeyRing
    playback: UUID
    video: UUID
    version: int
    expires: int
    paths: tuple[str, ...]
    paid: UUID
    stopped: UUID

    @property
    def token(self) -> str:
        return tokens.sign(self.ring, self.playback, self.video, self.version, self.expires)

    @property
    def all(self) -> frozenset[str]:
        return frozenset(f"/media/{self.token}/{self.video}/{self.version}/{path}" for path in self.paths)

    def opens(self, target: str) -> bool:
        """Whether this may be served: what follows `?` or `#` is nobody's question, nor a space before `HTTP/1.1`."""
        return target.rstrip(" ").partition("?")[0].partition("#")[0] in self.all


def spellings(good: Good, count: int, seed: int) -> Iterator[str]:
    """`count` request targets, every kind in turn, the same for the same seed. None holds a line break.

    What does not begin with /media/ is a page that does not exist, and costs ten times as much to ask for: most of
    these are drawn anew.
    """
    dice = random.Random(seed)
    kinds: list[Callable[[Good, random.Random], str]] = [
        letters,
        letters,
        inserted,
        inserted,
        inserted,
        cased,
        encoded,
        cut,
        extended,
        moved,
        foreign,
        algorithms,
        numbers,
        whole,
    ]
    for number in range(count):
        kind = kinds[number % len(kinds)]
        target = kind(good, dice)
        while not target.startswith("/media/") and dice.random() < 0.8:
            target = kind(good, dice)
        yield target.replace("\r", "%0d").replace("\n", "%0a")


def _parts(good: Good, dice: random.Random) -> list[str]:
    return [good.token, str(good.video), str(good.version), *dice.choice(good.paths).split("/")]


def _joined(parts: list[str]) -> str:
    return "/media/" + "/".join(parts)


def _address(good: Good, dice: random.Random) -> str:
    return _joined(_parts(good, dice))


def letters(good: Good, dice: random.Random) -> str:
    """One to three letters of it are others, are gone, or were added."""
    text = list(_address(good, dice))
    for _again in range(dice.randint(1, 3)):
        at = dice.randrange(2, len(text))
        what = dice.random()
        if what < 0.6:
            text[at] = dice.choice(ALPHABET + "./")
        elif what < 0.8:
            del text[at]
        else:
            text.insert(at, dice.choice(ALPHABET + "./%"))
    return "".join(text)


def inserted(good: Good, dice: random.Random) -> str:
    """Something odd stands somewhere after the first slash, most often where a part begins or ends."""
    address = _address(good, dice)
    for _again in range(dice.choice((1, 1, 2))):
        seams = [at for at, letter in enumerate(address) if letter in "/."] + [len(address)]
        at = (
            dice.choice(seams) + dice.choice((0, 1))
            if dice.random() < 0.7
            else dice.randrange(2, len(address))
        )
        address = address[: max(2, at)] + dice.choice(ODD) + address[max(2, at) :]
    return address


def cased(good: Good, dice: random.Random) -> str:
    """A part, or a letter, in the other case."""
    parts = ["media", *_parts(good, dice)]
    at = dice.randrange(len(parts))
    if dice.random() < 0.5:
        parts[at] = parts[at].swapcase()
    else:
        letter = dice.randrange(len(parts[at]))
        parts[at] = parts[at][:letter] + parts[at][letter].swapcase() + parts[at][letter + 1 :]
    return "/" + "/".join(parts)


def encoded(good: Good, dice: random.Random) -> str:
    """Some letters percent-encoded, once or twice, in either case."""
    address = _address(good, dice)
    share = dice.choice((0.01, 0.05, 0.5, 1.0))
    shape: str = dice.choice(("%{:02x}", "%{:02X}", "%25{:02x}"))
    return address[0] + "".join(
        shape.format(ord(letter)) if dice.random() < share else letter for letter in address[1:]
    )


def cut(good: Good, dice: random.Random) -> str:
    """Cut off, at the end or in the middle of the token."""
    if dice.random() < 0.5:
        address = _address(good, dice)
        return address[: dice.randrange(2, len(address))]
    token = good.token
    parts = _parts(good, dice)
    parts[0] = (
        token[: dice.randrange(len(token))] if dice.random() < 0.5 else token[dice.randrange(1, len(token)) :]
    )
    return _joined(parts)


def extended(good: Good, dice: random.Random) -> str:
    """Longer than it should be, a little or far too much."""
    parts = _parts(good, dice)
    at = dice.randrange(len(parts))
    what = dice.choice(("A", "=", ".", "0", ".A", "%41", parts[at], "./", "é".encode().decode("latin-1")))
    parts[at] += what * dice.choice((1, 1, 1, 2, 10, 100, 400, 3000))
    return _joined(parts)


def moved(good: Good, dice: random.Random) -> str:
    """Parts that changed places, stand twice, are missing or empty."""
    parts = _parts(good, dice)
    at, other = dice.randrange(len(parts)), dice.randrange(len(parts))
    match dice.randrange(5):
        case 0:
            parts[at], parts[other] = parts[other], parts[at]
        case 1:
            parts.insert(at, parts[other])
        case 2:
            del parts[at]
        case 3:
            parts[at] = ""
        case _:
            parts.insert(at, dice.choice(("..", ".", "%2e%2e", "media", str(good.video))))
    return _joined(parts)


def foreign(good: Good, dice: random.Random) -> str:
    """Another film, version, playback or key, or an end that is past: each signed for itself, none for this."""
    parts = _parts(good, dice)
    other_ring = KeyRing.parse(f"{good.ring.signing[0]}:" + "another-secret-of-the-same-name-" * 2)
    signed: dict[str, Callable[[], str]] = {
        "key": lambda: tokens.sign(other_ring, good.playback, good.video, good.version, good.expires),
        "past": lambda: tokens.sign(
            good.ring, good.playback, good.video, good.version, dice.randrange(10**9)
        ),
        "nobody": lambda: tokens.sign(good.ring, uuid4(), good.video, good.version, good.expires),
        "stopped": lambda: tokens.sign(good.ring, good.stopped, good.video, good.version, good.expires),
        "paid": lambda: tokens.sign(good.ring, good.playback, good.paid, good.version, good.expires),
    }
    kind = dice.choice([*signed, "film", "version", "random film"])
    if kind in signed:
        parts[0] = signed[kind]()
        if kind == "paid":
            parts[1] = str(good.paid)
    elif kind == "version":
        parts[2] = str(dice.choice((2, 3, 0, 11, 999_999_999)))
    else:
        parts[1] = str(good.paid) if kind == "film" else str(uuid4())
    return _joined(parts)


def algorithms(good: Good, dice: random.Random) -> str:
    """A JSON web token, or something that names an algorithm, where ours stands."""
    parts = _parts(good, dice)
    kid, expires, sid, signature = good.token.split(".")

    def b64(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    body = b64({"sub": str(good.playback), "exp": good.expires, "video": str(good.video)})
    kid = dice.choice(("none", "None", "HS256", "null", "0", "m0", "", kid + " ", kid.upper(), "%6d1"))
    parts[0] = dice.choice(
        (
            f"{b64(dice.choice(HEADERS))}.{body}.",
            f"{b64(dice.choice(HEADERS))}.{body}.{signature}",
            f"{kid}.{expires}.{sid}.{signature}",
            f"{kid}.{expires}.{sid}.",
            f"{good.token.split('.')[0]}.{expires}.{sid}.{signature[:-1]}{dice.choice(ALPHABET)}",
            f"{good.token.split('.')[0]}.{expires}.{sid[:-1]}{dice.choice(ALPHABET)}.{signature}",
        )
    )
    return _joined(parts)


def numbers(good: Good, dice: random.Random) -> str:
    """Other spellings of the end, the version and the film that mean the same to a lenient reader."""
    parts = _parts(good, dice)
    kid, expires, sid, signature = good.token.split(".")
    end = dice.choice(("0", "+", "-", "%20", "0x", "_")) + expires if dice.random() < 0.5 else expires + "0"
    if dice.random() < 0.4:
        parts[0] = f"{kid}.{end}.{sid}.{signature}"
    elif dice.random() < 0.5:
        parts[2] = dice.choice(("01", "1.0", "+1", "1e0", "0x1", "%31", "1%20", "1_0", "-1", "", "%d9%a1"))
    else:
        parts[1] = dice.choice(
            (good.video.hex, f"%7b{good.video}%7d", f"urn:uuid:{good.video}", str(good.video).upper())
        )
    return _joined(parts)


def whole(good: Good, dice: random.Random) -> str:
    """The good address in other clothes: a query, a fragment, a way round; some of these open, at both doors."""
    address = _address(good, dice)
    rest = address.removeprefix("/media/")
    return dice.choice(
        (
            address,
            f"{address}?{dice.choice(ALPHABET)}={quote(dice.choice(ODD))}",
            f"{address}?../../../{good.paid}",
            f"{address}#{dice.choice(ALPHABET)}",
            f"/x/../media/{rest}",
            f"/./media/{rest}",
            f"//media/{rest}",
            f"/media//{rest}",
            f"/media/./{rest}",
            f"/%6dedia/{rest}",
            f"/media%2f{rest}",
            f"/Media/{rest}",
            f"/media-auth/{rest}",
            f"{address}/",
            f"{address}%00.jpg",
            f"{address};.m3u8",
        )
    )
