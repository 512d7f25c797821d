"""Stripe's error envelope: what goes wrong in a call, with its HTTP status.

Source: https://docs.stripe.com/api/errors
"""

from typing import Any

Json = dict[str, Any]


class StripeFault(Exception):
    """An answer that is not 200. Raising it inside a call rolls back everything that the call did,
    unless `keep` is set: a declined card leaves its charge and its events behind."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        keep: bool = False,
        extra: Json | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.keep = keep
        self.error: Json = {"message": message, "type": kind}
        if code is not None:
            self.error["code"] = code
            self.error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        if param is not None:
            self.error["param"] = param
        self.error.update(extra or {})


def missing(kind: str, object_id: str, param: str = "id") -> StripeFault:
    """404 as Stripe words it, for an id that names nothing."""
    return StripeFault(f"No such {kind}: '{object_id}'", status=404, code="resource_missing", param=param)


def missing_reference(kind: str, object_id: str, param: str) -> StripeFault:
    """400 as Stripe words it, for a parameter that names nothing (only the object in the path gives 404)."""
    return StripeFault(f"No such {kind}: '{object_id}'", code="resource_missing", param=param)
