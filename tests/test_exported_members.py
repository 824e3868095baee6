"""Names in each module's ``__all__``: there, once. (ruff, RUF022, sees to the order.)"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
import textwrap
import typing
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import numpy.typing as npt
import pytest
from pydantic import BaseModel

import callsheet
import callsheet.mod

ROOT = Path(__file__).parent.parent
PACKAGES = (
    ("sdk_python", "callsheet"),
    ("server", "callsheet_cli"),
    ("server", "callsheet_residency"),
    ("server", "callsheet_server"),
)


def public_modules() -> list[str]:
    names = []
    for base, package in PACKAGES:
        for path in sorted((ROOT / base / package).rglob("*.py")):
            parts = path.relative_to(ROOT / base).with_suffix("").parts
            if not path.stem.startswith("_") or path.stem == "__init__":
                names.append(".".join(part for part in parts if part != "__init__"))
    return names


@pytest.mark.parametrize("name", public_modules())
def test_all_is_real_and_complete(name: str) -> None:
    module = importlib.import_module(name)
    exported = getattr(module, "__all__", None)
    if exported is None:
        tree = ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8"))
        defined = [
            node.name
            for node in tree.body
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and not node.name.startswith("_")
        ]
        assert defined == [], f"{name} defines public names and has no __all__"
        return
    assert len(exported) == len(set(exported)), f"{name}.__all__ names a member twice"
    assert [member for member in exported if not hasattr(module, member)] == []


# Every type that a public signature of the SDK names can be imported from where the SDK's users
# import: `callsheet`, or `callsheet.mod` for mods.

EXPORTED = {*callsheet.__all__, *callsheet.blocking.__all__, *callsheet.mod.__all__}
PUBLIC = [
    getattr(module, name)
    for module in (callsheet, callsheet.blocking, callsheet.mod)
    for name in module.__all__
    if inspect.isclass(getattr(module, name)) or inspect.isfunction(getattr(module, name))
]


def signatures(node: ast.AST) -> Iterator[ast.expr]:
    """The annotations of a function, or of a class's public methods and attributes."""
    match node:
        case ast.ClassDef():
            for inside in node.body:
                if not getattr(inside, "name", "").startswith("_"):
                    yield from signatures(inside)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            given = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            every = (*given, node.args.vararg, node.args.kwarg)
            yield from (one.annotation for one in every if one and one.annotation)
            if node.returns:
                yield node.returns
        case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
            yield node.annotation


def is_plain(value: Any) -> bool:
    """Whether this is no type of ours: typing's, numpy's, a type variable, an annotated tuple."""
    name = getattr(value, "__name__", "")
    return (
        isinstance(value, typing.TypeVar)
        or value in (vars(typing).get(name), npt.ArrayLike)
        or typing.get_origin(value) is typing.Annotated
        or (inspect.isclass(value) and not value.__module__.startswith("callsheet"))
    )


def named_types(member: Any) -> set[str]:
    if inspect.isclass(member) and issubclass(member, BaseModel):
        fields = (field.annotation for field in member.model_fields.values())
        return {one.__name__ for field in fields for one in classes_in(field)}
    if inspect.isclass(member):
        ours = (base for base in member.__mro__ if base.__module__.startswith("callsheet"))
        return set().union(*map(types_in_source, ours))
    return types_in_source(member)


def types_in_source(member: Any) -> set[str]:
    """The types that the annotations of a function, or of one class's own members, name."""
    scope = vars(importlib.import_module(member.__module__))
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(member))).body
    names = {
        name.id
        for annotation in signatures(node)
        for name in ast.walk(annotation)
        if isinstance(name, ast.Name) and name.id in scope
    }
    return {name for name in names if not is_plain(scope[name])}


def classes_in(annotation: Any) -> Iterator[type]:
    """The models and enums that a field holds; ids and other limited strings are just strings."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel | Enum):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from classes_in(argument)


@pytest.mark.parametrize(
    "member", PUBLIC, ids=lambda member: f"{member.__module__}.{member.__name__}"
)
def test_every_type_in_a_public_signature_of_the_sdk_is_exported(member: Any) -> None:
    assert named_types(member) - EXPORTED == set()


def test_types_in_signatures_are_found() -> None:
    assert {"Role", "ClientSettings", "Client"} <= named_types(callsheet.connect)
    assert {"Topic", "RegisterScript", "Welcome"} <= named_types(callsheet.Client)
    assert {"EstimatorView"} <= named_types(callsheet.Explanation)


def test_the_blocking_client_comes_with_the_package() -> None:
    code = "import callsheet; callsheet.blocking.connect"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_documentation_lists_every_name() -> None:
    text = (ROOT / "docs" / "python-sdk.md").read_text(encoding="utf-8")
    table = text.partition("## All names")[2].partition("|---|---|")[2]
    listed = re.findall(r"`(\w+)`", table)
    assert sorted(listed) == sorted({*callsheet.__all__} - {"__version__"})
