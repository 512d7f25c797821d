"""Read a call's parameters by type, and refuse those that nobody read."""

from typing import Any

from sandbox.stripe.errors import StripeFault

Json = dict[str, Any]


class Params:
    """A hash of parameters. Each `take_…` marks its name as known; `close()` refuses the rest, so that a
    misspelt parameter is an error here as it is at Stripe."""

    def __init__(self, values: Json, path: str = "") -> None:
        self._values = values
        self._path = path
        self._known: set[str] = set()
        self._children: list[Params] = []

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def full_name(self, name: str) -> str:
        """The name as it stands in the form, such as `recurring[interval]`."""
        return f"{self._path}[{name}]" if self._path else name

    def raw(self, name: str) -> Any:
        """The undecoded value, or None."""
        self._known.add(name)
        return self._values.get(name)

    def replace(self, name: str, value: str) -> None:
        """Read another value than the one that was sent."""
        self._values = {**self._values, name: value}

    def take_str(self, name: str, default: str | None = None) -> str | None:
        """A string; the empty string, which is how a form unsets a field, reads as None."""
        value = self.raw(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self._bad(name, "Invalid string")
        return value or None

    def need_str(self, name: str) -> str:
        """A string that must be there.

        Raises:
            StripeFault: `parameter_missing`.
        """
        value = self.take_str(name)
        if value is None:
            full = self.full_name(name)
            raise StripeFault(f"Missing required param: {full}.", code="parameter_missing", param=full)
        return value

    def take_choice(self, name: str, choices: tuple[str, ...], default: str | None = None) -> str | None:
        """One of some words."""
        value = self.take_str(name, default)
        if value is not None and value not in choices:
            raise self._bad(name, f"Invalid {name}: must be one of {', '.join(choices)}")
        return value

    def take_int(self, name: str, default: int | None = None) -> int | None:
        """A whole number."""
        value = self.raw(name)
        if value is None or value == "":
            return default
        try:
            return int(value)
        except (TypeError, ValueError):
            raise self._bad(name, f"Invalid integer: {value}", "parameter_invalid_integer") from None

    def take_bool(self, name: str, default: bool | None = None) -> bool | None:
        """`true` or `false`."""
        value = self.raw(name)
        if value is None or value == "":
            return default
        if value not in ("true", "false"):
            raise self._bad(name, f"Invalid boolean: {value}")
        return bool(value == "true")

    def take_list(self, name: str) -> list[Any]:
        """A list of leaves; absent or unset reads as empty."""
        value = self.raw(name)
        if value is None or value == "":
            return []
        if not isinstance(value, list):
            raise self._bad(name, "Invalid array")
        return value

    def take_hash(self, name: str) -> "Params | None":
        """A nested hash, or None when absent or unset."""
        value = self.raw(name)
        if value is None or value == "":
            return None
        if not isinstance(value, dict):
            raise self._bad(name, "Invalid object")
        return self._child(value, self.full_name(name))

    def take_hashes(self, name: str) -> list["Params"]:
        """A list of nested hashes."""
        found = []
        for index, value in enumerate(self.take_list(name)):
            if not isinstance(value, dict):
                raise self._bad(name, "Invalid array")
            found.append(self._child(value, f"{self.full_name(name)}[{index}]"))
        return found

    def take_anything(self, name: str) -> Any:
        """A value of any shape that this stand-in only keeps or ignores; its inside is not checked."""
        return self.raw(name)

    def ignore(self, *names: str) -> None:
        """Accept parameters that change nothing here."""
        self._known.update(names)

    def merge_metadata(self, current: Json | None = None, name: str = "metadata") -> Json:
        """Metadata after this call: keys are merged, an empty value removes its key, an empty hash all."""
        value = self.raw(name)
        if value is None:
            return dict(current or {})
        if value == "":
            return {}
        if not isinstance(value, dict) or any(not isinstance(entry, str) for entry in value.values()):
            raise self._bad(name, "Invalid metadata: keys and values must be strings")
        merged = {**(current or {}), **value}
        return {key: entry for key, entry in merged.items() if entry != ""}

    def close(self) -> None:
        """Refuse what was not read.

        Raises:
            StripeFault: `parameter_unknown`.
        """
        for name in self._values:
            if name not in self._known:
                full = self.full_name(name)
                raise StripeFault(f"Received unknown parameter: {full}", code="parameter_unknown", param=full)
        for child in self._children:
            child.close()

    def _child(self, value: Json, path: str) -> "Params":
        child = Params(value, path)
        self._children.append(child)
        return child

    def _bad(self, name: str, message: str, code: str | None = None) -> StripeFault:
        return StripeFault(message, code=code, param=self.full_name(name))
