"""Promises of the files around the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from callsheet._version import __version__
from callsheet_cli.main import COMMANDS

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~;\[ ]", requirement)[0] for requirement in requirements}


OWN_EXTRAS = {"callsheet[server]"}


def test_the_light_install_stays_light() -> None:
    assert names(PROJECT["dependencies"]) == {"numpy", "orjson", "pydantic", "websockets"}


def test_every_requirement_has_a_lower_bound() -> None:
    extras: dict[str, list[str]] = PROJECT["optional-dependencies"]
    own = {"server", "llamacpp", "torch", "sglang", "ray", "loadtest", "bench", "bundle", "dev"}
    assert set(extras) == own
    for requirement in [
        *PROJECT["dependencies"],
        *(line for lines in extras.values() for line in lines),
    ]:
        assert ">=" in requirement or requirement in OWN_EXTRAS, requirement


def test_run_py_installs_a_torch_that_the_server_takes() -> None:
    chosen = re.search(r'^TORCH = "(\d+)\.(\d+)', (ROOT / "run.py").read_text(), re.MULTILINE)
    asked = re.search(r"torch>=(\d+)\.(\d+)", str(PROJECT["optional-dependencies"]["torch"]))
    assert chosen
    assert asked
    assert tuple(map(int, chosen.groups())) >= tuple(map(int, asked.groups()))


def test_readme_and_ci_name_commands_that_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "python3 run.py demo" in readme
    assert "python3 run.py test" in readme
    assert "python3 run.py test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    commands = {command.__name__.rpartition(".")[2] for command in COMMANDS}
    told = set(re.findall(r"^(?:    |\$ )callsheet ([a-z]+)", readme, re.MULTILINE))
    assert told <= commands


def test_readme_links_to_files_that_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", readme)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_version_is_in_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{__version__}]" in changelog or "## [Unreleased]" in changelog


def test_the_license_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert PROJECT["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
