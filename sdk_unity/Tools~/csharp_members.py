"""Fields of messages as C#: their types, how they are read and how they are written."""

from __future__ import annotations

from typing import get_args

from message_shapes import HANDLE_MAX, SMALLEST, Member, Shape, is_message
from pydantic import BaseModel

from callsheet.wire import fields, observe, session, talk

ENUMS: dict[tuple[str, ...], str] = {
    get_args(fields.Role): "Role",
    get_args(fields.TierName): "Tier",
    get_args(fields.StateKindName): "StateKind",
    get_args(fields.PolicyName): "PolicyName",
    ("player", "npc", "narrator"): "SpeakerKind",
    get_args(talk.Priority): "Priority",
    get_args(talk.FinishReason): "FinishReason",
    get_args(observe.Topic): "Topic",
    get_args(observe.ReplicaState): "ReplicaState",
    get_args(session.EnginePhase): "EnginePhase",
    ("hear", "near", "tick"): "ScriptEvent",
    ("keyframe", "delta"): "TickKind",
}
READ = {
    "text": "Text",
    "integer": "Integer",
    "handle": "Handle",
    "real": "Real",
    "flag": "Flag",
    "vector": "Vector",
    "json": "Object",
}
TYPES = {
    "text": "string",
    "integer": "long",
    "handle": "uint",
    "real": "double",
    "flag": "bool",
    "vector": "Vec3",
    "json": "JsonValue",
}
VALUE_KINDS = {"integer", "handle", "real", "flag", "enum", "vector"}


def pascal(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def number(value: float) -> str:
    """Write a C# literal of type double."""
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


def class_name(model: type[BaseModel]) -> str:
    return model.__name__ + ("Message" if is_message(model) else "")


def name_of(member: Member) -> str:
    """Name the property of a field."""
    return pascal(member.wire)


def property_type(member: Member) -> str:
    shape = member.shape
    return cs_type(shape) + ("?" if member.optional and shape.kind in VALUE_KINDS else "")


def cs_type(shape: Shape) -> str:
    if shape.kind == "enum":
        return ENUMS[shape.choices]
    if shape.part is not None:
        return class_name(shape.part)
    if shape.item is not None:
        return f"{cs_type(shape.item)}[]"
    return TYPES[shape.kind]


def limits(shape: Shape) -> str:
    """Write the arguments that hold a value to its limits; empty if there are none."""
    match shape.kind:
        case "text":
            form = f"TextForm.{pascal(shape.form.replace(' ', '_'))}"
            return f"{length(shape.low)}, {length(shape.high)}, {form}"
        case "list":
            return f"{length(shape.low)}, {length(shape.high)}"
        case "vector":
            return f"{number(shape.low or 0)}, {number(shape.high or 0)}"
        case "integer":
            assert shape.high != HANDLE_MAX
            low = "long.MinValue" if shape.low is None else str(int(shape.low))
            high = "long.MaxValue" if shape.high is None else str(int(shape.high))
            return f"{low}, {high}"
        case "real":
            low = "double.MinValue" if shape.low is None else number(shape.low)
            high = "double.MaxValue" if shape.high is None else number(shape.high)
            return f"{'double.Epsilon' if shape.low == SMALLEST else low}, {high}"
    return ""


def length(bound: float | None) -> str:
    return "int.MaxValue" if bound is None else str(int(bound))


def initializer(member: Member) -> str:
    if member.shape.item is not None and not member.optional:
        return f" = System.Array.Empty<{cs_type(member.shape.item)}>();"
    if not member.has_default:
        return ""
    match member.default:
        case bool(value):
            return " = true;" if value else ""
        case "":
            return ' = "";'
        case str(text) if member.shape.kind == "text":
            return f' = "{text}";'
        case int() | float():
            return f" = {number(member.default)};" if member.default else ""
        case (0.0, 0.0, 0.0) | (0, 0, 0):
            return ""
    raise NotImplementedError(f"no C# form for the default {member.default!r}")


def read(member: Member, target: str) -> str:
    """Write the C# statement that reads a field from ``f`` into ``target``."""
    shape, wire, into = member.shape, f'"{member.wire}"', f"{target}{name_of(member)}"
    has = "Has" if member.optional else "Contains"
    guard = f"if (f.{has}({wire})) " if member.may_be_absent else ""
    match shape.kind:
        case "enum":
            name = cs_type(shape)
            value = f"({name})f.Enum({wire}, WireNames.{name})"
        case "part":
            value = f"{cs_type(shape)}.Parse(f.Part({wire}))"
        case "list":
            item = shape.item
            assert item is not None
            name = cs_type(item)
            match item.kind:
                case "part":
                    value = f"f.Parts({wire}, {limits(shape)}, {name}.Parse)"
                case "text":
                    value = f"f.Texts({wire}, {limits(shape)}, {limits(item)})"
                case "enum":
                    value = (
                        f"System.Array.ConvertAll(f.Enums({wire}, {limits(shape)}, "
                        f"WireNames.{name}), i => ({name})i)"
                    )
                case other:
                    raise NotImplementedError(other)
        case kind:
            value = f"f.{READ[kind]}({wire}{after_comma(limits(shape))})"
    return f"{guard}{into} = {value};"


def write(member: Member, source: str) -> str:
    """Write the C# statement that writes the field of ``source`` to ``w``."""
    shape, wire, value = member.shape, f'"{member.wire}"', f"{source}{name_of(member)}"
    guard = f"if ({value} != null) " if member.optional else ""
    if member.optional and shape.kind in VALUE_KINDS:
        value += ".Value"
    rest = after_comma(limits(shape))
    match shape.kind:
        case "enum":
            return f"{guard}w.Enum({wire}, (int){value}, WireNames.{cs_type(shape)});"
        case "part":
            return f"{guard}w.Part({wire}, {value}, {cs_type(shape)}.Format);"
        case "list":
            item = shape.item
            assert item is not None
            name = cs_type(item)
            match item.kind:
                case "part":
                    return f"{guard}w.Parts({wire}, {value}{rest}, {name}.Format);"
                case "text":
                    return f"{guard}w.Texts({wire}, {value}{rest}, {limits(item)});"
                case "enum":
                    return (
                        f"{guard}w.Enums({wire}, System.Array.ConvertAll({value}, "
                        f"i => (int)i){rest}, WireNames.{name});"
                    )
        case kind:
            return f"{guard}w.{READ[kind]}({wire}, {value}{rest});"
    raise NotImplementedError(shape)


def after_comma(arguments: str) -> str:
    return f", {arguments}" if arguments else ""
