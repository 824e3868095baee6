"""Writes the C# messages from the pydantic models, so that the two cannot drift apart.

    python sdk_unity/Tools~/generate_messages.py          # writes
    python sdk_unity/Tools~/generate_messages.py --check  # exit status 1 if a file is out of date

Core gets what a client needs: writers of client messages, readers of server messages. The other
direction goes to ``tests/unity/core/Mirror/``, where the golden vectors are replayed both ways.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from pydantic import BaseModel

from callsheet.wire import codec, errors, fields
from callsheet.wire.base import ClientMessage, Reliable, Request, ServerMessage

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "sdk_python" / "tools"))

from csharp_docs import (  # noqa: E402
    CONSTANTS,
    ENUM_SUMMARIES,
    FIXES,
    ITEM,
    close_summary,
    enum_value,
    summary_of,
    xml,
)
from csharp_members import (  # noqa: E402
    ENUMS,
    class_name,
    initializer,
    name_of,
    number,
    pascal,
    property_type,
    read,
    write,
)
from message_shapes import (  # noqa: E402
    CLIENT,
    MODULES,
    SERVER,
    is_message,
    members,
    models_of,
    parts_of,
)

MESSAGES = ROOT / "sdk_unity" / "Runtime" / "Core" / "Messages"
MIRROR = ROOT / "tests" / "unity" / "core" / "Mirror"
HEADER = (
    "// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.\n"
)

MIRROR_HEAD = HEADER + "\nusing Callsheet.Wire;\n\nnamespace Callsheet.Tests\n{\n"
MIRROR_CLASS = "    internal static partial class Mirror\n    {\n"

WRITTEN, READ_PARTS = parts_of(CLIENT), parts_of(SERVER)


def properties(model: type[BaseModel], skip: tuple[str, ...]) -> str:
    out = ""
    for m in members(model):
        if m.wire in skip:
            continue
        out += xml(summary_of(model, m), ITEM)
        out += f"        public {property_type(m)} {name_of(m)} {{ get; set; }}{initializer(m)}\n"
    return out


def block(head: str, lines: list[str]) -> str:
    body = "".join(f"            {line}\n" for line in lines)
    return f"\n        {head}\n        {{\n{body}        }}\n"


def message_class(model: type[BaseModel]) -> str:
    wire_type = model.model_fields["type"].default
    skip: tuple[str, ...] = ()
    if issubclass(model, Request):
        base, skip = "RequestMessage", ("id",)
    elif issubclass(model, ClientMessage):
        base = "ClientMessage"
    elif issubclass(model, Reliable):
        base, skip = "ReliableMessage", ("seq",)
    else:
        base = "ServerMessage"
    out = xml(inspect.cleandoc(model.__doc__ or f"The message {wire_type}."), "    ")
    out += f"    public sealed class {class_name(model)} : {base}\n    {{\n"
    out += properties(model, skip)
    out += f'\n        public override string Type => "{wire_type}";\n'
    if issubclass(model, ServerMessage) and "id" in model.model_fields:
        out += "\n        internal override long? RequestId => Id;\n"
    if issubclass(model, ClientMessage):
        lines = [write(m, "") for m in members(model)]
        out += block("internal override void WriteFields(JsonWriter w)", lines)
    else:
        lines = [read(m, "") for m in members(model)]
        out += block("internal override void ReadFields(FieldReader f)", lines)
    return out + "    }\n"


def part_class(model: type[BaseModel]) -> str:
    name = class_name(model)
    out = xml(inspect.cleandoc(model.__doc__ or f"Part of a message: {name}."), "    ")
    out += f"    public sealed class {name}\n    {{\n" + properties(model, ())
    if model in READ_PARTS:
        out += part_reader(model)
    if model in WRITTEN:
        out += part_writer(model)
    return out + "    }\n"


def part_reader(model: type[BaseModel], access: str = "internal static") -> str:
    name = class_name(model)
    lines = [f"var p = new {name}();", *(read(m, "p.") for m in members(model)), "return p;"]
    return block(f"{access} {name} Parse(FieldReader f)", lines)


def part_writer(model: type[BaseModel], access: str = "internal static") -> str:
    lines = [write(m, "p.") for m in members(model)]
    return block(f"{access} void Format(JsonWriter w, {class_name(model)} p)", lines)


def module_file(module: ModuleType) -> str:
    out = HEADER + "\nnamespace Callsheet.Wire\n{\n"
    classes = models_of(module)
    return (
        out
        + "\n".join(message_class(c) if is_message(c) else part_class(c) for c in classes)
        + "}\n"
    )


def enums_file() -> str:
    out = HEADER + "\nnamespace Callsheet.Wire\n{\n"
    for values, name in ENUMS.items():
        out += f"    /// <summary>{ENUM_SUMMARIES[name]}</summary>\n"
        out += f"    public enum {name}\n    {{\n"
        out += "".join(enum_value(name, value, pascal(value)) for value in values) + "    }\n\n"
    out += "    /// <summary>The names of enum values on the wire, by value.</summary>\n"
    out += "    internal static class WireNames\n    {\n"
    for values, name in ENUMS.items():
        names = ", ".join(f'"{value}"' for value in values)
        out += f"        internal static readonly string[] {name} = {{ {names} }};\n"
    return out + "    }\n}\n"


def error_codes() -> str:
    return "".join(
        xml(f"Fix: {FIXES[code.value]}", ITEM) + f"{ITEM}{pascal(code.value)},\n"
        for code in errors.ErrorCode
    )


def errors_file() -> str:
    out = HEADER + "\nnamespace Callsheet.Wire\n{\n"
    out += "    /// <summary>What went wrong. The first values stand in messages, the last two are"
    out += " found by the client itself.</summary>\n"
    out += "    public enum ErrorCode\n    {\n" + error_codes()
    out += "        /// <summary>No server answered, or the connection broke.</summary>\n"
    out += "        ConnectionFailed,\n"
    out += "        /// <summary>The session ended before the request was answered.</summary>\n"
    out += "        SessionLost,\n    }\n\n"
    classes = list(dict.fromkeys(rule.raises for rule in errors.RULES.values()))
    out += "    /// <summary>The branches of the error tree.</summary>\n"
    out += "    public enum ErrorKind\n    {\n"
    for cls in classes:
        out += xml(inspect.cleandoc(cls.__doc__ or ""), "        ")
        out += f"        {cls.__name__.removesuffix('Error')},\n"
    out += "    }\n\n"
    out += "    /// <summary>WebSocket close codes (RFC 6455, section 7.4); 4000 to 4999 are"
    out += " Callsheet's.</summary>\n    public static class CloseCodes\n    {\n"
    for code in errors.CloseCode:
        out += xml(close_summary(code.name.lower().replace("_", " ")), ITEM)
        out += f"{ITEM}public const int {pascal(code.name.lower())} = {code.value};\n"
    out += "\n        /// <summary>True if the session can be resumed after a close with this code"
    out += " that the server sent.</summary>\n"
    out += "        internal static bool IsResumable(int code)\n        {\n"
    out += one_of(rule for rule in errors.RULES.values() if rule.resumable) + "        }\n\n"
    out += xml("True if trying again by itself after this close would end the same way.", " " * 8)
    out += "        internal static bool IsFinal(int code)\n        {\n"
    out += one_of(rule for rule in errors.RULES.values() if rule.is_final)
    out += "        }\n    }\n\n"
    out += "    internal static class ErrorTable\n    {\n"
    names = ", ".join(f'"{code.value}"' for code in errors.ErrorCode)
    kinds = ", ".join(
        f"ErrorKind.{errors.RULES[code].raises.__name__.removesuffix('Error')}"
        for code in errors.ErrorCode
    )
    out += wrapped("internal static readonly string[] Names =", names)
    out += wrapped("internal static readonly ErrorKind[] Kinds =", kinds)
    closes = ", ".join(str(int(errors.RULES[code].closes or 0)) for code in errors.ErrorCode)
    out += "\n" + xml("The close code that follows an error; 0 = the session goes on.", "        ")
    out += wrapped("internal static readonly int[] ClosesWith =", closes)
    return out + "    }\n}\n"


def one_of(rules: Iterable[errors.Rule]) -> str:
    """C# that returns whether ``code`` is the close code of one of these."""
    codes = sorted(rule.closes for rule in rules if rule.closes)
    tests = (f"code == {pascal(code.name.lower())}" for code in codes)
    return " " * 12 + "return " + ("\n" + " " * 16 + "|| ").join(tests) + ";\n"


