from __future__ import annotations

import pytest

from callsheet_residency.settings import PolicySettings
from callsheet_sglang.settings import SETTINGS_VARIABLE, PluginSettings, read_settings


def test_without_the_variable_the_defaults_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SETTINGS_VARIABLE, raising=False)
    assert read_settings() == PluginSettings()


def test_settings_survive_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = PluginSettings(
        policy=PolicySettings(prefetch_horizon_s=3.0), prefetch_link_ms=5.0, demote=False
    )
    monkeypatch.setenv(SETTINGS_VARIABLE, settings.model_dump_json())
    assert read_settings() == settings


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "CALLSHEET_SGLANG_SETTINGS"),
        ('{"prefetch_link_ms": 0}', "prefetch_link_ms"),
        ('{"unheard_of": 1}', "unheard_of"),
        ('{"policy": {"policy": "lru"}}', "policy.policy"),
    ],
)
def test_a_bad_value_is_named(monkeypatch: pytest.MonkeyPatch, text: str, complaint: str) -> None:
    monkeypatch.setenv(SETTINGS_VARIABLE, text)
    with pytest.raises(ValueError, match=complaint):
        read_settings()
