"""PEFT LoRA adapters with random weights for any model folder: enough to tell them apart.

    python -m callsheet_bench.adapters MODEL OUT --count 32

A random adapter moves the model's outputs as a trained one does, in no useful direction: the text
changes, the cost of holding, loading and applying it is that of the real thing.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

__all__ = ["ALL_LINEAR", "save_adapters"]

ALL_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def save_adapters(
    model: Path,
    folder: Path,
    count: int,
    *,
    rank: int = 8,
    strength: float = 0.3,
    targets: Sequence[str] = ALL_LINEAR,
    first_seed: int = 0,
) -> dict[str, Path]:
    """Write ``count`` adapters below ``folder``; the same arguments give the same weights.

    Args:
        model: folder with config.json; its weights are not read.
        folder: made if absent; adapter i goes to ``folder/adapter-i``.
        count: number of adapters.
        rank: of each of them; alpha is twice that, as is customary.
        strength: how much an adapter adds to a layer's output, relative to an input of unit scale.
        targets: names of the linear layers adapted.
        first_seed: adapter i is drawn from seed ``first_seed + i``.

    Returns:
        Name -> folder, in order.
    """
    with torch.device("meta"):
        bare = AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
            AutoConfig.from_pretrained(model)
        )
        config = LoraConfig(
            r=rank, lora_alpha=2 * rank, target_modules=list(targets), task_type="CAUSAL_LM"
        )
        shapes = {
            name: tensor.shape
            for name, tensor in get_peft_model_state_dict(get_peft_model(bare, config)).items()
        }
    config.inference_mode = True
    folders = {}
    for index in range(count):
        generator = torch.Generator().manual_seed(first_seed + index)
        weights = {
            name: torch.randn(shape, generator=generator) * _std(name, shape, strength)
            for name, shape in shapes.items()
        }
        target = folder / f"adapter-{index}"
        config.save_pretrained(str(target))
        save_file(weights, target / "adapter_model.safetensors", metadata={"format": "pt"})
        folders[target.name] = target
    return folders


def _std(name: str, shape: torch.Size, strength: float) -> float:
    """A keeps the scale of its input; B, (out, rank), brings alpha / rank = 2 times the product
    to ``strength``.
    """
    if "lora_A" in name:
        return 1.0 / math.sqrt(shape[1])
    return strength / (2.0 * math.sqrt(shape[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description="Write random LoRA adapters in PEFT format.")
    parser.add_argument("model", type=Path, help="the model's folder")
    parser.add_argument("out", type=Path, help="where the adapters go")
    parser.add_argument("--count", type=int, default=32)
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--strength", type=float, default=0.3)
    options = parser.parse_args()
    saved = save_adapters(
        options.model, options.out, options.count, rank=options.rank, strength=options.strength
    )
    for folder in saved.values():
        print(folder)


if __name__ == "__main__":
    main()