def wrapped(head: str, items: str) -> str:
    body = textwrap.fill(items, 88, initial_indent=" " * 12, subsequent_indent=" " * 12)
    return f"        {head}\n        {{\n{body},\n        }};\n"


def index_file() -> str:
    out = HEADER + "\nnamespace Callsheet.Wire\n{\n"
    out += "    internal static class ServerMessages\n    {\n"
    lines = ["switch (type)", "{"]
    lines += [
        f'    case "{wire}": return new {class_name(m)}();'
        for wire, m in codec.SERVER_MESSAGES.items()
    ]
    lines += ["    default: return null;", "}"]
    head = "/// <summary>An empty message of that type, or null if there is none.</summary>\n"
    out += block(head + "        internal static ServerMessage Create(string type)", lines).lstrip(
        "\n"
    )
    out += "    }\n\n    /// <summary>Constants of callsheet.v1.</summary>\n"
    out += "    public static class ProtocolInfo\n    {\n"
    for kind, name, value in (
        ("string", "PROTOCOL", f'"{fields.PROTOCOL}"'),
        ("string", "SUBPROTOCOL", f'"{fields.SUBPROTOCOL}"'),
        ("double", "MAX_COORDINATE_M", number(fields.MAX_COORDINATE_M)),
        ("int", "MAX_SPEECH_CHARS", fields.MAX_SPEECH_CHARS),
        ("long", "MAX_INTEGER", fields.MAX_INTEGER),
        ("int", "MAX_PERSONA_CHARS", fields.MAX_PERSONA_CHARS),
    ):
        out += xml(f"{CONSTANTS[name]}.", ITEM)
        out += f"{ITEM}public const {kind} {pascal(name.lower())} = {value};\n"
    out += f"{ITEM}internal const int MaxJsonDepth = {fields.MAX_JSON_DEPTH};\n"
    return out + "    }\n}\n"


