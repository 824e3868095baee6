"""Signatures of functions that stand for actions, as the model is told of them."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema

from callsheet.wire.errors import CallsheetError
from callsheet.wire.world import ActionSpec

__all__ = ["Signature", "SignatureError", "signature_of"]


class SignatureError(Exception):
    """A signature or docstring does not say what the model needs."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}\n  fix: {fix}")
        self.problem: str = problem
        self.fix: str = fix


@dataclass(frozen=True)
class Signature:
    """A function's signature: the spec of its action, and the model that reads arguments."""

    spec: ActionSpec
    arguments: type[BaseModel]
    hints: dict[str, Any]
    """Types of the parameters, with what ``Annotated`` says."""


class _WithoutTitles(GenerateJsonSchema):
    """Titles repeat the names and would cost the model tokens."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def signature_of(function: Callable[..., Any], *, gated: bool | None = None) -> Signature:
    """Read a function's name, docstring and parameters, all but the first.

    Raises:
        SignatureError: naming the problem and its fix.
    """
    name = function.__name__
    description = inspect.cleandoc(function.__doc__ or "")
    if not description:
        fix = f'describe it in a docstring: "{name.replace("_", " ").capitalize()}."'
        raise SignatureError(f"the model is not told what {name} does", fix)
    hints, fields = _fields(function)
    config = ConfigDict(extra="forbid", validate_default=True)
    try:
        model = create_model(name, __config__=config, **fields)
        schema = model.model_json_schema(schema_generator=_WithoutTitles)
        definitions = schema.pop("$defs", {})
        schema.pop("title", None)
        schema = _inlined(schema, definitions, ())
        if not schema.get("required"):
            model()
        spec = ActionSpec(name=name, description=description, parameters=schema, gated=gated)
    except CallsheetError as error:
        fix = "keep within what the message names"
        raise SignatureError(f"action {name}: {error.message}", fix) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        problem = f"action {name}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise SignatureError(problem, "keep within what the message names") from None
    except (PydanticUserError, NameError, TypeError, ValueError) as error:
        problem = f"action {name} has a parameter the model cannot fill in: {error}"
        fix = "use str, int, float, bool, Literal, an Enum, lists or pydantic models of these"
        raise SignatureError(problem.splitlines()[0], fix) from None
    return Signature(spec, model, hints)


def _fields(function: Callable[..., Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Types of all parameters but the first, and the same with their defaults."""
    name = function.__name__
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as error:
        fix = "use a type that exists and is imported at the top of the file"
        raise SignatureError(f"an annotation of {name} is wrong: {error}", fix) from None
    fields: dict[str, Any] = {}
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        shown = f"parameter {parameter.name!r} of action {name}"
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            fix = "name every parameter; * and ** cannot be described to the model"
            raise SignatureError(f"{shown} has no fixed name", fix)
        if parameter.name not in hints:
            raise SignatureError(f"{shown} has no type", f"write {parameter.name}: str")
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    return {field: hints[field] for field in fields}, fields


def _inlined(schema: Any, definitions: dict[str, Any], inside: tuple[str, ...]) -> Any:
    """The schema with every reference replaced, so that it can stand inside another one."""
    if isinstance(schema, list):
        return [_inlined(item, definitions, inside) for item in schema]
    if not isinstance(schema, dict):
        return schema
    reference = schema.get("$ref")
    if isinstance(reference, str):
        name = reference.removeprefix("#/$defs/")
        if name in inside:
            raise ValueError(f"{name} contains itself")
        definition = {key: one for key, one in definitions[name].items() if key != "title"}
        beside = {key: one for key, one in schema.items() if key != "$ref"}
        return _inlined(definition, definitions, (*inside, name)) | beside
    return {key: _inlined(one, definitions, inside) for key, one in schema.items()}
