"""What a module says it exports is there, once. (ruff, RUF022, sees to the order.)"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

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
