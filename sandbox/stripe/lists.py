"""Answer list calls: filters, cursors and the list envelope.

Source: https://docs.stripe.com/api/pagination
"""

from collections.abc import Mapping
from typing import Any

from sandbox.stripe.api import Call
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.params import Params

Json = dict[str, Any]

_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def envelope(data: list[Json], url: str, has_more: bool = False) -> Json:
    """A list object."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def answer_list(
    call: Call,
    kind: str,
    url: str,
    where: Mapping[str, object],
    *,
    extra: str = "",
    extra_values: tuple[object, ...] = (),
    created: bool = True,
) -> Json:
    """One page of the living objects of a kind, newest first, as the call's cursors ask."""
    params = call.params
    limit = params.take_int("limit", 10) or 0
    if not 1 <= limit <= 100:
        raise StripeFault("Limit must be between 1 and 100.", code="parameter_invalid_integer", param="limit")
    after, before = params.take_str("starting_after"), params.take_str("ending_before")
    if after and before:
        raise StripeFault("You can only use one of starting_after and ending_before.", param="ending_before")
    if created:
        more, values = _created(params)
        extra = " AND ".join(part for part in (extra, more) if part)
        extra_values = (*extra_values, *values)
    rows, has_more = call.world.store.page(
        kind, where, limit=limit, after=after, before=before, extra=extra, extra_values=extra_values
    )
    return envelope([row.body for row in rows], url, has_more)


def _created(params: Params) -> tuple[str, tuple[object, ...]]:
    field = "json_extract(body, '$.created')"
    if not isinstance(params.take_anything("created"), dict):
        exact = params.take_int("created")
        return ("", ()) if exact is None else (f"{field} = ?", (exact,))
    bounds = params.take_hash("created")
    parts, values = [], []
    for name, sign in _COMPARISONS.items():
        value = bounds.take_int(name) if bounds is not None else None
        if value is not None:
            parts.append(f"{field} {sign} ?")
            values.append(value)
    return " AND ".join(parts), tuple(values)
