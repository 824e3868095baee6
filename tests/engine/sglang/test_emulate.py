"""`sglang.emulate`: the launch of an SGLang at a named GPU's speed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.sglang.local import _specify
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_sglang.launch.spec import LaunchSpec, arguments, environment
from callsheet_sglang_cpu.emulated_gpu.machine import Emulation, named

PAIR = "l40s/llama-3.1-8b"


def specify(model: Path, pair: str) -> LaunchSpec:
    settings = SglangSettings(model=str(model), emulate=pair, python=Path("/usr/bin/python3"))
    return _specify(settings, lambda _: None)


@pytest.fixture
def tokenizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of a model, as far as its tokenizer is concerned."""
    monkeypatch.setenv("CALLSHEET_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"vocab_size": 777, "eos_token_id": 5}))
    (folder / "tokenizer.json").write_text("{}")
    return folder


def test_it_runs_on_cpu_at_the_gpus_speed_with_the_gpus_pool(tokenizer: Path) -> None:
    spec = specify(tokenizer, PAIR)
    assert spec.device == "cpu"
    assert spec.pool_tokens == int((0.88 * 48e9 - 16.06e9) / 131_072)
    assert spec.emulated_gpu is not None
    assert Emulation.load(spec.emulated_gpu) == Emulation(named(PAIR))
    config = json.loads((spec.model / "config.json").read_text())
    assert (config["vocab_size"], config["num_hidden_layers"]) == (777, 1)
    assert (spec.model / "tokenizer.json").exists()
    assert "dummy" in arguments(spec)
    assert str(spec.emulated_gpu) in environment(spec, {}).values()


def test_an_unknown_gpu_or_a_model_too_large_ends_the_start(tokenizer: Path) -> None:
    with pytest.raises(EngineStartError, match="GPUs are"):
        specify(tokenizer, "rtx9090/llama-3.1-8b")
    with pytest.raises(EngineStartError, match="does not fit"):
        specify(tokenizer, "rtx4060ti/mistral-nemo-12b")


def test_one_gpu_is_emulated_not_several() -> None:
    with pytest.raises(ValueError, match="tensor_parallel is left out"):
        LaunchSpec(
            python=Path("python"),
            model=Path("model"),
            port=1,
            device="cpu",
            emulated_gpu=Path("gpu.json"),
            tensor_parallel=2,
        )
