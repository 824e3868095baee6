"""The rules of the layout, read off every import: function-level and type-checking ones count."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "callsheet": ROOT / "sdk_python",
    "callsheet_residency": ROOT / "server",
    "callsheet_sglang": ROOT / "server",
    "callsheet_server": ROOT / "server",
    "callsheet_cli": ROOT / "server",
    "callsheet_loadtest": ROOT / "loadtest",
    "callsheet_bench": ROOT / "loadtest",
}
MAY_IMPORT = {
    "callsheet": set(),
    "callsheet_residency": set(),
    "callsheet_sglang": {"callsheet", "callsheet_residency"},
    "callsheet_server": {"callsheet", "callsheet_residency", "callsheet_sglang"},
    "callsheet_loadtest": {"callsheet"},
    "callsheet_bench": {
        "callsheet",
        "callsheet_residency",
        "callsheet_server",
        "callsheet_sglang",
    },
    "callsheet_cli": set(PACKAGES) - {"callsheet_cli"},
}
"""Packages of ours that each imports, besides itself."""
FLOORS = (
    "log_context",
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
)
"""Of ``callsheet_server``, from the ground up; each imports lower ones only."""
PURE = {"limits", "world", "distance", "residency", "outgoing", "session", "log_context"}
"""Floors that read no clock and draw nothing at random: time is passed in."""
CLOCKS = {"asyncio", "datetime", "random", "secrets", "time", "uuid"}
ONLY_IN = {
    "aiohttp": "engine",
    "torch": "engine",
    "transformers": "engine",
    "peft": "engine",
    "safetensors": "engine",
    "websockets": "transport",
    "sqlite3": "storage",
}
MAX_LINES = 400

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


def package_of(module: str) -> str:
    """The room a module is in: a floor of the server, else a package."""
    top, *rest = module.split(".")
    return f"{top}.{rest[0]}" if top == "callsheet_server" and rest else top


def between_packages(arrows: Arrows) -> dict[str, set[str]]:
    rooms: defaultdict[str, set[str]] = defaultdict(set)
    for source, targets in arrows.items():
        for target in targets:
            if package_of(source) != package_of(target):
                rooms[package_of(source)].add(package_of(target))
    return rooms


def circle(arrows: Arrows) -> list[str]:
    """Find one circle of imports: its members in order, the first again at the end."""
    done: set[str] = set()
    for start in arrows:
        path: dict[str, Iterator[str]] = {start: iter(sorted(arrows[start]))}
        while path:
            here = next(reversed(path))
            step = next(path[here], None)
            if step is None:
                done.add(here)
                del path[here]
            elif step in path:
                members = list(path)
                return [*members[members.index(step) :], step]
            elif step not in done and step in arrows:
                path[step] = iter(sorted(arrows[step]))
    return []


def arrows_up(arrows: Arrows) -> list[str]:
    rank = {f"callsheet_server.{floor}": height for height, floor in enumerate(FLOORS)}
    return [
        f"{source} -> {target}"
        for source, targets in arrows.items()
        for target in sorted(targets)
        if package_of(source) in rank
        and rank.get(package_of(target), -1) > rank[package_of(source)]
    ]


def test_no_circle_of_files() -> None:
    assert circle(ARROWS) == []


def test_no_circle_of_packages() -> None:
    assert circle(between_packages(ARROWS)) == []


def test_a_circle_is_found_where_there_is_one() -> None:
    assert circle({"a": {"b"}, "b": {"c", "d"}, "c": set(), "d": {"b"}}) == ["b", "d", "b"]
    hidden = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p import b\n"
    inside = "def f():\n    import p.a\n"
    known = {"p", "p.a", "p.b"}
    arrows = {
        "p.a": set(imported("p.a", hidden, known, is_package=False)) & known,
        "p.b": set(imported("p.b", inside, known, is_package=False)) & known,
    }
    assert circle(arrows) == ["p.a", "p.b", "p.a"]


def test_every_room_of_the_server_has_its_floor() -> None:
    rooms = {package_of(name).removeprefix("callsheet_server.") for name in MODULES}
    assert rooms - PACKAGES.keys() == set(FLOORS)


def test_a_floor_imports_lower_ones_only() -> None:
    assert arrows_up(ARROWS) == []


def test_an_import_up_a_floor_is_found() -> None:
    up = {"callsheet_server.world.key": {"callsheet_server.engine.engine"}}
    assert arrows_up(up) == ["callsheet_server.world.key -> callsheet_server.engine.engine"]


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
        and package_of(name) != f"callsheet_server.{floor}"
        and any(target.split(".")[0] == package for target in targets)
    ]
    assert found == []


def test_pure_floors_read_no_clock_and_draw_nothing_at_random() -> None:
    found = [
        f"{name} -> {target}"
        for name, targets in IMPORTS.items()
        if package_of(name).removeprefix("callsheet_server.") in PURE
        for target in targets
        if target.split(".")[0] in CLOCKS or target.startswith("numpy.random")
    ]
    assert found == []


def test_sql_is_written_in_storage_only() -> None:
    verbs = ("SELECT ", "INSERT ", "DELETE FROM ", "UPDATE ", "PRAGMA ", "CREATE TABLE ")
    found = [
        f"{name}, line {node.lineno}"
        for name, path in MODULES.items()
        if package_of(name) != "callsheet_server.storage"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith(verbs)
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
