"""Fields of the pydantic messages, described so that other languages can be generated from them."""

from __future__ import annotations

import ast
import inspect
import textwrap
from dataclasses import dataclass
from types import ModuleType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from callsheet.wire import adapters, codec, errors, observe, saves, script, session, talk, world
from callsheet.wire.base import ClientMessage, ServerMessage

MODULES: tuple[ModuleType, ...] = (
    session,
    world,
    saves,
    talk,
    script,
    observe,
    adapters,
)
"""The modules of the messages, one for each subject."""
CLIENT: tuple[type[BaseModel], ...] = tuple(codec.CLIENT_MESSAGES.values())
SERVER: tuple[type[BaseModel], ...] = tuple(codec.SERVER_MESSAGES.values())

SMALLEST = 5e-324
"""The smallest double above 0: "greater than 0" is "at least this"."""
HANDLE_MAX = 2**32 - 1
FORMS = {
    r"^[A-Za-z0-9_.:\-]+$": "id",
    r"^[A-Za-z0-9_.:\-]*$": "id or empty",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "identifier",
    r"^\d{1,5}\.\d{1,5}$": "version",
    None: "any",
}
"""Names of the patterns that texts are held to."""


@dataclass(frozen=True)
class Shape:
    """The values that a field can have."""

    kind: str
    """text, integer, handle, real, flag, enum, vector, json, part, list."""
    low: float | None = None
    """The least value, or the least length of a text or a list; None = no bound."""
    high: float | None = None
    """The greatest value, or the greatest length; None = no bound."""
    form: str = "any"
    choices: tuple[str, ...] = ()
    item: Shape | None = None
    part: type[BaseModel] | None = None


@dataclass(frozen=True)
class Member:
    """A field of a message."""

    wire: str
    shape: Shape
    optional: bool
    """True if the field may be null, or left out."""
    default: Any
    doc: str | None

    @property
    def has_default(self) -> bool:
        """True if the field has a value where it is left out."""
        return self.default is not PydanticUndefined and self.default is not None

    @property
    def may_be_absent(self) -> bool:
        return self.optional or self.default is not PydanticUndefined


def members(model: type[BaseModel]) -> list[Member]:
    """Describe the fields of a model in their order, ``type`` left out."""
    docs: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            docs |= _field_docs(base)
    found = []
    for name, info in model.model_fields.items():
        if is_message(model) and name == "type":
            continue
        shape, optional = _shape(info.annotation, list(info.metadata))
        found.append(Member(name, shape, optional, info.default, docs.get(name)))
    return found


def is_message(model: type[BaseModel]) -> bool:
    return issubclass(model, ClientMessage | ServerMessage)


def parts_of(models: tuple[type[BaseModel], ...]) -> set[type[BaseModel]]:
    """Find the parts that messages are made of, at any depth."""
    found: set[type[BaseModel]] = set()
    stack = list(models)
    while stack:
        for member in members(stack.pop()):
            part = member.shape.part or (member.shape.item and member.shape.item.part)
            if part and part not in found:
                found.add(part)
                stack.append(part)
    return found


def models_of(module: ModuleType) -> list[type[BaseModel]]:
    """List the messages of a module and the parts they are made of, in their order there."""
    used = {*CLIENT, *SERVER} | parts_of(CLIENT) | parts_of(SERVER)
    return [
        value
        for value in vars(module).values()
        if inspect.isclass(value) and value.__module__ == module.__name__ and value in used
    ]


def _shape(annotation: Any, rules: list[Any]) -> tuple[Shape, bool]:
    """Describe an annotation, and tell whether it may be absent (``| None``)."""
    bare, extra = _constraints(annotation)
    rules = extra + rules
    if get_origin(bare) in (Union, UnionType):
        options = [a for a in get_args(bare) if a is not type(None)]
        optional = len(options) < len(get_args(bare))
        if any(o is errors.ErrorCode for o in options):  # ErrorCode | str
            return Shape("text", 0), optional
        (only,) = options
        return _shape(only, rules)[0], optional
    return _plain_shape(bare, rules), False


def _plain_shape(bare: Any, rules: list[Any]) -> Shape:
    if get_origin(bare) is Literal:
        return Shape("enum", choices=get_args(bare))
    if get_origin(bare) is tuple:
        args = get_args(bare)
        if len(args) == 3:
            low, high = _bounds(_constraints(args[0])[1])
            return Shape("vector", low or 0, high or 0)
        return Shape("list", *_lengths(rules), item=_shape(args[0], [])[0])
    if get_origin(bare) is dict:
        return Shape("json")
    if bare is str:
        return Shape("text", *_lengths(rules), form=FORMS[_pattern(rules)])
    if bare is bool:
        return Shape("flag")
    if bare is int:
        low, high = _bounds(rules)
        return Shape("handle" if high == HANDLE_MAX else "integer", low, high)
    if bare is float:
        return Shape("real", *_bounds(rules))
    if inspect.isclass(bare) and issubclass(bare, BaseModel):
        return Shape("part", part=bare)
    raise NotImplementedError(f"no shape for {bare!r}")


def _constraints(annotation: Any) -> tuple[Any, list[Any]]:
    """Part an annotation into its bare type and what restricts it."""
    found: list[Any] = []
    while get_origin(annotation) is Annotated:
        annotation, *extra = get_args(annotation)
        for each in extra:
            found += each.metadata if isinstance(each, FieldInfo) else [each]
    return annotation, found


def _bounds(rules: list[Any]) -> tuple[float | None, float | None]:
    low: Any = None
    high: Any = None
    for rule in rules:
        match rule:
            case Ge(ge=value):
                low = value
            case Gt(gt=value):
                assert value == 0, "an open bound other than 0 has no shape yet"
                low = SMALLEST
            case Le(le=value):
                high = value
            case Lt():
                raise NotImplementedError("lt")
    return low, high


def _lengths(rules: list[Any]) -> tuple[int, int | None]:
    low, high = 0, None
    for rule in rules:
        if isinstance(rule, MinLen):
            low = rule.min_length
        elif isinstance(rule, MaxLen):
            high = rule.max_length
    return low, high


def _pattern(rules: list[Any]) -> str | None:
    for rule in rules:
        found = getattr(rule, "pattern", None)
        if isinstance(found, str):
            return found
    return None


def _field_docs(model: type[BaseModel]) -> dict[str, str]:
    """Read the strings that stand under the fields of a model."""
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
