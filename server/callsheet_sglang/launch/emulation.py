"""Files of an emulated GPU: what an SGLang serves in place of a model, and how fast it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from callsheet_sglang_cpu.emulated_gpu.machine import Emulation, named, pool_tokens
from callsheet_sglang_cpu.emulated_gpu.model_folder import make_model_folder

__all__ = ["EmulatedGpu", "emulated_gpu_files"]


@dataclass(frozen=True, slots=True)
class EmulatedGpu:
    """A GPU with a model, as ``LaunchSpec`` wants it."""

    model: Path
    """Its ``model``."""
    emulation: Path
    """Its ``emulated_gpu``."""
    pool_tokens: int
    """Tokens of KV cache that fit beside the model's weights."""


def emulated_gpu_files(pair: str, tokenizer: Path, folder: Path) -> EmulatedGpu:
    """Write the files of ``GPU/MODEL`` below ``folder``.

    Args:
        pair: such as ``h100/llama-3.1-8b``.
        tokenizer: folder of a model whose tokenizer is used.
        folder: made if absent.

    Raises:
        ValueError: no such GPU or model, or the model does not fit.
    """
    own = folder / pair.replace("/", "-")
    tokens, machine = pool_tokens(pair), named(pair)
    make_model_folder(tokenizer, own)
    Emulation(machine).save(own / "emulation.json")
    return EmulatedGpu(own, own / "emulation.json", tokens)
