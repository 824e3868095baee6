"""The rules of the layout, read off every import: function-level and type-checking ones count."""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "callsheet": ROOT / "sdk_python",
    "callsheet_residency": ROOT / "server",
    "callsheet_sglang": ROOT / "server",
    "callsheet_sglang_cpu": ROOT / "server",
    "callsheet_server": ROOT / "server",
    "callsheet_cli": ROOT / "server",
    "callsheet_loadtest": ROOT / "loadtest",
    "callsheet_bench": ROOT / "loadtest",
}
MAY_IMPORT = {
    "callsheet": set(),
    "callsheet_residency": set(),
    "callsheet_sglang_cpu": {"callsheet"},
    "callsheet_sglang": {"callsheet", "callsheet_residency", "callsheet_sglang_cpu"},
    "callsheet_server": {"callsheet", "callsheet_residency", "callsheet_sglang"},
    "callsheet_loadtest": {"callsheet"},
    "callsheet_bench": {
        "callsheet",
        "callsheet_residency",
        "callsheet_server",
        "callsheet_sglang",
        "callsheet_sglang_cpu",
    },
    "callsheet_cli": set(PACKAGES) - {"callsheet_cli"},
}
"""Packages of ours that each imports, besides itself."""
FLOORS = {
    "callsheet_server": (
        "log_context",
        "toml_file",
        "whole_file",
        "limits",
        "transport",
        "world",
        "residency",
        "storage",
        "page",
        "session",
        "distance",
        "engine",
        "outgoing",
        "rooms",
        "talk",
        "trace",
        "telemetry",
        "handlers",
        "app",
        "tools",
    ),
    "callsheet_sglang": ("", "launch", "kv", "lora", "http", "plugin"),
}
"""From the ground up; each imports lower ones only. "" = the other files of the package."""
PURE = {"limits", "world", "distance", "residency", "outgoing", "session", "log_context"}
"""Floors of the server that read no clock and draw nothing at random: time is passed in."""
CLOCKS = {"asyncio", "datetime", "random", "secrets", "time", "uuid"}
ONLY_IN = {
    "aiohttp": "engine",
    "torch": "engine",
    "transformers": "engine",
    "peft": "engine",
    "safetensors": "engine",
    "ray": "engine",
    "websockets": "transport",
    "sqlite3": "storage",
}
MAX_LINES = 400
SEARCHABLE = ("server", "sdk_python", "loadtest/callsheet_bench", "loadtest/callsheet_loadtest")
"""Folders whose docstrings begin with a verb in the imperative or a noun."""
QUESTIONS = {"What", "Who", "Whose", "Whom", "Where", "How", "Why", "Which", "When"}

Modules = Mapping[str, Path]
Arrows = Mapping[str, set[str]]
"""Module -> the modules of ours it imports."""


def modules() -> dict[str, Path]:
    found = {}
    for package, base in PACKAGES.items():
        for path in sorted((base / package).rglob("*.py")):
            parts = path.relative_to(base).with_suffix("").parts
            found[".".join(part for part in parts if part != "__init__")] = path
    return found


def imported(name: str, source: str, known: Iterable[str], is_package: bool) -> Iterator[str]:
    """Yield every imported module; of ours the module itself, not only its package."""
    here = name.split(".") if is_package else name.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            for alias in node.names:
                whole = f"{module}.{alias.name}"
                yield whole if whole in known else module


MODULES = modules()
IMPORTS = {
    name: set(imported(name, path.read_text(encoding="utf-8"), MODULES, path.name == "__init__.py"))
    for name, path in MODULES.items()
}
ARROWS = {name: targets & MODULES.keys() for name, targets in IMPORTS.items()}


def room_of(module: str) -> str:
    """Name the package a module is in, with its floor where the package has floors."""
    package, *rest = module.split(".")
    floors = FLOORS.get(package, ())
    inside = rest and (rest[0] in floors or "" not in floors)
    return f"{package}.{rest[0]}" if floors and inside else package


def between_rooms(arrows: Arrows) -> dict[str, set[str]]:
    rooms: defaultdict[str, set[str]] = defaultdict(set)
    for source, targets in arrows.items():
        rooms[room_of(source)] |= {room_of(target) for target in targets} - {room_of(source)}
    return rooms


