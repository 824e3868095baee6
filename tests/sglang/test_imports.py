"""Imports of the plugin: sglang only where it says so. Its floors: tests/test_architecture.py."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from pkgutil import resolve_name

import pytest

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "server"
PLUGIN, CPU = "callsheet_sglang", "callsheet_sglang_cpu"
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


MODULES = {
    module_of(path) for package in (PLUGIN, CPU) for path in (SERVER / package).rglob("*.py")
}


@pytest.mark.parametrize("foreign", ["sglang", "torch", "callsheet_server"])
def test_what_says_so_needs_sglang_and_nothing_else_does(foreign: str) -> None:
    modules = sorted(MODULES - NEED_SGLANG)
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
