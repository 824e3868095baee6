"""What a field of a pydantic model is in C#: its type, how it is read and how it is written."""

from __future__ import annotations

import ast
import inspect
import textwrap
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from callsheet.wire import errors, fields, observe, talk
from callsheet.wire.base import ClientMessage, ServerMessage

SMALLEST = 5e-324
"""The smallest double above 0: "greater than 0" is "at least this"."""

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
    ("hear", "near", "tick"): "ScriptEvent",
    ("keyframe", "delta"): "TickKind",
}
PATTERNS = {
    r"^[A-Za-z0-9_.:\-]+$": "TextForm.Id",
    r"^[A-Za-z0-9_.:\-]*$": "TextForm.IdOrEmpty",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "TextForm.Identifier",
    r"^\d{1,5}\.\d{1,5}$": "TextForm.Version",
    None: "TextForm.Any",
}


def pascal(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def number(value: float) -> str:
    """A C# literal of type double."""
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


@dataclass(frozen=True)
class Shape:
    """How one field looks in C#: its type, how it is read, how it is written."""

    kind: str
    """text, integer, handle, real, flag, enum, vector, json, part, list."""
    cs: str
    limits: str = ""
    item: Shape | None = None
    part: type[BaseModel] | None = None
    enum: str = ""

    @property
    def is_value(self) -> bool:
        return self.kind in {"integer", "handle", "real", "flag", "enum", "vector"}


def constraints(annotation: Any) -> tuple[Any, list[Any]]:
    """The bare type of an annotation and what restricts it."""
    found: list[Any] = []
    while get_origin(annotation) is Annotated:
        annotation, *extra = get_args(annotation)
        for each in extra:
            found += each.metadata if isinstance(each, FieldInfo) else [each]
    return annotation, found


def bounds(rules: list[Any]) -> tuple[float | None, float | None]:
    low = high = None
    for rule in rules:
        match rule:
            case Ge(ge=value):
                low = value
            case Gt(gt=value):
                assert value == 0, "an open bound other than 0 has no C# form yet"
                low = SMALLEST
            case Le(le=value):
                high = value
            case Lt():
                raise NotImplementedError("lt")
    return low, high  # type: ignore[return-value]


def lengths(rules: list[Any], default_max: str = "int.MaxValue") -> tuple[int, str]:
    low, high = 0, default_max
    for rule in rules:
        if isinstance(rule, MinLen):
            low = rule.min_length
        elif isinstance(rule, MaxLen):
            high = str(rule.max_length)
    return low, high


def pattern(rules: list[Any]) -> str | None:
    for rule in rules:
        found = getattr(rule, "pattern", None)
        if isinstance(found, str):
            return found
    return None


def shape_of(annotation: Any, rules: list[Any]) -> tuple[Shape, bool]:
    """The shape of an annotation and whether it may be absent (``| None``)."""
    bare, extra = constraints(annotation)
    rules = extra + rules
    if get_origin(bare) in (Union, UnionType):
        options = [a for a in get_args(bare) if a is not type(None)]
        optional = len(options) < len(get_args(bare))
        if any(o is errors.ErrorCode for o in options):  # ErrorCode | str
            return Shape("text", "string", "0, int.MaxValue, TextForm.Any"), optional
        (only,) = options
        return shape_of(only, rules)[0], optional
    if get_origin(bare) is Literal:
        name = ENUMS[get_args(bare)]
        return Shape("enum", name, enum=name), False
    if get_origin(bare) is tuple:
        args = get_args(bare)
        if len(args) == 3:
            first, last = bounds(constraints(args[0])[1])
            return Shape("vector", "Vec3", f"{number(first or 0)}, {number(last or 0)}"), False
        item, _ = shape_of(args[0], [])
        low, high = lengths(rules)
        return Shape("list", f"{item.cs}[]", f"{low}, {high}", item=item), False
    if get_origin(bare) is dict:
        return Shape("json", "JsonValue"), False
    if bare is str:
        low_length, high_length = lengths(rules)
        form = PATTERNS[pattern(rules)]
        return Shape("text", "string", f"{low_length}, {high_length}, {form}"), False
    if bare is bool:
        return Shape("flag", "bool"), False
    low_bound, high_bound = bounds(rules)
    if bare is int:
        if high_bound == 2**32 - 1:
            return Shape("handle", "uint"), False
        limits = (
            "long.MinValue" if low_bound is None else str(int(low_bound)),
            "long.MaxValue" if high_bound is None else str(int(high_bound)),
        )
        return Shape("integer", "long", ", ".join(limits)), False
    if bare is float:
        lowest = "double.MinValue" if low_bound is None else number(low_bound)
        limits = (
            "double.Epsilon" if low_bound == SMALLEST else lowest,
            "double.MaxValue" if high_bound is None else number(high_bound),
        )
        return Shape("real", "double", ", ".join(limits)), False
    if inspect.isclass(bare) and issubclass(bare, BaseModel):
        return Shape("part", class_name(bare), part=bare), False
    raise NotImplementedError(f"no C# form for {annotation!r}")


READ = {
    "text": "Text",
    "integer": "Integer",
    "handle": "Handle",
    "real": "Real",
    "flag": "Flag",
    "vector": "Vector",
    "json": "Object",
}


@dataclass(frozen=True)
class Member:
    """A field of a message."""

    wire: str
    shape: Shape
    optional: bool
    default: Any
    doc: str | None

    @property
    def name(self) -> str:
        return pascal(self.wire)

    @property
    def has_default(self) -> bool:
        return self.default is not PydanticUndefined and self.default is not None

    @property
    def cs_type(self) -> str:
        return self.shape.cs + ("?" if self.optional and self.shape.is_value else "")

    def initializer(self) -> str:
        if self.shape.kind == "list" and not self.optional:
            return f" = System.Array.Empty<{self.shape.item.cs}>();"  # type: ignore[union-attr]
        if not self.has_default:
            return ""
        match self.default:
            case bool(value):
                return " = true;" if value else ""
            case "":
                return ' = "";'
            case str(text) if self.shape.kind == "text":
                return f' = "{text}";'
            case int() | float():
                return f" = {number(self.default)};" if self.default else ""
            case (0.0, 0.0, 0.0) | (0, 0, 0):
                return ""
        raise NotImplementedError(f"no C# form for the default {self.default!r}")

    @property
    def may_be_absent(self) -> bool:
        return self.optional or self.default is not PydanticUndefined

    def read(self, target: str) -> str:
        """C# statement that reads the field from ``f`` into ``target``."""
        shape, wire, into = self.shape, f'"{self.wire}"', f"{target}{self.name}"
        limits = f", {shape.limits}" if shape.limits else ""
        has = "Has" if self.optional else "Contains"
        guard = f"if (f.{has}({wire})) " if self.may_be_absent else ""
        match shape.kind:
            case "enum":
                value = f"({shape.enum})f.Enum({wire}, WireNames.{shape.enum})"
            case "part":
                value = f"{shape.cs}.Parse(f.Part({wire}))"
            case "list":
                item = shape.item
                assert item is not None
                match item.kind:
                    case "part":
                        value = f"f.Parts({wire}, {shape.limits}, {item.cs}.Parse)"
                    case "text":
                        value = f"f.Texts({wire}, {shape.limits}, {item.limits})"
                    case "enum":
                        value = (
                            f"System.Array.ConvertAll(f.Enums({wire}, {shape.limits}, "
                            f"WireNames.{item.enum}), i => ({item.enum})i)"
                        )
                    case other:
                        raise NotImplementedError(other)
            case kind:
                value = f"f.{READ[kind]}({wire}{limits})"
        return f"{guard}{into} = {value};"

    def write(self, source: str) -> str:
        """C# statement that writes the field of ``source`` to ``w``."""
        shape, wire, value = self.shape, f'"{self.wire}"', f"{source}{self.name}"
        limits = f", {shape.limits}" if shape.limits else ""
        guard = f"if ({value} != null) " if self.optional else ""
        if self.optional and shape.is_value:
            value += ".Value"
        match shape.kind:
            case "enum":
                return f"{guard}w.Enum({wire}, (int){value}, WireNames.{shape.enum});"
            case "part":
                return f"{guard}w.Part({wire}, {value}, {shape.cs}.Format);"
            case "list":
                item = shape.item
                assert item is not None
                match item.kind:
                    case "part":
                        return f"{guard}w.Parts({wire}, {value}{limits}, {item.cs}.Format);"
                    case "text":
                        return f"{guard}w.Texts({wire}, {value}{limits}, {item.limits});"
                    case "enum":
                        return (
                            f"{guard}w.Enums({wire}, System.Array.ConvertAll({value}, "
                            f"i => (int)i){limits}, WireNames.{item.enum});"
                        )
            case kind:
                return f"{guard}w.{READ[kind]}({wire}, {value}{limits});"
        raise NotImplementedError(shape)


def is_message(model: type[BaseModel]) -> bool:
    return issubclass(model, ClientMessage | ServerMessage)


def class_name(model: type[BaseModel]) -> str:
    return model.__name__ + ("Message" if is_message(model) else "")


def field_docs(model: type[BaseModel]) -> dict[str, str]:
    """The strings that stand under the fields of a model."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    assert isinstance(tree, ast.ClassDef)
    docs: dict[str, str] = {}
    for before, after in zip(tree.body, tree.body[1:], strict=False):
        if (
            isinstance(before, ast.AnnAssign)
            and isinstance(before.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        ):
            docs[before.target.id] = inspect.cleandoc(after.value.value)
    return docs


def members(model: type[BaseModel]) -> list[Member]:
    docs: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            docs |= field_docs(base)
    found = []
    for name, info in model.model_fields.items():
        if is_message(model) and name == "type":
            continue
        shape, optional = shape_of(info.annotation, list(info.metadata))
        found.append(Member(name, shape, optional, info.default, docs.get(name)))
    return found
