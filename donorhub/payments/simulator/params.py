"""Read a form-encoded request the way Stripe does, and refuse what it would refuse.

A shape is a dict from a parameter's name to what it takes: `Text`, `Whole`, `Flag`, `Pairs`
(metadata), `Many(shape)`, or a nested shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from .errors import ApiError, Json, bad_parameter, missing_parameter, unknown_parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

_METADATA_PAIRS = 50
_METADATA_KEY = 40
_METADATA_VALUE = 500


@dataclass(frozen=True, slots=True)
class Text:
    """A string, optionally one of a closed list, at most `longest` characters."""

    longest: int = 5000
    one_of: tuple[str, ...] = ()
    required: bool = False

    def read(self, value: Any, name: str) -> str:
        """The string, or an ApiError."""
        if not isinstance(value, str):
            raise bad_parameter(name=name, message=f"Invalid string: {name}")
        if value == "" and self.required:
            message = f"You passed an empty string for '{name}'."
            raise bad_parameter(name=name, message=message, code="parameter_invalid_empty")
        if len(value) > self.longest:
            message = f"Invalid string: {name} must be at most {self.longest} characters"
            raise bad_parameter(name=name, message=message)
        if self.one_of and value not in self.one_of:
            allowed = ", ".join(self.one_of)
            raise bad_parameter(name=name, message=f"Invalid {name}: must be one of {allowed}")
        return value


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number, as Stripe takes amounts and times."""

    required: bool = False

    def read(self, value: Any, name: str) -> int:
        """The number, or an ApiError."""
        if isinstance(value, str) and value.removeprefix("-").isdecimal() and len(value) < 20:  # noqa: PLR2004
            return int(value)
        raise bad_parameter(
            name=name, message=f"Invalid integer: {value}", code="parameter_invalid_integer"
        )


@dataclass(frozen=True, slots=True)
class Flag:
    """`true` or `false`."""

    required: bool = False

    def read(self, value: Any, name: str) -> bool:
        """The boolean, or an ApiError."""
        if value not in ("true", "false"):
            raise bad_parameter(name=name, message=f"Invalid boolean: {value}")
        return bool(value == "true")


@dataclass(frozen=True, slots=True)
class Pairs:
    """Metadata: up to 50 pairs, keys of 40 characters, values of 500."""

    required: bool = False

    def read(self, value: Any, name: str) -> Json:
        """The pairs, or an ApiError."""
        if value == "":
            return {}
        if not isinstance(value, dict):
            raise bad_parameter(name=name, message=f"Invalid hash: {name}")
        if len(value) > _METADATA_PAIRS:
            raise bad_parameter(
                name=name, message=f"Metadata can have up to {_METADATA_PAIRS} keys"
            )
        for key, text in value.items():
            if not isinstance(text, str) or len(text) > _METADATA_VALUE:
                message = f"Metadata values can have up to {_METADATA_VALUE} characters"
                raise bad_parameter(name=f"{name}[{key}]", message=message)
            if len(key) > _METADATA_KEY:
                message = f"Metadata keys can have up to {_METADATA_KEY} characters"
                raise bad_parameter(name=f"{name}[{key}]", message=message)
        return {key: text for key, text in value.items() if text != ""}


@dataclass(frozen=True, slots=True)
class Many:
    """A list, each member of the given shape."""

    each: Any
    most: int = 100
    required: bool = False

    def read(self, value: Any, name: str) -> list[Any]:
        """The list, or an ApiError."""
        if isinstance(value, dict) and all(key.isdecimal() for key in value):
            if len(value) > self.most:
                raise bad_parameter(
                    name=name, message=f"Array {name} exceeded maximum {self.most} elements"
                )
            members = [value[key] for key in sorted(value, key=int)]
            return [
                _read_one(self.each, member, f"{name}[{index}]")
                for index, member in enumerate(members)
            ]
        raise bad_parameter(name=name, message=f"Invalid array: {name}")


@dataclass(frozen=True, slots=True)
class Span:
    """A time, or bounds of it: `created=5` or `created[gte]=5`."""

    required: bool = False

    def read(self, value: Any, name: str) -> Json:
        """Bounds by name (`gte`, `gt`, `lte`, `lt`)."""
        if isinstance(value, str):
            at = Whole().read(value, name)
            return {"gte": at, "lte": at}
        bounds = {bound: Whole() for bound in ("gte", "gt", "lte", "lt")}
        return read_shape(bounds, value, within=name)


@dataclass(frozen=True, slots=True)
class Nested:
    """A hash that must be there."""

    shape: Mapping[str, Any]
    required: bool = True

    def read(self, value: Any, name: str) -> Json:
        """The hash, or an ApiError."""
        return read_shape(self.shape, value, within=name)


def decode(encoded: str) -> Json:
    """Turn `a[b][0]=c` into nested dicts; `a[]=c` numbers its members itself."""
    tree: Json = {}
    for key, value in parse_qsl(encoded, keep_blank_values=True):
        steps = key.replace("]", "").split("[") if "[" in key else [key]
        node = tree
        for step in steps[:-1]:
            node = node.setdefault(step or str(len(node)), {})
            if not isinstance(node, dict):
                raise bad_parameter(name=key, message=f"Invalid parameter: {key}")
        node[steps[-1] or str(len(node))] = value
    return tree


def read_shape(shape: Mapping[str, Any], tree: object, *, within: str = "") -> Json:
    """Check a decoded tree against a shape and give its values their types."""
    if not isinstance(tree, dict):
        raise bad_parameter(name=within, message=f"Invalid hash: {within}")
    values: Json = {}
    for key, raw in tree.items():
        name = f"{within}[{key}]" if within else key
        if key not in shape:
            raise _refusal(name)
        values[key] = _read_one(shape[key], raw, name)
    for key, takes in shape.items():
        if not isinstance(takes, dict) and takes.required and key not in values:
            raise missing_parameter(name=f"{within}[{key}]" if within else key)
    return values


def _read_one(takes: Any, raw: object, name: str) -> Any:
    if isinstance(takes, dict):
        return read_shape(takes, raw, within=name)
    return takes.read(raw, name)


def _refusal(name: str) -> ApiError:
    if name.split("[", maxsplit=1)[0] == "payment_method_types":
        message = (
            "payment_method_types is no longer supported; use allowed_payment_method_types or "
            "manage payment methods in the Dashboard"
        )
        code = "payment_method_types_no_longer_supported"
        return bad_parameter(name="payment_method_types", message=message, code=code)
    return unknown_parameter(name=name)
