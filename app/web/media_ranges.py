"""Which bytes of a file a player asks for."""

import re

RANGE = re.compile(r"(?P<first>[0-9]{0,18})-(?P<last>[0-9]{0,18})\Z")


def ranges_in(asked: str) -> list[tuple[str, str]]:
    """(first, last) of each range as written, one of them may be ""; empty for another unit or a malformed header.

    Source: RFC 9110, 14.2 (such a header is ignored)
    """
    unit, _equals, listed = asked.partition("=")
    found = (
        [RANGE.match(part.strip()) for part in listed.split(",")] if unit.strip().lower() == "bytes" else []
    )
    spans = [(one["first"], one["last"]) for one in found if one]
    backwards = any(first and last and int(first) > int(last) for first, last in spans)
    return [] if len(spans) != len(found) or ("", "") in spans or backwards else spans


def span_of(first: str, last: str, size: int) -> tuple[int, int] | None:
    """First byte and length of a single range; None when nothing of it is there.

    Source: RFC 9110, 14.1.2
    """
    if not first:
        length = min(int(last), size)
        return (size - length, length) if length else None
    end = min(int(last), size - 1) if last else size - 1
    return (int(first), end - int(first) + 1) if int(first) <= end else None
