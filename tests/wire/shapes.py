"""Description of each field by the models, in the words of docs/wire-protocol.md."""

import json
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel

from callsheet.wire import (
    CLIENT_MESSAGES,
    MAX_COORDINATE_M,
    MAX_INTEGER,
    MAX_JSON_DEPTH,
    SERVER_MESSAGES,
    ClientMessage,
    Reliable,
    Request,
)

_PATTERNS = {
    r"^[A-Za-z0-9_.:\-]+$": "id characters",
    r"^[A-Za-z0-9_.:\-]*$": "id characters",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "action name characters",
    r"^\d{1,5}\.\d{1,5}$": "`major.minor`",
}
_INTEGERS = {MAX_INTEGER: "2^53-1", 2**32 - 1: "2^32-1"}


class Row(NamedTuple):
    """One row of a field table, without its meaning."""

    field: str
    type: str
    need: str
    limits: str


def parts(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """The models of the objects inside a message, however deep, by name."""
    found: dict[str, type[BaseModel]] = {}

    def visit(annotation: Any) -> None:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found[annotation.__name__] = annotation
            found.update(parts(annotation))
        for argument in get_args(annotation):
            visit(argument)

    for field in model.model_fields.values():
        visit(field.annotation)
    return found


def all_parts() -> dict[str, type[BaseModel]]:
    found: dict[str, type[BaseModel]] = {}
    for message in [*CLIENT_MESSAGES.values(), *SERVER_MESSAGES.values()]:
        found.update(parts(message))
    return found


def rows(model: type[BaseModel]) -> list[Row]:
    """The field table of a model; ``type`` and ``seq`` are described once for all messages."""
    schema = model.model_json_schema(ref_template="{model}")
    required = schema.get("required", [])
    return [
        Row(name, *_type_and_limits(spec, required=name in required))
        for name, spec in schema.get("properties", {}).items()
        if name != "type" and not (name == "seq" and issubclass(model, Reliable))
    ]


def _type_and_limits(spec: dict[str, Any], *, required: bool) -> tuple[str, str, str]:
    default = spec.get("default")
    need = "required" if required else "optional"
    if not required and default is not None:
        need = f"`{json.dumps(default)}`"
    if "anyOf" in spec:
        others = [option for option in spec["anyOf"] if option != {"type": "null"}]
        spec = others[-1]  # error codes: an enum, or any string
    return _type(spec), need, _limits(spec)


def _type(spec: dict[str, Any]) -> str:
    if "$ref" in spec:
        return f"[{spec['$ref']}](#{spec['$ref'].lower()})"
    if "prefixItems" in spec:
        return "vec3"
    if spec["type"] == "array":
        return f"array of {_type(spec['items'])}"
    return str(spec["type"])


def _limits(spec: dict[str, Any]) -> str:
    if "enum" in spec:
        return ", ".join(f"`{value}`" for value in spec["enum"])
    if "prefixItems" in spec:
        return f"each {_number(-MAX_COORDINATE_M)} to {_number(MAX_COORDINATE_M)}"
    if spec.get("type") == "array":
        span = _span(spec.get("minItems"), spec.get("maxItems"), "items")
        each = _limits(spec["items"])
        return "; ".join(filter(None, [span, each and f"each {each}"]))
    if spec.get("type") == "string":
        span = _span(spec.get("minLength"), spec.get("maxLength"), "characters")
        return ", ".join(filter(None, [span, _PATTERNS.get(spec.get("pattern", ""))]))
    if spec.get("type") == "object":
        return f"nested at most {MAX_JSON_DEPTH} deep"
    low = spec.get("minimum")
    if "exclusiveMinimum" in spec:
        bounds = [f"above {_number(spec['exclusiveMinimum'])}"]
        return ", ".join([*bounds, f"at most {_number(spec['maximum'])}"])
    if low is None:
        return ""
    return f"{_number(low)} to {_number(spec['maximum'])}"


def direction(model: type[BaseModel]) -> str:
    """Roles that send it, and the kind of message it is."""
    if issubclass(model, ClientMessage):
        kind = ", request" if issubclass(model, Request) else ""
        return f"Client to server{kind}."
    return f"Server to client, {'reliable' if issubclass(model, Reliable) else 'unreliable'}."


def _span(low: int | None, high: int | None, unit: str) -> str:
    if high is None:
        return ""
    return f"{low} to {high:,} {unit}" if low else f"at most {high:,} {unit}"


def _number(value: float) -> str:
    if value in _INTEGERS:
        return _INTEGERS[int(value)]
    return f"{value:g}" if abs(value) >= 1e6 else f"{value:,}".removesuffix(".0")
