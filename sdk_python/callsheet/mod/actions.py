"""An action's signature as the JSON schema the model is held to."""

from __future__ import annotations

import ast
import inspect
import textwrap
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema

from callsheet.mod.mistakes import line_of, mistake
from callsheet.wire.errors import CallsheetError
from callsheet.wire.world import ActionSpec

__all__ = ["action_spec"]


class _WithoutTitles(GenerateJsonSchema):
    """Titles repeat the names and would cost the model tokens."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def action_spec(method: Callable[..., Any], path: Path) -> ActionSpec:
    """Describe an action to the server.

    Raises:
        ModError: the signature or the docstring does not say what the model needs.
    """
    name, line = method.__name__, line_of(method)
    description = inspect.cleandoc(method.__doc__ or "")
    if not description:
        fix = f'describe it in a docstring: "{name.replace("_", " ").capitalize()}."'
        raise mistake(path, line, f"the model is not told what {name} does", fix)
    if _does_something(method):
        fix = "leave only the docstring; the game carries actions out, on_action_done tells"
        raise mistake(path, line, f"the body of action {name} would never run", fix)
    try:
        hints = typing.get_type_hints(method, include_extras=True)
    except (NameError, TypeError) as error:
        fix = "use a type that exists and is imported at the top of the file"
        raise mistake(path, line, f"an annotation of {name} is wrong: {error}", fix) from None
    fields: dict[str, Any] = {}
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        shown = f"parameter {parameter.name!r} of action {name}"
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            fix = "name every parameter; * and ** cannot be described to the model"
            raise mistake(path, line, f"{shown} has no fixed name", fix)
        if parameter.name not in hints:
            raise mistake(path, line, f"{shown} has no type", f"write {parameter.name}: str")
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    config = ConfigDict(extra="forbid", validate_default=True)
    try:
        model = create_model(name, __config__=config, **fields)
        schema = model.model_json_schema(schema_generator=_WithoutTitles)
        definitions = schema.pop("$defs", {})
        schema.pop("title", None)
        schema = _inlined(schema, definitions, ())
        required = [field for field, (_, default) in fields.items() if default is ...]
        if not required:
            model()
        gated = getattr(method, "__callsheet_when__", None) is not None or None
        return ActionSpec(name=name, description=description, parameters=schema, gated=gated)
    except CallsheetError as error:
        fix = "keep within what the message names"
        raise mistake(path, line, f"action {name}: {error.message}", fix) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        problem = f"action {name}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise mistake(path, line, problem, "keep within what the message names") from None
    except (PydanticUserError, NameError, TypeError, ValueError) as error:
        problem = f"action {name} has a parameter the model cannot fill in: {error}"
        fix = "use str, int, float, bool, Literal, an Enum, lists or pydantic models of these"
        raise mistake(path, line, problem.splitlines()[0], fix) from None


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


def _does_something(method: Callable[..., Any]) -> bool:
    definition = ast.parse(textwrap.dedent(inspect.getsource(method))).body[0]
    assert isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef)
    return not all(
        isinstance(statement, ast.Pass)
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for statement in definition.body
    )
