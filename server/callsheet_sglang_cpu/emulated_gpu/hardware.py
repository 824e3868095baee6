"""GPUs and models by name, from data sheets and model cards. Needs the standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["GPUS", "MODELS", "Gpu", "Model"]


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU and the link to its host's memory."""

    name: str
    bf16_flops: float
    """Dense bfloat16 operations a second, accumulated in float32."""
    fp8_flops: float
    """Dense fp8 operations a second; where there is no fp8, those of bfloat16."""
    memory_bytes_per_s: float
    memory_bytes: float
    link_bytes_per_s: float
    """Rate of copies from pinned memory: about 0.8 of the raw rate of one direction."""
    source: str


@dataclass(frozen=True, slots=True)
class Model:
    """A model, as far as its passes and its KV cache cost."""

    name: str
    parameters: float
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    source: str
    weight_bytes: int = 2
    """Bytes per parameter: 2 = bfloat16, 1 = fp8."""
    element_bytes: int = 2
    """Bytes per number in the KV cache."""

    @property
    def kv_bytes_per_token(self) -> int:
        """Keys and values of all layers."""
        return 2 * self.layers * self.kv_heads * self.head_dim * self.element_bytes


PCIE_3_X16, PCIE_4_X8, PCIE_4_X16, PCIE_5_X16 = 12.5e9, 12.5e9, 25e9, 50e9
NVIDIA = "NVIDIA data sheet"

GPUS: Mapping[str, Gpu] = {
    "h100": Gpu(
        "H100 PCIe", 756e12, 1513e12, 2.04e12, 80e9, PCIE_5_X16, f"{NVIDIA} H100 Tensor Core GPU"
    ),
    "h200": Gpu(
        "H200 SXM", 989e12, 1979e12, 4.8e12, 141e9, PCIE_5_X16, f"{NVIDIA} H200 Tensor Core GPU"
    ),
    "a100": Gpu(
        "A100 80GB PCIe", 312e12, 312e12, 1.935e12, 80e9, PCIE_4_X16, f"{NVIDIA} A100 80GB"
    ),
    "l40s": Gpu("L40S", 362e12, 733e12, 0.864e12, 48e9, PCIE_4_X16, f"{NVIDIA} L40S"),
    "rtx4090": Gpu(
        "RTX 4090", 165.2e12, 330.3e12, 1.008e12, 24e9, PCIE_4_X16, "NVIDIA Ada white paper"
    ),
    "rtx4060ti": Gpu(
        "RTX 4060 Ti 16GB", 44.1e12, 88.2e12, 0.288e12, 16e9, PCIE_4_X8, "NVIDIA Ada white paper"
    ),
}
MODELS: Mapping[str, Model] = {
    "smollm2-1.7b": Model("SmolLM2-1.7B", 1.71e9, 24, 32, 32, 64, "SmolLM2-1.7B config.json"),
    "phi-3-mini": Model("Phi-3-mini (3.8B)", 3.82e9, 32, 32, 32, 96, "Phi-3-mini-4k config.json"),
    "llama-2-7b": Model("Llama-2-7B", 6.74e9, 32, 32, 32, 128, "Llama-2-7b config.json"),
    "qwen2.5-7b": Model("Qwen2.5-7B", 7.62e9, 28, 28, 4, 128, "Qwen2.5-7B config.json"),
    "llama-3.1-8b": Model("Llama-3.1-8B", 8.03e9, 32, 32, 8, 128, "Llama-3.1-8B config.json"),
    "llama-3.1-8b-fp8": Model(
        "Llama-3.1-8B, fp8", 8.03e9, 32, 32, 8, 128, "Llama-3.1-8B config.json", 1, 1
    ),
    "mistral-nemo-12b": Model(
        "Mistral-Nemo-12B", 12.2e9, 40, 32, 8, 128, "Mistral-Nemo-2407 config.json"
    ),
}
