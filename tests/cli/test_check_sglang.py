"""The doctor's report on an SGLang."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from callsheet import __version__
from callsheet_cli import main
from callsheet_cli.check_sglang import check_installed, check_running, judge_plugin, judge_server
from callsheet_cli.checks import Finding

GOOD: Mapping[str, Any] = {
    "version": "0.5.23",
    "served_model_name": "town",
    "device": "cuda",
    "max_total_num_tokens": 9000,
    "enable_hierarchical_cache": True,
    "hicache_ratio": 4.0,
    "hicache_write_policy": "write_through",
    "enable_lora": True,
    "max_loras_per_batch": 8,
    "enable_metrics": True,
    "enable_priority_scheduling": True,
    "radix_cache_backend": "callsheet",
}
STATUS = {"plugin_version": __version__}


def found(**changes: Any) -> dict[str, Finding]:
    server = {**GOOD, **changes}
    return {f.check: f for f in (*judge_server(server), *judge_plugin(server, STATUS))}


def test_nothing_is_wrong_with_one_that_callsheet_has_launched() -> None:
    assert {finding.status for finding in found().values()} == {"ok"}
    assert found()["sglang"].detail == "0.5.23 serves town on cuda, 9000 tokens of KV"
    assert found()["lora"].detail == "8 adapter slots"


@pytest.mark.parametrize(
    ("changes", "check", "status", "fix"),
    [
        ({"version": "0.5.20"}, "sglang", "fail", "install a supported one"),
        ({"version": "0.6.0"}, "sglang", "fail", "install a supported one"),
        ({"version": None}, "sglang", "fail", "install a supported one"),
        ({"enable_hierarchical_cache": False}, "hicache", "warn", "--enable-hierarchical-cache"),
        ({"hicache_write_policy": "write_back"}, "hicache", "warn", "write_through"),
        ({"enable_lora": None}, "lora", "ok", ""),
        ({"enable_metrics": False}, "metrics", "warn", "--enable-metrics"),
        (
            {"enable_priority_scheduling": False},
            "priority",
            "warn",
            "--enable-priority-scheduling --schedule-low-priority-values-first",
        ),
        ({"radix_cache_backend": None}, "plugin", "fail", "--radix-cache-backend callsheet"),
    ],
)
def test_each_fault_is_named_with_its_fix(
    changes: dict[str, Any], check: str, status: str, fix: str
) -> None:
    findings = found(**changes)
    assert findings[check].status == status
    assert fix in findings[check].fix
    assert {f.status for name, f in findings.items() if name != check} == {"ok"}


def test_a_missing_plugin_and_one_of_another_version_are_told_apart() -> None:
    (missing,) = judge_plugin(GOOD, None)
    assert missing.status == "fail"
    assert "CALLSHEET_SGLANG=1" in missing.fix
    (older,) = judge_plugin(GOOD, {"plugin_version": "0.0.1"})
    assert (older.status, older.detail) == ("warn", f"0.0.1 in there, {__version__} here")


def test_nobody_at_the_address(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:  # bound, so that no other process listens there
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        (finding,) = check_running(url, None)
        assert main(["doctor", "--port", "0", "--sglang-url", url]) == 1
    assert finding.status == "fail"
    assert "does not answer: [Errno 111]" in finding.detail
    assert finding.detail in capsys.readouterr().out


def test_a_key_that_is_not_set_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    argv = ["doctor", "--sglang-url", "http://127.0.0.1:1", "--api-key-env", "NO_SUCH_KEY"]
    assert main(argv) == 2
    assert "NO_SUCH_KEY: no such environment variable" in capsys.readouterr().err


def test_an_interpreter_without_sglang_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLSHEET_SGLANG_PYTHON", sys.executable)
    (finding,) = check_installed()
    assert finding.status == "fail"
    assert "No package metadata was found for sglang" in finding.detail


@pytest.mark.sglang
def test_the_environment_for_cpu_mode_passes() -> None:
    (finding,) = check_installed()
    assert finding.status == "ok"
    assert f"with the plugin of callsheet {__version__}" in finding.detail
