"""Cost of a host -> device load against computing the same tokens again, on named hardware.

On a CPU a load is a memcpy and costs next to nothing. The emulated link makes it as slow, relative
to this machine's prefill, as it is on a named GPU with a named model:

    prefill_tokens_per_s = peak_flops * utilisation / (2 * parameters)
    load_to_prefill      = kv_bytes_per_token / link_bytes_per_s * prefill_tokens_per_s

The ratio does not depend on the number of tokens. The link emulated here is then

    bytes_per_s = kv_bytes_per_token(here) * prefill_tokens_per_s(here) / load_to_prefill
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["GPUS", "MODELS", "PAIRS", "Gpu", "Model", "Pair"]


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU and the link to its host's memory."""

    name: str
    peak_flops: float
    """Dense bf16 with float32 accumulation, from the data sheet."""
    link_bytes_per_s: float
    """Rate of pinned copies: about 0.8 of the link's raw rate."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model, as far as its prefill and KV cache cost."""

    name: str
    parameters: float
    layers: int
    kv_heads: int
    head_dim: int
    element_bytes: int = 2

    @property
    def kv_bytes_per_token(self) -> int:
        """Keys and values of all layers."""
        return 2 * self.layers * self.kv_heads * self.head_dim * self.element_bytes


GPUS: Mapping[str, Gpu] = {
    "h100": Gpu("H100 PCIe, PCIe 5.0 x16", 756e12, 50e9),
    "rtx4090": Gpu("RTX 4090, PCIe 4.0 x16", 165.2e12, 25e9),
    "rtx4060ti": Gpu("RTX 4060 Ti, PCIe 4.0 x8", 44.1e12, 12.5e9),
}
MODELS: Mapping[str, Model] = {
    "smollm2-1.7b": Model("SmolLM2-1.7B", 1.71e9, 24, 32, 64),
    "phi-3-mini": Model("Phi-3-mini (3.8B)", 3.82e9, 32, 32, 96),
    "llama-3.1-8b": Model("Llama-3.1-8B", 8.03e9, 32, 8, 128),
}


@dataclass(frozen=True, slots=True)
class Pair:
    """A model on a GPU."""

    gpu: Gpu
    model: Model
    utilisation: float = 0.4
    """Share of the peak that prefill reaches."""

    @property
    def prefill_tokens_per_s(self) -> float:
        return self.gpu.peak_flops * self.utilisation / (2.0 * self.model.parameters)

    @property
    def load_to_prefill(self) -> float:
        """Time to load a token's KV over time to compute it."""
        load_s = self.model.kv_bytes_per_token / self.gpu.link_bytes_per_s
        return load_s * self.prefill_tokens_per_s

    def emulated_bytes_per_s(self, kv_bytes_per_token: int, prefill_tokens_per_s: float) -> float:
        """The link that has this ratio on a machine with that prefill.

        Args:
            kv_bytes_per_token: of the model run here.
            prefill_tokens_per_s: measured here.
        """
        return kv_bytes_per_token * prefill_tokens_per_s / self.load_to_prefill


PAIRS: Mapping[str, Pair] = {
    f"{gpu}/{model}": Pair(GPUS[gpu], MODELS[model]) for gpu in GPUS for model in MODELS
}
"""Links by the name that ``--link`` takes."""
