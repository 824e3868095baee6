"""The rules of the server's layout, read off the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SERVER = ROOT / "server" / "callsheet_server"
LAYERS = ("transport", "storage", "session", "world", "distance", "residency", "engine", "reply")
"""In the order of a tick's journey; a layer imports itself and earlier ones."""
CLOCKS = {"asyncio", "datetime", "random", "secrets", "time", "uuid"}
MAY_READ_CLOCKS = {"transport", "storage", "engine"}
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


def sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def imported_modules(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, absolute module) of every import, nested and type-checking ones included."""
    package = path.relative_to(SERVER.parent).parent.parts if SERVER in path.parents else ()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, node.module or "")).rstrip(".")
            yield node.lineno, module
            # `from callsheet_server import engine` imports a layer too
            if module == "callsheet_server":
                yield from (
                    (node.lineno, f"{module}.{alias.name}")
                    for alias in node.names
                    if (SERVER / alias.name).is_dir() or (SERVER / f"{alias.name}.py").is_file()
                )


def layer_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "callsheet_server" and len(parts) > 1 else None


def layer_violations(layer: str, imports: Iterator[tuple[int, str]]) -> list[str]:
    found = []
    for line, module in imports:
        target = layer_of(module)
        if target is None:
            continue
        if target not in LAYERS or LAYERS.index(target) > LAYERS.index(layer):
            found.append(f"line {line}: {layer}/ imports {module}")
    return found


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_imports_only_itself_and_earlier_ones(layer: str) -> None:
    found = [
        f"{path.relative_to(ROOT)} {violation}"
        for path in sources(SERVER / layer)
        for violation in layer_violations(layer, imported_modules(path))
    ]
    assert found == []


def test_the_layer_rule_sees_an_upward_import() -> None:
    imports = iter([(1, "callsheet_server.world.key"), (2, "callsheet_server.engine.engine")])
    assert layer_violations("world", imports) == [
        "line 2: world/ imports callsheet_server.engine.engine"
    ]


@pytest.mark.parametrize(("package", "layer"), ONLY_IN.items())
def test_only_one_layer_imports_a_heavy_package(package: str, layer: str) -> None:
    found = [
        f"{path.relative_to(ROOT)} line {line}"
        for path in sources(SERVER)
        if SERVER / layer not in path.parents
        for line, module in imported_modules(path)
        if module.partition(".")[0] == package
    ]
    assert found == []


@pytest.mark.parametrize("layer", [layer for layer in LAYERS if layer not in MAY_READ_CLOCKS])
def test_a_pure_layer_imports_no_clock_and_no_randomness(layer: str) -> None:
    found = [
        f"{path.relative_to(ROOT)} line {line}: {module}"
        for path in sources(SERVER / layer)
        for line, module in imported_modules(path)
        if module.partition(".")[0] in CLOCKS or module.startswith("numpy.random")
    ]
    assert found == []


def test_files_are_small_and_named_for_what_they_hold() -> None:
    code = [*sources(ROOT / "server"), *sources(ROOT / "sdk_python"), ROOT / "run.py"]
    long = {
        str(path.relative_to(ROOT)): lines
        for path in code
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }
    assert long == {}
    vague = [path.name for path in code if path.stem in ("utils", "util", "helpers", "misc")]
    assert vague == []
