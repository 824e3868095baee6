"""The wheel that users install, built and tried."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "callsheet",
    "callsheet_cli",
    "callsheet_loadtest",
    "callsheet_residency",
    "callsheet_server",
    "callsheet_sglang",
    "callsheet_sglang_cpu",
}
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("callsheet-*-py3-none-any.whl")
    return path


@pytest.fixture(scope="module")
def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_every_file_of_every_package_is_in_and_nothing_else(contents: set[str]) -> None:
    tops = {name.partition("/")[0] for name in contents}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard",
         "sdk_python", "server", "loadtest/callsheet_loadtest"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if listed.returncode != 0:
        pytest.skip("wheel: not a git checkout, so nothing says which files belong in it")
    tracked = {path.partition("/")[2] for path in listed.stdout.split() if (ROOT / path).exists()}
    expected = {path for path in tracked if path.partition("/")[0] in PACKAGES}
    assert {name for name in contents if ".dist-info/" not in name} == expected


def test_files_that_are_no_python_are_in(contents: set[str]) -> None:
    assert {f"{package}/py.typed" for package in PACKAGES} <= contents
    assert any(name.endswith("/index.html") and "/page/" in name for name in contents)
    assert any(name.endswith("/report.html") for name in contents)
    assert any("callsheet_sglang_cpu/stubs/" in name for name in contents)


def test_it_installs_and_runs_with_the_light_dependencies_alone(
    wheel: Path, tmp_path: Path
) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    scripts = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}

    def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [scripts / command[0], *command[1:]],
            cwd=tmp_path, env=clean, capture_output=True, text=True,
        )  # fmt: skip

    installed = run("python", "-m", "pip", "install", "--quiet", "--retries", "1", wheel)
    if installed.returncode != 0:
        signs = ("No matching distribution", "Could not find a version", "Connection", "timed out")
        assert any(sign in installed.stderr for sign in signs), installed.stderr
        pytest.skip("wheel: pip cannot reach a package index; THE WHEEL WAS NOT INSTALLED")
    imported = run("python", "-c", "import callsheet; print(callsheet.__file__)")
    assert str(tmp_path) in imported.stdout, imported.stderr
    assert "examples:" in run("callsheet", "--help").stdout
    bench = run("callsheet", "bench", "sglang", "--estimate")
    assert bench.returncode == 2
    assert bench.stderr == (
        "callsheet: benchmarks are not part of the installed package; run them from a checkout: "
        "python3 run.py bench\n"
    )
