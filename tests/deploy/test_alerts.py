"""The alerts and the dashboard of the documents, against a server and by the real promtool."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from deploy.configurations import ROOT
from telemetry.small_world import scrape, serving

ALERTS = ROOT / "docs" / "prometheus" / "alerts.yml"
UNIT_TEST = """
rule_files: [{rules}]
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - series: callsheet_replies_total{{instance="one",finish_reason="error"}}
        values: {errors}
      - series: callsheet_storage_failures_total{{instance="one"}}
        values: 0x20
      - series: up{{instance="one",job="callsheet"}}
        values: {up}
    alert_rule_test:
      - {{eval_time: 3m, alertname: CallsheetEngineFails, exp_alerts: {fails}}}
      - {{eval_time: 3m, alertname: CallsheetStorageFails, exp_alerts: []}}
      - {{eval_time: 3m, alertname: CallsheetDown, exp_alerts: {down}}}
"""
FAILS = """[{exp_labels: {severity: warning, instance: one}, exp_annotations: {summary:
"Replies break off: see callsheet_errors_total by code, and the log"}}]"""
DOWN = """[{exp_labels: {severity: critical, instance: one, job: callsheet}, exp_annotations:
{summary: "one does not answer"}}]"""
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool: not here: apt-get install prometheus"
)


async def test_every_metric_of_an_alert_is_on_a_fresh_server() -> None:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    queries = [rule["expr"] for group in groups for rule in group["rules"]]
    named = {name for query in queries for name in re.findall(r"callsheet_\w+", query)}
    async with serving() as server:
        seen = {name.partition("{")[0] for name in await scrape(server)}
    assert len(named) >= 5
    assert named - seen == set()


@needs_promtool
@pytest.mark.process
def test_promtool_likes_the_alerts() -> None:
    done = subprocess.run(
        ["promtool", "check", "rules", "--lint-fatal", str(ALERTS)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.process
@pytest.mark.parametrize(
    ("errors", "up", "fails", "down"),
    [("0x20", "1x20", "[]", "[]"), ("0x8 1x12", "1x20", FAILS, "[]"), ("0x20", "0x20", "[]", DOWN)],
    ids=["all is well", "the first error there ever was", "down"],
)
def test_alerts_are_raised(tmp_path: Path, errors: str, up: str, fails: str, down: str) -> None:
    file = tmp_path / "test.yml"
    file.write_text(UNIT_TEST.format(rules=ALERTS, errors=errors, up=up, fails=fails, down=down))
    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
