"""The plugin's layout, read off its imports: floors, no circles, sglang only where it says so."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from pkgutil import resolve_name

import pytest

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "server"
PLUGIN, CPU = "callsheet_sglang", "callsheet_sglang_cpu"
MAY_IMPORT = {
    PLUGIN: {"callsheet", "callsheet_residency", PLUGIN, CPU},
    CPU: {"callsheet", CPU},
}
FLOORS = ("plugin", "http", "lora", "kv", "")
"""Of the plugin, from the top down; "" = the other files beside ``plugin.py``."""
NEED_SGLANG = {
    f"{PLUGIN}.http.messages",
    f"{PLUGIN}.http.routes",
    f"{PLUGIN}.kv.cache",
    f"{PLUGIN}.lora.adapter_swap",
}
"""Modules that can be imported in SGLang's processes only."""


def module_of(path: Path) -> str:
    parts = path.relative_to(SERVER).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_in(source: str) -> Iterator[str]:
    """Yield every module that is imported, type-checking and in-function imports included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


SOURCES = {
    module_of(path): path.read_text(encoding="utf-8")
    for package in (PLUGIN, CPU)
    for path in (SERVER / package).rglob("*.py")
}
IMPORTS = {
    module: {
        name if name in SOURCES else name.rpartition(".")[0] if "." in name else name
        for name in imports_in(source)
    }
    for module, source in SOURCES.items()
}


def strangers(imports: Mapping[str, Iterable[str]]) -> list[str]:
    """Imports of Callsheet's own packages that the importing one may not know of."""
    return [
        f"{module} imports {name}"
        for module, names in imports.items()
        for name in names
        if name.startswith("callsheet")
        and name.split(".")[0] not in MAY_IMPORT[module.split(".")[0]]
    ]


def circle(imports: Mapping[str, Iterable[str]]) -> list[str]:
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def folder_of(module: str) -> str:
    _, *inside = module.split(".")
    return inside[0] if inside and (len(inside) > 1 or inside[0] in FLOORS) else ""


def upward(imports: Mapping[str, Iterable[str]]) -> list[str]:
    floor = {name: number for number, name in enumerate(FLOORS)} | {"launch": len(FLOORS) - 2}
    return [
        f"{module} imports {name}"
        for module, names in imports.items()
        for name in names
        if module.startswith(f"{PLUGIN}.") and name.startswith(f"{PLUGIN}.")
        if (here := folder_of(module)) != (there := folder_of(name))
        if floor[there] <= floor[here]
    ]


def test_the_plugin_knows_the_planner_and_the_cpu_package_knows_nobody() -> None:
    assert strangers(IMPORTS) == []
    assert strangers({f"{CPU}.install": [f"{PLUGIN}.launch.spec"]}) != []
    assert strangers({f"{PLUGIN}.plugin": ["callsheet_server.engine"]}) != []


def test_no_two_files_import_each_other() -> None:
    assert circle(IMPORTS) == []
    assert circle({"a": ["b"], "b": ["a"]}) != []


def test_no_import_goes_up_a_floor() -> None:
    assert upward(IMPORTS) == []
    assert upward({f"{PLUGIN}.kv.gate": [f"{PLUGIN}.lora.adapter_slots"]}) != []
    assert upward({f"{PLUGIN}.launch.spec": [f"{PLUGIN}.kv.gate"]}) != []
    assert upward({f"{PLUGIN}.guard": [f"{PLUGIN}.plugin"]}) != []


@pytest.mark.parametrize("foreign", ["sglang", "torch", "callsheet_server"])
def test_what_says_so_needs_sglang_and_nothing_else_does(foreign: str) -> None:
    modules = sorted(SOURCES.keys() - NEED_SGLANG)
    code = (
        "import importlib, sys\n"
        f"for name in {[name for name in modules if '.stubs.' not in name]}:\n"
        "    importlib.import_module(name)\n"
        f"assert {foreign!r} not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


def test_environments_that_were_set_up_before_find_the_plugin() -> None:
    """They keep the entry point of the release that was installed, whatever code they run."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["sglang.srt.plugins"] == {
        "callsheet": "callsheet_sglang.plugin:activate"
    }
    assert callable(resolve_name("callsheet_sglang.plugin:activate"))
