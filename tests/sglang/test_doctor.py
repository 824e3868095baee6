"""The doctor's report on a real, running SGLang."""

from __future__ import annotations

import pytest
from sglang_harness import Sglang

from callsheet_cli.check_sglang import check_running
from callsheet_cli.checks import Finding
from callsheet_sglang_cpu.venv import SGLANG_VERSION

pytestmark = pytest.mark.sglang


def found(url: str, api_key: str | None = None) -> dict[str, Finding]:
    return {finding.check: finding for finding in check_running(url, api_key)}


def test_a_stock_sglang_lacks_only_the_plugin_and_priorities(stock_sglang: Sglang) -> None:
    findings = found(stock_sglang.url)
    status = {check: finding.status for check, finding in findings.items()}
    assert status == {
        "sglang": "ok",
        "hicache": "ok",
        "lora": "ok",
        "metrics": "ok",
        "priority": "warn",
        "plugin": "fail",
    }
    assert findings["sglang"].detail.startswith(f"{SGLANG_VERSION} serves ")
    assert "--radix-cache-backend callsheet" in findings["plugin"].fix


def test_with_plugin_and_key_nothing_is_wrong(plugin_sglang: Sglang) -> None:
    findings = found(plugin_sglang.url, plugin_sglang.api_key)
    assert {finding.status for finding in findings.values()} == {"ok"}
    assert "decides what stays" in findings["plugin"].detail


@pytest.mark.parametrize("key", [None, "wrong"])
def test_without_the_right_key_the_doctor_asks_for_it(
    plugin_sglang: Sglang, key: str | None
) -> None:
    (finding,) = found(plugin_sglang.url, key).values()
    assert finding.status == "fail"
    assert "--api-key-env" in finding.fix
