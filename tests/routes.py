"""Walks every route of the app, included routers and bare Starlette routes alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from app.accounts.permissions import Permission
from app.web.guard import declared


@dataclass(frozen=True)
class Walked:
    """One route as a request meets it: whole path, methods, and the permissions declared on the way to it."""

    path: str
    methods: frozenset[str]
    endpoint: Any
    permissions: tuple[Permission, ...]

    @property
    def permission(self) -> Permission:
        """The strictest declared one: a router's STAFF is not undone by a route's own mark."""
        assert self.permissions, f"{self.path} declares no permission"
        order = list(Permission)
        return max(self.permissions, key=order.index)


def walk(app: FastAPI) -> Iterator[Walked]:
    """Every route of `app`."""
    for context in iter_route_contexts(app.router.routes):
        dependencies = list(getattr(context, "dependencies", None) or [])
        endpoint = context.endpoint
        yield Walked(
            path=str(context.path),
            methods=frozenset(context.methods or ()),
            endpoint=endpoint,
            permissions=tuple(declared(dependencies, endpoint)),
        )
