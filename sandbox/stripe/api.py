"""One API call: who asks, in which version, with which parameters; run once, in one transaction.

Source: https://docs.stripe.com/api/authentication, /versioning and /idempotent_requests
"""

import asyncio
import copy
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.stripe import API_VERSION
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.expand import expand
from sandbox.stripe.form import BadForm, decode
from sandbox.stripe.params import Params
from sandbox.stripe.store import Store, new_id
from sandbox.stripe.trouble import Trouble
from sandbox.stripe.world import World, default_now

Json = dict[str, Any]

_KEY = re.compile(r"(sk|rk)_test_\w{4,}")
_IDEMPOTENCY_LIFE_S = 24 * 3600.0


@dataclass(frozen=True)
class Call:
    """What a handler gets: the world, the parameters, and the ids in the path."""

    world: World
    params: Params
    path: dict[str, str]


Handler = Callable[[Call], Json]
Operation = tuple[str, str, Handler]


class Contract(Protocol):
    """Judges calls and answers against Stripe's own document, where that document is at hand."""

    def check_request(self, method: str, template: str, query: Json, form: Json) -> str | None:
        """A complaint about the parameters, or None."""

    def check_answer(self, method: str, template: str, answer: Json) -> str | None:
        """A complaint about the answer, or None."""


@dataclass
class Api:
    """All operations over one store."""

    store: Store
    real_now: Callable[[], float]
    after_call: Callable[[], None]
    contract: Contract | None = None
    trouble: list[Trouble] = field(default_factory=list)
    _under_way: set[str] = field(default_factory=set)

    def routes(self, operations: list[Operation]) -> list[Route]:
        """A Starlette route for each operation."""
        return [self._route(*operation) for operation in operations]

    def world(self, base_url: str, request_id: str | None = None, key: str | None = None) -> World:
        """The world now, on the default clock. Call it inside a transaction."""
        now = default_now(self.store, self.real_now)
        return World(self.store, now, now, base_url, None, request_id, key)

    def _route(self, method: str, template: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            request_id = new_id("req", 14)
            body = (await request.body()).decode("utf-8", "replace")
            headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION}
            trouble = self._met(request.url.path)
            try:
                _authenticate(request)
                _check_version(request)
                with self._in_turn(request):
                    if trouble is not None and trouble.delay_s:
                        await asyncio.sleep(trouble.delay_s)
                    if trouble is not None and trouble.status is not None and not trouble.after:
                        return JSONResponse(trouble.error, trouble.status, headers)
                    status, answer, replayed = self._run(request, method, template, handler, body, request_id)
            except StripeFault as fault:
                status, answer, replayed = fault.status, {"error": fault.error}, False
            if trouble is not None and trouble.status is not None:
                status, answer = trouble.status, trouble.error
            if replayed:
                headers["Idempotent-Replayed"] = "true"
            key = request.headers.get("idempotency-key")
            if key:
                headers["Idempotency-Key"] = key
            self.after_call()
            return JSONResponse(answer, status_code=status, headers=headers)

        return Route(template, endpoint, methods=[method])

    def _met(self, path: str) -> Trouble | None:
        """The trouble that this call gets into, if any is left for it."""
        for trouble in self.trouble:
            if path.startswith(trouble.path):
                trouble.times -= 1
                if trouble.times == 0:
                    self.trouble.remove(trouble)
                return trouble
        return None

    @contextmanager
    def _in_turn(self, request: Request) -> Iterator[None]:
        """A key serves one call at a time.

        Raises:
            StripeFault: 409, while another call with the same key is under way.
        """
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        if key is None:
            yield
            return
        if key in self._under_way:
            raise StripeFault(
                "There is currently another in-progress request using this Stripe-Account and Idempotency Key "
                f"(that probably means you submitted twice, and the other request is still going through): {key}.",
                status=409,
                kind="idempotency_error",
                code="idempotency_key_in_use",
            )
        self._under_way.add(key)
        try:
            yield
        finally:
            self._under_way.discard(key)

    def _run(
        self, request: Request, method: str, template: str, handler: Handler, body: str, request_id: str
    ) -> tuple[int, Json, bool]:
        key = request.headers.get("idempotency-key") if method == "POST" else None
        if key is not None and len(key) > 255:
            raise StripeFault("Idempotency keys may be at most 255 characters long.")
        fingerprint = hashlib.sha256(f"{method} {request.url.path}\n{body}".encode()).hexdigest()
        kept: StripeFault | None = None
        with self.store.transaction():
            if key is not None and (known := self._replay(key, fingerprint)):
                return known
            world = self.world(str(request.base_url).rstrip("/"), request_id, key)
            try:
                status, answer = 200, self._answer(request, method, template, handler, body, world)
            except StripeFault as fault:
                if not fault.keep:
                    raise
                kept = fault
                status, answer = kept.status, {"error": kept.error}
            if key is not None:
                self.store.connection.execute(
                    "INSERT INTO idempotency VALUES (?, ?, ?, ?, ?)",
                    (key, fingerprint, status, json.dumps(answer), time.time()),
                )
        return status, answer, False

    def _answer(
        self, request: Request, method: str, template: str, handler: Handler, body: str, world: World
    ) -> Json:
        query, form = _decode(request.url.query), _decode(body)
        if self.contract is not None:
            complaint = self.contract.check_request(method, template, query, form)
            if complaint is not None:
                raise StripeFault(f"Not as Stripe's document has it: {complaint}", code="parameter_invalid")
        params = Params({**query, **form})
        paths = params.take_list("expand")
        answer = copy.deepcopy(handler(Call(world, params, dict(request.path_params))))
        params.close()
        answer = expand(self.store, answer, paths)
        if self.contract is not None:
            complaint = self.contract.check_answer(method, template, answer)
            if complaint is not None:
                raise StripeFault(
                    f"The stand-in's own answer is wrong: {complaint}", status=500, kind="api_error"
                )
        return answer

    def _replay(self, key: str, fingerprint: str) -> tuple[int, Json, bool] | None:
        connection = self.store.connection
        connection.execute("DELETE FROM idempotency WHERE made_at < ?", (time.time() - _IDEMPOTENCY_LIFE_S,))
        found = connection.execute(
            "SELECT fingerprint, status, answer FROM idempotency WHERE key = ?", (key,)
        ).fetchone()
        if found is None:
            return None
        if found[0] != fingerprint:
            raise StripeFault(
                "Keys for idempotent requests can only be used with the same parameters they were first used "
                f"with. Try using a key other than '{key}' if you meant to execute a different request.",
                kind="idempotency_error",
            )
        return int(found[1]), json.loads(found[2]), True


def _decode(encoded: str) -> Json:
    try:
        return decode(encoded)
    except BadForm as error:
        raise StripeFault(f"Invalid request: cannot read the parameter {error}", param=str(error)) from None


def _authenticate(request: Request) -> None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise StripeFault(
            "You did not provide an API key. You need to provide your API key in the Authorization header, "
            "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            status=401,
        )
    if not _KEY.fullmatch(key):
        raise StripeFault(f"Invalid API Key provided: {key[:7]}****", status=401)


def _check_version(request: Request) -> None:
    version = request.headers.get("stripe-version", API_VERSION)
    if version != API_VERSION:
        raise StripeFault(
            f"This stand-in speaks Stripe API version {API_VERSION} only; the call asked for {version}."
        )