def mirror_index_file() -> str:
    """Which reader or writer of the mirror takes a message."""
    out = MIRROR_HEAD + xml("The server's side of the codec.", "    ") + MIRROR_CLASS
    cases = ["switch (type)", "{"]
    cases += [
        f'    case "{w}": return Read{class_name(m)}(f);' for w, m in codec.CLIENT_MESSAGES.items()
    ]
    cases += ["    default: return null;", "}"]
    head = "internal static ClientMessage Read(string type, FieldReader f)"
    out += block(head, cases).lstrip("\n")
    cases = ["switch (message.Type)", "{"]
    for wire, m in codec.SERVER_MESSAGES.items():
        cases.append(
            f'    case "{wire}": Write{class_name(m)}(w, ({class_name(m)})message); break;'
        )
    cases.append("}")
    out += block("internal static void Write(JsonWriter w, ServerMessage message)", cases)
    return out + "    }\n}\n"


def mirror_file(module: ModuleType) -> str:
    """Readers of the module's client messages and writers of its server messages."""
    out = ""
    for model in models_of(module):
        name = class_name(model)
        if model in CLIENT:
            lines = [
                f"var m = new {name}();",
                *(read(x, "m.") for x in members(model)),
                "return m;",
            ]
            out += block(f"private static {name} Read{name}(FieldReader f)", lines)
        elif model in SERVER:
            lines = [write(x, "m.") for x in members(model)]
            out += block(f"private static void Write{name}(JsonWriter w, {name} m)", lines)
        elif model in WRITTEN - READ_PARTS:
            out += part_reader(model, "private static").replace(" Parse(", f" Parse{name}(")
        elif model in READ_PARTS - WRITTEN:
            out += part_writer(model, "private static").replace(" Format(", f" Format{name}(")
    for part in WRITTEN - READ_PARTS:
        out = out.replace(f" {part.__name__}.Parse", f" Parse{part.__name__}")
    for part in READ_PARTS - WRITTEN:
        out = out.replace(f" {part.__name__}.Format", f" Format{part.__name__}")
    return MIRROR_HEAD + MIRROR_CLASS + out.lstrip("\n") + "    }\n}\n"


def files() -> dict[Path, str]:
    out: dict[Path, str] = {}
    for module in MODULES:
        subject = pascal(module.__name__.rsplit(".", 1)[1])
        out[MESSAGES / f"{subject}Messages.cs"] = module_file(module)
        out[MIRROR / f"Mirror.{subject}.cs"] = mirror_file(module)
    out[MESSAGES / "Enums.cs"] = enums_file()
    out[MESSAGES / "Errors.cs"] = errors_file()
    out[MESSAGES / "ServerMessages.cs"] = index_file()
    out[MIRROR / "Mirror.cs"] = mirror_index_file()
    return out


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
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
