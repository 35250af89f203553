"""Hold requests and objects against Stripe's published specification, where it lies at hand.

`../shared/stripe` beside the checkout has it; elsewhere only the SDK's own types are asked.
Requests are read strictly (an unknown nested name is a problem), objects openly (Stripe adds to
them).
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from tests.payments import sdk_types

Json = dict[str, Any]
FOLDER = Path(__file__).parents[3] / "shared" / "stripe"
_FORM = "application/x-www-form-urlencoded"
_DROPPED = {"description", "discriminator", "format", "nullable", "title"}
_VERBATIM = {"default", "enum", "example", "maxLength", "pattern", "required", "type"}


@cache
def spec() -> Spec | None:
    """The specification, or None where it is not at hand."""
    files = sorted(FOLDER.glob("stripe-trimmed.*.json"))
    overlays = sorted(FOLDER.glob("endive-overlay.*.json"))
    if not files or not overlays:
        return None
    return Spec(json.loads(files[-1].read_text()), json.loads(overlays[-1].read_text()))


def check_request_params(operation: str, params: Json) -> list[str]:
    """Problems of Python parameters, as handed to the SDK, of e.g. `POST /v1/refunds`."""
    problems = sdk_types.params_problems(operation, params)
    published = spec()
    if published:
        problems += published.params_problems(operation, params)
    return problems


def check_object(obj: Json) -> list[str]:
    """Problems of an object (or list, or event) as Stripe would answer or deliver it."""
    if obj["object"] == "list":
        return [problem for member in obj["data"] for problem in check_object(member)]
    published = spec()
    problems = published.object_problems(obj) if published else []
    if obj["object"] == "event":
        return problems + check_object(obj["data"]["object"])
    return problems + sdk_types.object_problems(obj)


def check_encoded_request(method: str, path: str, tree: Json) -> list[str]:
    """Problems of a request as it arrived: a decoded form whose values are all text."""
    published = spec()
    return published.encoded_problems(method, path, tree) if published else []


class Spec:
    """Stripe's OpenAPI document, with the later version's differences laid over it."""

    def __init__(self, document: Json, overlay: Json) -> None:
        self.version: str = overlay["version"]
        self._paths: Json = document["paths"]
        for operation, change in overlay["requests"].items():
            schema = self._schema(operation)
            for name in change["remove"]:
                schema["properties"].pop(name, None)
            schema["properties"].update(change["add"])
        schemas = document["components"]["schemas"]
        for name, added in overlay["objects"].items():
            for field in added:
                schemas[name]["properties"].setdefault(field, {})
        converted = {name: _converted(schema, closed=False) for name, schema in schemas.items()}
        self._named = {
            schema["properties"]["object"]["enum"][0]: name
            for name, schema in schemas.items()
            if "enum" in schema.get("properties", {}).get("object", {})
            and not name.startswith("deleted_")
        }
        root = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        resource = Resource.from_contents({**root, "components": {"schemas": converted}})
        self._registry: Any = Registry().with_resource("urn:stripe", resource)

    def params_problems(self, operation: str, params: Json) -> list[str]:
        return self._problems(_converted(self._schema(operation), closed=True), params)

    def encoded_problems(self, method: str, path: str, tree: Json) -> list[str]:
        operation = f"{method} {self._template(path)}"
        schema = _converted(self._schema(operation), closed=True)
        return [f"{operation}: {one}" for one in self._problems(schema, self._typed(tree, schema))]

    def object_problems(self, obj: Json) -> list[str]:
        name = self._named.get(obj["object"])
        if name is None:
            return [f"spec: no object {obj['object']!r}"]
        problems = self._problems({"$ref": f"urn:stripe#/components/schemas/{name}"}, obj)
        return [f"spec: {obj['object']}: {problem}" for problem in problems]

    def _template(self, path: str) -> str:
        fitting = [
            template
            for template in self._paths
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
        ]
        return min(fitting, key=lambda template: template.count("{"))

    def _schema(self, operation: str) -> Json:
        """The form of a POST, or the query of a GET, as one object schema."""
        method, template = operation.split()
        described = self._paths[template][method.lower()]
        content = described.get("requestBody", {}).get("content", {}).get(_FORM)
        if content:
            return content["schema"]
        asked = [one for one in described.get("parameters", []) if one["in"] == "query"]
        return {
            "type": "object",
            "properties": {one["name"]: one["schema"] for one in asked},
            "required": [one["name"] for one in asked if one.get("required")],
            "additionalProperties": False,
        }

    def _validator(self, schema: Json) -> Draft202012Validator:
        return Draft202012Validator(schema, registry=self._registry)

    def _problems(self, schema: Json, value: Json) -> list[str]:
        return sorted({_told(error) for error in self._validator(schema).iter_errors(value)})

    def _typed(self, value: Any, schema: Json) -> Any:
        """Give text its type where the schema wants another: forms carry nothing but text."""
        if "$ref" in schema:
            schema = self._registry.resolver("urn:stripe").lookup(schema["$ref"]).contents
        for branch in schema.get("anyOf", []):
            candidate = self._typed(value, branch)
            if self._validator(branch).is_valid(candidate):
                return candidate
        if isinstance(value, dict):
            if schema.get("type") == "array":
                return [self._typed(one, schema["items"]) for one in value.values()]
            known = schema.get("properties", {})
            return {key: self._typed(one, known.get(key, {})) for key, one in value.items()}
        if schema.get("type") == "integer" and re.fullmatch(r"-?\d+", value):
            return int(value)
        if schema.get("type") == "boolean" and value in ("true", "false"):
            return value == "true"
        return value


def _converted(schema: Any, *, closed: bool) -> Any:
    """OpenAPI 3.0 as JSON Schema 2020-12: `nullable` becomes a type, references are absolute."""
    if isinstance(schema, list):
        return [_converted(one, closed=closed) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": "urn:stripe#" + schema["$ref"][1:]}
    kept = {
        key: value
        for key, value in schema.items()
        if key not in _DROPPED and not key.startswith("x-")
    }
    out: Json = {
        key: value if key in _VERBATIM else _converted(value, closed=closed)
        for key, value in kept.items()
    }
    if "properties" in kept:  # a property may be called like a keyword
        fields = kept["properties"].items()
        out["properties"] = {name: _converted(one, closed=closed) for name, one in fields}
    if closed and out.get("type") == "object" and out.get("properties"):
        out.setdefault("additionalProperties", False)
    if schema.get("nullable"):
        return {"anyOf": [out, {"type": "null"}]}
    return out


def _told(error: Any) -> str:
    while error.context:  # of several branches, the one that went deepest is the one meant
        deepest = max(error.context, key=lambda one: len(one.absolute_path))
        if len(deepest.absolute_path) <= len(error.absolute_path):
            break
        error = deepest
    return f"{'.'.join(map(str, error.absolute_path)) or '(all)'}: {error.message[:160]}"
