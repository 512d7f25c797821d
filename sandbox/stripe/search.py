"""Stripe's search language, as far as integrations use it: clauses joined by AND, or by OR.

Source: https://docs.stripe.com/search#search-query-language
"""

import re
from typing import Any

from sandbox.stripe.api import Call
from sandbox.stripe.errors import StripeFault

Json = dict[str, Any]

_CLAUSE = re.compile(
    r"""\s*(?P<minus>-?)(?P<field>[a-z_.]+)(?:\[['"](?P<key>[^'"]+)['"]\])?\s*(?P<sign>:|~|<=|>=|<|>)\s*"""
    r"""(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'|(?P<bare>null|[0-9.]+))\s*"""
)
_JOIN = re.compile(r"\s*(AND|OR)\s+", re.IGNORECASE)
_COMPARE = {"<": "<", ">": ">", "<=": "<=", ">=": ">="}


def search_answer(call: Call, kind: str, url: str) -> Json:
    """One page of what a query finds, newest first; `page` is the last id of the page before."""
    params = call.params
    sql, values = to_sql(params.need_str("query"))
    limit = params.take_int("limit", 10) or 10
    rows, has_more = call.world.store.page(
        kind,
        {},
        limit=limit,
        after=params.take_str("page"),
        before=None,
        extra=f"({sql})",
        extra_values=tuple(values),
    )
    return {
        "object": "search_result",
        "data": [row.body for row in rows],
        "has_more": has_more,
        "next_page": rows[-1].id if has_more else None,
        "url": url,
    }


def to_sql(query: str) -> tuple[str, list[object]]:
    """A condition over the stored body.

    Raises:
        StripeFault: for a query that cannot be read, or one that mixes AND and OR.
    """
    parts: list[str] = []
    values: list[object] = []
    joins: set[str] = set()
    rest = query
    while True:
        match = _CLAUSE.match(rest)
        if match is None:
            raise StripeFault(f"We were unable to parse your search query near: {rest!r}", param="query")
        part, found = _condition(match)
        parts.append(part)
        values.extend(found)
        rest = rest[match.end() :]
        if not rest:
            break
        join = _JOIN.match(rest)
        if join is None:
            raise StripeFault(f"We were unable to parse your search query near: {rest!r}", param="query")
        joins.add(join[1].upper())
        rest = rest[join.end() :]
    if len(joins) > 1:
        raise StripeFault("A search query cannot mix AND and OR.", param="query")
    return f" {joins.pop() if joins else 'AND'} ".join(parts), values


def _condition(match: re.Match[str]) -> tuple[str, list[object]]:
    path = match["field"] + (f'."{match["key"]}"' if match["key"] else "")
    field = f"json_extract(body, '$.{path}')" if "'" not in path else "NULL"
    quoted = match["double"] if match["double"] is not None else match["single"]
    text = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else match["bare"]
    negated = "NOT " if match["minus"] else ""
    if match["bare"] == "null":
        return f"{negated}{field} IS NULL", []
    if match["sign"] == "~":
        return f"{negated}instr(lower({field}), lower(?)) > 0", [text]
    if match["sign"] in _COMPARE:
        return f"{negated}{field} {match['sign']} ?", [float(text)]
    if text in ("true", "false"):
        return f"{negated}{field} IS ?", [int(text == "true")]
    return f"{negated}lower(CAST({field} AS TEXT)) IS lower(?)", [text]