def circle(arrows: Arrows) -> list[str]:
    """Find one circle of imports: its members in order, the first again at the end."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def arrows_up(arrows: Arrows) -> list[str]:
    height = {
        f"{package}.{floor}".rstrip("."): number
        for package, floors in FLOORS.items()
        for number, floor in enumerate(floors)
    }
    return [
        f"{source} -> {target}"
        for source, targets in arrows.items()
        for target in sorted(targets)
        if source.split(".")[0] == target.split(".")[0]
        and height.get(room_of(target), -1) > height.get(room_of(source), len(height))
    ]


def test_no_circle_of_files() -> None:
    assert circle(ARROWS) == []


def test_no_circle_of_packages() -> None:
    assert circle(between_rooms(ARROWS)) == []


def test_a_circle_is_found_where_there_is_one() -> None:
    assert set(circle({"a": {"b"}, "b": {"c", "d"}, "d": {"b"}})) == {"b", "d"}
    hidden = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p import b\n"
    inside = "def f():\n    import p.a\n"
    known = {"p", "p.a", "p.b"}
    arrows = {
        "p.a": set(imported("p.a", hidden, known, is_package=False)) & known,
        "p.b": set(imported("p.b", inside, known, is_package=False)) & known,
    }
    assert set(circle(arrows)) == {"p.a", "p.b"}


def test_every_room_of_the_server_has_its_floor() -> None:
    rooms = {name.split(".")[1] for name in MODULES if name.startswith("callsheet_server.")}
    assert rooms == set(FLOORS["callsheet_server"])


def test_a_floor_imports_lower_ones_only() -> None:
    assert arrows_up(ARROWS) == []


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("callsheet_server.world.key", "callsheet_server.engine.engine"),
        ("callsheet_sglang.kv.gate", "callsheet_sglang.lora.adapter_slots"),
        ("callsheet_sglang.launch.spec", "callsheet_sglang.kv.gate"),
        ("callsheet_sglang.guard", "callsheet_sglang.plugin"),
    ],
)
def test_an_import_up_a_floor_is_found(source: str, target: str) -> None:
    assert arrows_up({source: {target}}) == [f"{source} -> {target}"]
    assert arrows_up({target: {source}}) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_those_it_may(package: str) -> None:
    found = {
        f"{source} -> {target}"
        for source, targets in ARROWS.items()
        for target in targets
        if source.split(".")[0] == package
        and target.split(".")[0] not in MAY_IMPORT[package] | {package}
    }
    assert found == set()


def test_the_planner_needs_numpy_only() -> None:
    """Settings beside it need pydantic; SGLang brings both."""
    outside = {
        (name, top)
        for name, targets in IMPORTS.items()
        if name.startswith("callsheet_residency")
        for top in {target.split(".")[0] for target in targets}
        if top not in sys.stdlib_module_names and top not in ("numpy", "callsheet_residency")
    }
    assert outside == {("callsheet_residency.settings", "pydantic")}


@pytest.mark.parametrize(("package", "floor"), ONLY_IN.items())
def test_only_one_floor_imports_a_heavy_package(package: str, floor: str) -> None:
    found = [
        name
        for name, targets in IMPORTS.items()
        if name.startswith("callsheet_server.")
        and room_of(name) != f"callsheet_server.{floor}"
        and any(target.split(".")[0] == package for target in targets)
    ]
    assert found == []


def test_pure_floors_read_no_clock_and_draw_nothing_at_random() -> None:
    found = [
        f"{name} -> {target}"
        for name, targets in IMPORTS.items()
        if room_of(name).removeprefix("callsheet_server.") in PURE
        for target in targets
        if target.split(".")[0] in CLOCKS or target.startswith("numpy.random")
    ]
    assert found == []


def test_sql_is_written_in_storage_only() -> None:
    verbs = ("SELECT ", "INSERT ", "DELETE FROM ", "UPDATE ", "PRAGMA ", "CREATE TABLE ")
    found = [
        f"{name}, line {node.lineno}"
        for name, path in MODULES.items()
        if room_of(name) != "callsheet_server.storage"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith(verbs)
    ]
    assert found == []


def assigned(function: ast.AST) -> set[str]:
    """Attributes of ``self`` that are assigned inside."""
    return {
        node.attr
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


def called(function: ast.AST) -> set[str]:
    """Methods of ``self`` that are called inside."""
    return {
        node.func.attr
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "self"
    }


def born_later(source: str) -> list[str]:
    """Attributes that an object has only after somebody called one of its methods."""
    classes = {n.name: n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.ClassDef)}
    found = []
    for name, node in classes.items():
        family = [node]  # With its bases, as far as they are in this file.
        for one in family:
            family += [classes[ast.unparse(b)] for b in one.bases if ast.unparse(b) in classes]
        body = [statement for one in family for statement in one.body]
        methods = {m.name: m for m in body if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef)}
        births = {"__init__", "__post_init__"} & methods.keys()
        while more := {m for b in births for m in called(methods[b]) & methods.keys()} - births:
            births |= more
        born = {attribute for birth in births for attribute in assigned(methods[birth])}
        for statement in body:
            if isinstance(statement, ast.AnnAssign):
                born.add(ast.unparse(statement.target))
            elif isinstance(statement, ast.Assign):
                born |= {ast.unparse(target) for target in statement.targets}
        found += [
            f"{name}.{attribute}"
            for method in methods.values()
            for attribute in sorted(assigned(method) - born - methods.keys())
        ]
    return found


def test_objects_are_born_whole() -> None:
    found = {
        f"{name}: {attribute}"
        for name, path in MODULES.items()
        if not name.startswith("callsheet_loadtest")  # Locust calls `on_start`.
        for attribute in born_later(path.read_text(encoding="utf-8"))
    }
    # SGLang's own, declared by its base class.
    found -= {"callsheet_sglang.kv.cache: DistanceFullComponent._evict_device_request_cnt"}
    assert found == set()


def test_an_attribute_that_comes_later_is_found() -> None:
    source = "class A:\n def __init__(self):\n  self.x = 1\n def start(self):\n  self.y = 2\n"
    assert born_later(source) == ["A.y"]


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of every docstring, those of attributes and constants too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            text = node.value.value
            if isinstance(text, str):
                yield node.lineno, text


@pytest.mark.parametrize("folder", SEARCHABLE)
def test_docstrings_can_be_searched_for(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}, line {line}: {words[0]}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, text in docstrings(path.read_text(encoding="utf-8"))
        if (words := re.findall(r"\w+", text)) and words[0] in QUESTIONS
    ]
    assert found == []


def test_files_are_small_and_named_for_what_they_hold() -> None:
    code = [*MODULES.values(), ROOT / "run.py"]
    long = {
        str(path.relative_to(ROOT)): lines
        for path in code
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }
    assert long == {}
    vague = [path.name for path in code if path.stem in ("utils", "util", "helpers", "misc")]
    assert vague == []
