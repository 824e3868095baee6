"""LoRA files as people have them: what fits, and what is said of the rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from engine.harness import save_adapter
from safetensors.torch import load_file, save_file

from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.models.adapters import AdapterFiles, read_adapters

Weights = dict[str, torch.Tensor]


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """An adapter that fits."""
    return save_adapter(tmp_path / "x", tiny_model, ["q_proj"])


def read(folder: Path, model: Path | str, model_folder: Path | None = None) -> AdapterFiles:
    place = model_folder or Path(model)
    return read_adapters("embedded", {"x": folder}, str(model), place)["x"]


def configure(folder: Path, **fields: Any) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def rewrite(folder: Path, change: Callable[[Weights], Weights]) -> None:
    path = folder / "adapter_model.safetensors"
    save_file(change(load_file(path)), path)


def test_an_adapter_that_fits_is_counted(folder: Path, tiny_model: Path) -> None:
    found = read(folder, tiny_model)
    assert found.parameters == 2 * (2 * 32 + 32 * 2)
    configure(folder, lora_alpha=99)
    assert read(folder, tiny_model).fingerprint != found.fingerprint


@pytest.mark.parametrize(
    "config",
    [
        {"target_modules": "all-linear"},
        {"target_modules": r".*\.(q|k)_proj"},
        {"layers_to_transform": [1]},
        {"use_rslora": True},
        {"rank_pattern": {"layers.0.self_attn.q_proj": 4}, "alpha_pattern": {"q_proj": 3}},
    ],
    ids=lambda config: next(iter(config)),
)
def test_what_peft_can_apply_per_npc_fits(
    tiny_model: Path, tmp_path: Path, config: dict[str, Any]
) -> None:
    targets = config.pop("target_modules", ["q_proj"])
    read(save_adapter(tmp_path / "x", tiny_model, targets, **config), tiny_model)


def refused(folder: Path, model: Path, *words: str) -> None:
    with pytest.raises(EngineStartError) as error:
        read(folder, model)
    told = str(error.value)
    assert told.startswith(f"embedded.adapters.x: {folder} ")
    for word in words:
        assert word in told


def test_missing_weights_are_named(folder: Path, tiny_model: Path) -> None:
    rewrite(folder, lambda weights: {k: v for k, v in weights.items() if "layers.0" in k})
    refused(
        folder, tiny_model, "lacks 2 of the 4 weights", "model.layers.1.self_attn.q_proj.lora_A"
    )


def test_weights_under_other_names_are_missing(folder: Path, tiny_model: Path) -> None:
    rewrite(folder, lambda weights: {f"other.{k}": v for k, v in weights.items()})
    refused(folder, tiny_model, "lacks 4 of the 4 weights")


def test_more_targets_than_weights_are_named(folder: Path, tiny_model: Path) -> None:
    configure(folder, target_modules=["q_proj", "v_proj"])
    refused(folder, tiny_model, "lacks 4 of the 8 weights", "v_proj.lora_A.weight")


def test_surplus_weights_are_named(folder: Path, tiny_model: Path) -> None:
    whole = {"base_model.model.lm_head.weight": torch.zeros(2)}
    rewrite(folder, lambda weights: {**weights, **whole})
    refused(folder, tiny_model, "no place in the model: lm_head.weight")


def test_another_models_weights_are_told_with_their_model(folder: Path, tiny_model: Path) -> None:
    configure(folder, base_model_name_or_path="meta-llama/Llama-3.2-1B")
    rewrite(folder, lambda weights: {k: torch.cat([v, v], 1) for k, v in weights.items()})
    refused(
        folder, tiny_model, "is 2 x 64, here it must be 2 x 32", "made for meta-llama/Llama-3.2"
    )


def test_a_rank_that_is_not_as_configured_is_told(folder: Path, tiny_model: Path) -> None:
    configure(folder, r=8)
    refused(folder, tiny_model, "is 2 x 32, here it must be 8 x 32")


def test_targets_that_the_model_lacks_are_told(folder: Path, tiny_model: Path) -> None:
    configure(folder, target_modules=["c_attn"])
    refused(folder, tiny_model, "c_attn", "made for")


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_named(folder: Path, tiny_model: Path, bad: float) -> None:
    name = "model.layers.1.self_attn.q_proj.lora_B.weight"
    rewrite(
        folder, lambda weights: {k: v.fill_(bad) if name in k else v for k, v in weights.items()}
    )
    refused(folder, tiny_model, f"no finite numbers: {name}")


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"use_dora": True}, "has use_dora = true"),
        ({"modules_to_save": ["lm_head"]}, 'has modules_to_save = ["lm_head"]'),
        ({"bias": "all"}, 'has bias = "all"'),
    ],
)
def test_what_cannot_be_applied_per_npc_is_told(
    tiny_model: Path, tmp_path: Path, config: dict[str, Any], told: str
) -> None:
    folder = save_adapter(tmp_path / "x", tiny_model, ["q_proj"], **config)
    refused(folder, tiny_model, told, "engine embedded cannot apply")


def test_another_kind_of_adapter_is_told(folder: Path, tiny_model: Path) -> None:
    ia3 = {"peft_type": "IA3", "target_modules": ["q_proj"], "feedforward_modules": []}
    (folder / "adapter_config.json").write_text(json.dumps(ia3))
    refused(folder, tiny_model, "is IA3; only LoRA works")


def test_files_that_are_missing_are_named(folder: Path, tiny_model: Path) -> None:
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    refused(folder, tiny_model, "adapter_model.safetensors missing")
    (folder / "adapter_config.json").unlink()
    refused(folder, tiny_model, "adapter_config.json and adapter_model.safetensors missing")


def test_damaged_files_are_told(folder: Path, tiny_model: Path) -> None:
    (folder / "adapter_model.safetensors").write_bytes(b"no tensors")
    refused(folder, tiny_model, "holds no LoRA adapter in PEFT format")


@pytest.mark.parametrize(
    ("trained", "model", "fits"),
    [
        ("HuggingFaceTB/SmolLM2-135M", "SmolLM2-135M-Instruct", True),
        ("unsloth/SmolLM2-135M-Instruct-bnb-4bit", "SmolLM2-135M-Instruct", True),
        ("HuggingFaceTB/SmolLM-135M-Instruct", "SmolLM2-135M-Instruct", False),
        ("meta-llama/Meta-Llama-3.1-8B", "meta-llama/Llama-3.1-8B-Instruct", True),
        ("meta-llama/Meta-Llama-3-8B", "meta-llama/Llama-3.1-8B-Instruct", False),
        ("/content/my-model", "SmolLM2-135M-Instruct", True),
        ("", "SmolLM2-135M-Instruct", True),
    ],
)
def test_another_models_name_is_told_though_the_weights_fit(
    folder: Path, tiny_model: Path, trained: str, model: str, fits: bool
) -> None:
    configure(folder, base_model_name_or_path=trained)
    if fits:
        read(folder, model, tiny_model)
    else:
        with pytest.raises(EngineStartError, match=f"was made for {trained}, the model is {model}"):
            read(folder, model, tiny_model)
