"""Prometheus with the configuration of docs/deploy.md, and the other files there."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import textwrap
import tomllib
import urllib.request
from configparser import ConfigParser
from pathlib import Path

import pytest
from deploy.configurations import ROOT, changed, configuration
from ports import free_port
from telemetry.small_world import serving

from callsheet_cli import main

pytestmark = pytest.mark.process


@pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="prometheus: not here: apt-get install prometheus"
)
async def test_prometheus_reads_the_metrics_and_promtool_likes_them(tmp_path: Path) -> None:
    async with serving() as server:
        (tmp_path / "observer.token").write_text("secret\n")
        text = changed(
            configuration("yaml"),
            ("/etc/callsheet/", f"{tmp_path}/"),
            ("127.0.0.1:8765", f"127.0.0.1:{server.port}"),
            ("scrape_interval: 15s", "scrape_interval: 1s"),
        )
        file = tmp_path / "prometheus.yml"
        await asyncio.to_thread(file.write_text, text)
        await asyncio.to_thread(
            subprocess.run, ["promtool", "check", "config", str(file)], check=True
        )
        url = f"http://127.0.0.1:{server.port}/metrics"
        metrics = await asyncio.to_thread(read, url)
        checked = await asyncio.to_thread(
            subprocess.run,
            ["promtool", "check", "metrics"],
            input=metrics.encode(),
            capture_output=True,
        )
        assert checked.returncode == 0, checked.stderr.decode() + checked.stdout.decode()
        port = free_port()
        process = await asyncio.create_subprocess_exec(
            *("prometheus", f"--config.file={file}", f"--storage.tsdb.path={tmp_path}/data"),
            f"--web.listen-address=127.0.0.1:{port}",
            stderr=subprocess.DEVNULL,
        )
        try:
            api = f"http://127.0.0.1:{port}/api/v1/query?query=callsheet_ticks_total"
            while not await asyncio.to_thread(results, api):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        finally:
            process.terminate()
            await process.wait()


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read().decode())


def results(url: str) -> list[object]:
    try:
        found: list[object] = json.loads(read(url))["data"]["result"]
    except OSError:
        return []
    return found


def test_the_settings_of_the_document_are_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    block = text.partition("# /etc/callsheet/callsheet.toml\n")[2].partition("\nFour things")[0]
    file = tmp_path / "callsheet.toml"
    file.write_text(textwrap.dedent(block))
    assert tomllib.loads(file.read_text())["server"]["allowed_hosts"] == ["npc.example.org"]
    assert main(["serve", "--list-settings", "--config", str(file)]) == 0
    assert 'allowed_hosts = ["npc.example.org"]' in capsys.readouterr().out


def test_the_unit_is_one(tmp_path: Path) -> None:
    text = configuration("ini")
    unit = ConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(text)
    assert unit["Service"]["Restart"] == "always"
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd: no systemd-analyze here: apt-get install systemd")
    program = changed(text, ("/opt/callsheet/bin/callsheet", shutil.which("true") or ""))
    file = tmp_path / "callsheet.service"
    file.write_text(program)
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)], capture_output=True, text=True
    )
    wrong = [line for line in found.stderr.splitlines() if "callsheet.service" in line]
    assert wrong == []
