"""Actions of a mod's scripts, from their methods."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from callsheet.core.signatures import SignatureError, signature_of
from callsheet.mod.mistakes import line_of, mistake
from callsheet.wire.world import ActionSpec

__all__ = ["action_spec"]


def action_spec(method: Callable[..., Any], path: Path) -> ActionSpec:
    """Describe an action to the server.

    Raises:
        ModError: the signature or the docstring does not say what the model needs.
    """
    gated = getattr(method, "__callsheet_when__", None) is not None or None
    try:
        signature = signature_of(method, gated=gated)
    except SignatureError as error:
        raise mistake(path, line_of(method), error.problem, error.fix) from None
    if _does_something(method):
        fix = "leave only the docstring; the game carries actions out, on_action_done tells"
        problem = f"the body of action {method.__name__} would never run"
        raise mistake(path, line_of(method), problem, fix)
    return signature.spec


def _does_something(method: Callable[..., Any]) -> bool:
    definition = ast.parse(textwrap.dedent(inspect.getsource(method))).body[0]
    assert isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef)
    return not all(
        isinstance(statement, ast.Pass)
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for statement in definition.body
    )
