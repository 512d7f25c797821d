"""Sets of names, written as one line of words. Pure."""


def names(words: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(words.split())
