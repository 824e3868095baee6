"""The contributor's kit: hooks, workflows and pages name files and commands that exist."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / ".github" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lines_run(workflow: Path) -> list[str]:
    jobs = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


def commands_told() -> list[str]:
    """Every line that calls run.py or a script of ours, in workflows, hooks and pages."""
    told = [line for workflow in WORKFLOWS for line in lines_run(workflow)]
    told += [hook["entry"] for hook in load(".pre-commit-config.yaml")["repos"][0]["hooks"]]
    for page in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        told += re.findall(r"`((?:python3? |py |\.venv/bin/)[^`\n]+)`", text)
        told += re.findall(r"^    ((?:python3|\.venv/bin/)[^#\n]+)", text, re.MULTILINE)
    return told


@pytest.mark.parametrize("command", commands_told())
def test_scripts_flags_and_extras_that_are_told_exist(command: str) -> None:
    for path in re.findall(r"(?<![\w/.-])((?:[\w.~-]+/)*[\w~-]+\.py)\b", command):
        if path != "guard.py":  # a modder's own file
            assert (ROOT / path).is_file(), path
    for flag in re.findall(r"run\.py test.*?(--[\w-]+)", command):
        assert f'"{flag}"' in (ROOT / "run.py").read_text(encoding="utf-8")
    for extras in re.findall(r"\.\[([\w,]+)\]", command):
        assert set(extras.split(",")) <= set(PROJECT["optional-dependencies"])


def test_the_tests_run_on_every_system_and_python_that_is_promised() -> None:
    matrix = load(".github/workflows/tests.yml")["jobs"]["tests"]["strategy"]["matrix"]
    assert set(matrix["system"]) == {"ubuntu-latest", "windows-latest", "macos-latest"}
    promised = [mark for mark in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", mark)]
    assert matrix["python"] == [mark.rpartition(" ")[2] for mark in promised]


def test_only_publishing_may_do_more_than_read() -> None:
    for workflow in WORKFLOWS:
        described = load(str(workflow.relative_to(ROOT)))
        assert described["permissions"] == {"contents": "read"}
        asking = [name for name, job in described["jobs"].items() if "permissions" in job]
        assert asking == (["publish", "docs"] if workflow.stem == "release" else [])


def test_dependabot_watches_packages_and_actions() -> None:
    watched = {update["package-ecosystem"] for update in load(".github/dependabot.yml")["updates"]}
    assert watched == {"pip", "github-actions"}


def test_hooks_fetch_nothing() -> None:
    repos = load(".pre-commit-config.yaml")["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    assert {hook["language"] for hook in repos[0]["hooks"]} == {"system"}


def test_links_of_the_contributors_page_lead_somewhere() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page)
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("a.md", "one\n", ""),
        ("a.md", "", ""),
        ("a.md", "one", "line end"),
        ("a.md", "one\n\n", "line end"),
        ("a.yml", "a: [\n", "parsed"),
        ("a.toml", "a = \n", "parsed"),
        ("a.json", "{\n", "parsed"),
        ("a.json", "{}\n", ""),
    ],
)
def test_the_hook_for_text_files(
    name: str, text: str, fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text(text, newline="")
    assert script("check_text_files").main([str(tmp_path / name)]) == (1 if fault else 0)
    assert fault in capsys.readouterr().out


def test_everything_names_the_repository_alike() -> None:
    assert script("repository").faults(ROOT) == []


def test_the_repositorys_address_is_set_everywhere_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = script("repository")
    for name in ("pyproject.toml", repository.MANIFEST, repository.OPENUPM, *repository.PAGES):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for address in ("https://git.example/a/b", "https://git.example/c/d"):
        assert repository.main([address], tmp_path) == 0
        assert repository.address(tmp_path) == address
        for page in repository.PAGES:
            text = (tmp_path / page).read_text(encoding="utf-8")
            assert f"`{address}.git?path=/sdk_unity" in text
        manifest = json.loads((tmp_path / repository.MANIFEST).read_text(encoding="utf-8"))
        assert manifest["repository"]["url"] == f"{address}.git"
        for field in ("documentationUrl", "changelogUrl", "licensesUrl"):
            path = manifest[field].removeprefix(f"{address}/blob/main/")
            assert (ROOT / path).is_file(), field
        metadata = yaml.safe_load((tmp_path / repository.OPENUPM).read_text(encoding="utf-8"))
        assert metadata["repoUrl"] == address
    assert repository.main(["git.example/a/b"], tmp_path) == 2
    (tmp_path / "sdk_unity/README.md").write_text("`https://other.example/x.git?path=/sdk_unity`\n")
    assert repository.main([], tmp_path) == 1
    assert "sdk_unity/README.md" in capsys.readouterr().err
