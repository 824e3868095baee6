"""A release: its version, its archives, what each extra brings, its list of components."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from sglang.test_imports import NEED_SGLANG
from test_dependencies import distributions
from test_wheel import PACKAGES

ROOT = Path(__file__).parent.parent
UNITY = ROOT / "sdk_unity"
VERSION: dict[str, Any] = runpy.run_path(str(ROOT / ".github" / "version.py"))
pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_one_command_sets_the_version_everywhere(tmp_path: Path) -> None:
    for path in (*VERSION["PLACES"], *VERSION["CHANGELOGS"]):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    for path in VERSION["CHANGELOGS"]:
        text = (tmp_path / path).read_text("utf-8")
        begun = text.replace("\n## [", "\n## [Unreleased]\n\n## [", 1)
        (tmp_path / path).write_text(begun, "utf-8")
    assert VERSION["main"](["9.8.7"], tmp_path) == 0
    assert '__version__ = "9.8.7"' in (tmp_path / VERSION["SOURCE"]).read_text("utf-8")
    assert re.search(
        r"^## \[9\.8\.7\] - \d{4}-", (tmp_path / "CHANGELOG.md").read_text("utf-8"), re.M
    )
    (tmp_path / "docs" / "unity.md").write_text("`#v9.8.6`")
    assert VERSION["main"]([], tmp_path) == 1
    assert VERSION["main"](["two"], tmp_path) == 2


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archives for Python, as a release builds them."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-d", folder)
    return folder


def test_twine_likes_the_archives(dist: Path) -> None:
    files = sorted(dist.iterdir())
    assert [file.suffix for file in files] == [".whl", ".gz"] or len(files) == 2
    run(sys.executable, "-m", "twine", "check", "--strict", *files)


def test_the_source_archive_builds_the_same_wheel(dist: Path, tmp_path: Path) -> None:
    import zipfile

    (archive,) = dist.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    run(
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "-t",
        "wheel",
        "-d",
        tmp_path / "out",
        cwd=source,
    )
    (again,), (wheel,) = (tmp_path / "out").iterdir(), dist.glob("*.whl")
    with zipfile.ZipFile(again) as one, zipfile.ZipFile(wheel) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())


IMPORT_ALL = '''
import importlib, json, pkgutil, sys
from importlib.machinery import PathFinder

allowed, packages = json.loads(sys.argv[1]), sys.argv[2:]


class OnlyWhatIsNamed(PathFinder):
    """Find no module that only other extras bring."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in allowed or name.startswith("_sysconfigdata"):
            return super().find_spec(name, path, target)


sys.meta_path[sys.meta_path.index(PathFinder)] = OnlyWhatIsNamed
missing = {}
for package in packages:
    for module in [package, *(m.name for m in pkgutil.walk_packages(
            importlib.import_module(package).__path__, package + "."))]:
        if module.endswith("__main__"):
            continue
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            missing[module] = error.name
print(json.dumps(missing))
'''
TORCH = {"accelerate", "gguf", "peft", "safetensors", "tokenizers", "torch", "transformers"}
ON_RAY = {f"callsheet_server.engine.on_ray.{name}" for name in ("pool", "told")}
"""Run in processes of their own; the rest imports them where it has found Ray."""


def missing_with(tmp_path: Path, extras: tuple[str, ...], *packages: str) -> dict[str, str]:
    """Import every module with only what these extras name; module -> what it lacks."""
    allowed = {*sys.stdlib_module_names, *PACKAGES, *packages}
    for extra in ("", *extras):
        for one in distributions("callsheet", [extra]):
            files = one.files or ()
            allowed |= {
                file.parts[0].partition(".")[0] for file in files if file.suffix in (".py", ".so")
            }
    program = tmp_path / "import_all.py"
    program.write_text(IMPORT_ALL)
    found: dict[str, str] = json.loads(
        run(sys.executable, program, json.dumps(sorted(allowed)), *packages)
    )
    return found


def test_the_light_install_imports_client_and_mods(tmp_path: Path) -> None:
    assert missing_with(tmp_path, (), "callsheet") == {}
    assert missing_with(tmp_path, (), "callsheet_residency") == {}


def test_the_server_extra_imports_all_but_what_torch_and_ray_run(tmp_path: Path) -> None:
    found = missing_with(tmp_path, ("server",), "callsheet_server", "callsheet_cli")
    assert {name for name, lacks in found.items() if lacks == "ray"} <= ON_RAY
    of_torch = {name: lacks for name, lacks in found.items() if lacks != "ray"}
    assert set(of_torch.values()) <= TORCH
    assert of_torch
    assert all(".embedded" in name or ".models." in name for name in of_torch), of_torch


def test_the_torch_extra_brings_the_rest_but_ray(tmp_path: Path) -> None:
    found = missing_with(tmp_path, ("server", "torch"), "callsheet_server", "callsheet_cli")
    assert found == dict.fromkeys(ON_RAY, "ray")


def test_the_loadtest_extra_imports_the_load_test(tmp_path: Path) -> None:
    assert missing_with(tmp_path, ("loadtest",), "callsheet_loadtest") == {}


def test_the_bench_extra_imports_the_benchmarks(tmp_path: Path) -> None:
    """With those beside it that ``run.py bench`` installs."""
    assert missing_with(tmp_path, ("server", "torch", "bench"), "callsheet_bench") == {}


def test_the_sglang_extra_brings_all_that_the_plugin_lacks(tmp_path: Path) -> None:
    """Only SGLang, and packages that SGLang requires, are imported beside the light install."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (only,) = project["optional-dependencies"]["sglang"]
    assert only.startswith("sglang>=")
    found = missing_with(tmp_path, ("server",), "callsheet_sglang", "callsheet_sglang_cpu")
    assert found.keys() == NEED_SGLANG
    assert set(found.values()) <= {"sglang", "fastapi", "torch"}


def test_the_list_of_components_has_what_a_user_gets(tmp_path: Path) -> None:
    file = tmp_path / "sbom.json"
    tool = Path(sys.executable).parent / "cyclonedx-py"
    run(tool, "environment", "--pyproject", "pyproject.toml", "--output-file", file, sys.executable)
    bill = json.loads(file.read_text("utf-8"))
    listed = {one["name"].lower().replace("_", "-"): one for one in bill["components"]}
    shipped = [
        one.metadata["Name"].lower().replace("_", "-")
        for extra in ("", "server", "torch")
        for one in distributions("callsheet", [extra])
        if one.metadata["Name"] != "callsheet"
    ]
    assert len(set(shipped)) > 40
    assert [name for name in shipped if name not in listed] == []
    assert bill["metadata"]["component"]["name"] == "callsheet"


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm: not here: apt-get install npm")
def test_the_unity_archive_has_everything_with_its_meta(tmp_path: Path) -> None:
    run("npm", "pack", "--silent", "--pack-destination", tmp_path, UNITY)
    version = json.loads((UNITY / "package.json").read_text("utf-8"))["version"]
    with tarfile.open(tmp_path / f"com.callsheet.sdk-{version}.tgz") as file:
        packed = {name.removeprefix("package/") for name in file.getnames()}
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=UNITY)
    there = {name for name in listed.splitlines() if (UNITY / name).exists()}
    assert packed == there - {".npmignore"}
    assets = {name for name in packed if "~/" not in name and not name.endswith(".meta")}
    assert len(assets) > 100
    assert {name for name in assets if f"{name}.meta" not in packed} == set()
