"""Writes the message tables of the Godot core from the pydantic models.

python sdk_godot/tools/generate_messages.py          # writes
python sdk_godot/tools/generate_messages.py --check  # exit status 1 if a file is out of date
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel

from callsheet.wire import codec, errors, fields

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "sdk_python" / "tools"))

from message_shapes import (  # noqa: E402
    MODULES,
    SMALLEST,
    Member,
    Shape,
    is_message,
    members,
    models_of,
)

MESSAGES = ROOT / "sdk_godot" / "addons" / "callsheet" / "core" / "messages"
HEADER = (
    "@tool\n"
    "extends RefCounted\n"
    "## {}\n"
    "##\n"
    "## Generated from sdk_python/callsheet/wire by sdk_godot/tools/generate_messages.py;\n"
    "## do not edit.\n"
    "\n"
)
FIELD = 'const Field := preload("field.gd")\n\n'
MESSAGE_FIELDS = "## Type of a message -> its fields, in their order on the wire.\n"
OWN_CODES = ("connection_failed", "session_lost")
"""Codes of what the client finds by itself: both are of the session's branch."""


def literal(value: object) -> str:
    """Write a constant of GDScript."""
    if isinstance(value, tuple):
        return f"[{', '.join(literal(float(item)) for item in value)}]"
    return json.dumps(value)


def bound(value: float | None, none: str, kind: type[int] | type[float]) -> str:
    return none if value is None else literal(kind(value))


def limits(shape: Shape) -> list[str]:
    """List what a field's row says of its values, after kind, presence and default."""
    match shape.kind:
        case "text":
            form = f"Field.Form.{shape.form.upper().replace(' ', '_')}"
            return [bound(shape.low, "0", int), bound(shape.high, "Field.NO_END", int), form]
        case "integer" | "handle":
            return [bound(shape.low, "Field.LEAST", int), bound(shape.high, "Field.NO_END", int)]
        case "real":
            low = bound(shape.low, "-INF", float)
            least = "Field.ABOVE_ZERO" if shape.low == SMALLEST else low
            return [least, bound(shape.high, "INF", float)]
        case "vector":
            return [bound(shape.low, "-INF", float), bound(shape.high, "INF", float)]
        case "enum":
            return [json.dumps(list(shape.choices))]
        case "part":
            assert shape.part is not None
            return [literal(shape.part.__name__)]
        case "list":
            assert shape.item is not None
            item = row("", shape.item, "Field.REQUIRED", "null")
            return [bound(shape.low, "0", int), bound(shape.high, "Field.NO_END", int), item]
    return []


def row(name: str, shape: Shape, presence: str, default: str) -> str:
    kind = "integer" if shape.kind == "handle" else shape.kind
    head = [literal(name), f"Field.Kind.{kind.upper()}", presence, default]
    return f"[{', '.join(head + limits(shape))}]"


def field(member: Member) -> str:
    if member.optional:
        return row(member.wire, member.shape, "Field.OPTIONAL", "null")
    if member.may_be_absent:
        empty = member.shape.kind == "list"
        return row(member.wire, member.shape, "Field.DEFAULT", "[]" if empty else default(member))
    return row(member.wire, member.shape, "Field.REQUIRED", "null")


def default(member: Member) -> str:
    whole = member.shape.kind == "real"
    return literal(float(member.default) if whole else member.default)


def table(models: Iterable[tuple[str, type[BaseModel]]]) -> str:
    out = "{\n"
    for name, model in models:
        rows = [f"\t\t{field(member)},\n" for member in members(model)]
        out += f'\t"{name}": [\n{"".join(rows)}\t],\n' if rows else f'\t"{name}": [],\n'
    return out + "}\n"


def messages_file(meaning: str, messages: Mapping[str, type[BaseModel]]) -> str:
    body = f"const FIELDS := {table(messages.items())}"
    return HEADER.format(meaning) + FIELD + MESSAGE_FIELDS + body


def parts_file() -> str:
    parts = [m for module in MODULES for m in models_of(module) if not is_message(m)]
    body = f"const FIELDS := {table((part.__name__, part) for part in parts)}"
    head = "## Name of an object -> its fields, in their order on the wire.\n"
    return HEADER.format("Objects inside messages.") + FIELD + head + body


def protocol_file() -> str:
    out = HEADER.format("Constants, error codes and close codes of callsheet.v1.")
    out += f"const PROTOCOL := {literal(fields.PROTOCOL)}\n"
    out += f"const SUBPROTOCOL := {literal(fields.SUBPROTOCOL)}\n"
    for name, value in sorted(vars(fields).items()):
        if name.startswith("MAX_"):
            out += f"const {name} := {literal(value)}\n"
    out += "\n## Code of an error -> its branch of the error tree.\nconst KINDS := {\n"
    for code, rule in errors.RULES.items():
        out += f'\t"{code.value}": "{rule.raises.__name__.removesuffix("Error").lower()}",\n'
    out += "".join(f'\t"{code}": "session",\n' for code in OWN_CODES) + "}\n"
    out += "\n## Codes of errors after which the server closes.\nconst CLOSING := [\n"
    closing = [code.value for code, rule in errors.RULES.items() if rule.closes]
    out += "".join(f'\t"{code}",\n' for code in closing) + "]\n\nenum Close {\n"
    out += "".join(f"\t{code.name} = {code.value},\n" for code in errors.CloseCode) + "}\n"
    out += "\n## Close codes of the server after which a session can be resumed.\n"
    out += codes("RESUMABLE", (r for r in errors.RULES.values() if r.resumable))
    out += "\n## Close codes after which trying again by itself would end the same way.\n"
    return out + codes("FINAL", (r for r in errors.RULES.values() if r.is_final))


def codes(name: str, rules: Iterable[errors.Rule]) -> str:
    found = sorted({rule.closes for rule in rules if rule.closes})
    return f"const {name} := [{', '.join(f'Close.{code.name}' for code in found)}]\n"


def files() -> dict[Path, str]:
    return {
        MESSAGES / "client_messages.gd": messages_file(
            "Messages that a client sends.", codec.CLIENT_MESSAGES
        ),
        MESSAGES / "server_messages.gd": messages_file(
            "Messages that the server sends.", codec.SERVER_MESSAGES
        ),
        MESSAGES / "parts.gd": parts_file(),
        MESSAGES / "protocol.gd": protocol_file(),
    }


def main() -> int:
    if sys.argv[1:] == ["--check"]:
        stale = [
            path.name
            for path, text in files().items()
            if not path.is_file() or path.read_text(encoding="utf-8") != text
        ]
        if stale:
            sys.stderr.write(f"out of date, run generate_messages.py: {', '.join(stale)}\n")
        return 1 if stale else 0
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
