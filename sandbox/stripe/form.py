"""Decode and encode Stripe's nested form bodies: `items[0][price]=p` is `{"items": [{"price": "p"}]}`."""

import re
from typing import Any
from urllib.parse import parse_qsl

Json = dict[str, Any]

_KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_PART = re.compile(r"\[([^\[\]]*)\]")


class BadForm(ValueError):
    """Raised for a key that is not `name[part][part]`; carries the key."""


def decode(encoded: str) -> Json:
    """Decode a form body or a query string. Leaves stay strings; what they mean is the reader's business.

    Raises:
        BadForm: for a malformed key, or one that is both a value and a hash.
    """
    tree: Json = {}
    for key, value in parse_qsl(encoded, keep_blank_values=True):
        match = _KEY.match(key)
        if match is None:
            raise BadForm(key)
        _insert(tree, [match[1], *_PART.findall(match[2])], value, key)
    return {name: _listed(child) for name, child in tree.items()}


def _insert(tree: Json, path: list[str], value: str, key: str) -> None:
    node = tree
    for part in path[:-1]:
        # `items[][price]` appends; a repeated name inside the same entry starts the next one.
        if part == "":
            part = _open_entry(node, path[-1])
        child = node.setdefault(part, {})
        if not isinstance(child, dict):
            raise BadForm(key)
        node = child
    last = path[-1] if path[-1] != "" else str(len(node))
    node[last] = value


def _open_entry(node: Json, name: str) -> str:
    last = str(len(node) - 1)
    entry = node.get(last)
    return str(len(node)) if not isinstance(entry, dict) or name in entry else last


def _listed(node: Any) -> Any:
    """Turn hashes whose keys are all numbers into lists, in the order of the numbers."""
    if not isinstance(node, dict):
        return node
    if node and all(key.isdigit() for key in node):
        return [_listed(node[key]) for key in sorted(node, key=int)]
    return {key: _listed(child) for key, child in node.items()}
