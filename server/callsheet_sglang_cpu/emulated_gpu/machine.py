"""Time of passes and copies on a machine: a GPU with a model, or whatever numbers were fitted.

A pass takes its arithmetic or its reading of memory, whichever is longer, and a launch. What is
not in it: CUDA graphs, copies that take memory bandwidth from passes, how well attention is tiled.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from callsheet_sglang_cpu.emulated_gpu.hardware import GPUS, MODELS

__all__ = ["Emulation", "Machine", "Work", "named", "pool_tokens"]

COMPUTE_SHARE = 0.4
"""Share of the data sheet's operations that a prefill reaches."""
MEMORY_SHARE = 0.8
"""Share of the data sheet's bandwidth that a decode step reaches."""
LAUNCH_S = 1e-3
KV_MEMORY_SHARE = 0.88
"""Share of a GPU's memory for weights and KV caches, about as SGLang takes it."""
SMALLEST_POOL_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class Work:
    """One forward pass."""

    new_tokens: int
    """Tokens that are computed, over all requests."""
    attended: float
    """Pairs of a new token and one that it looks at."""
    context_tokens: int
    """Tokens whose keys and values are read or written."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Speeds of a GPU with a model: of a pass, and of the link."""

    flops: float
    """Operations a second that passes reach."""
    memory_bytes_per_s: float
    """Bytes a second that passes reach."""
    link_bytes_per_s: float
    """Bytes a second of host memory's link, each way."""
    weights_bytes: float
    flops_per_token: float
    flops_per_pair: float
    """Operations of attention per pair of tokens."""
    layers: int
    kv_bytes_per_token: int
    launch_s: float = LAUNCH_S

    def pass_s(self, work: Work) -> float:
        """Return how long a pass takes."""
        flops = self.flops_per_token * work.new_tokens + self.flops_per_pair * work.attended
        read_bytes = self.weights_bytes + self.kv_bytes_per_token * work.context_tokens
        return self.launch_s + max(flops / self.flops, read_bytes / self.memory_bytes_per_s)

    def copy_s(self, tokens: int) -> float:
        """Return how long the KV cache of so many tokens takes on the link."""
        return tokens * self.kv_bytes_per_token / self.link_bytes_per_s


def named(pair: str, link_bytes_per_s: float | None = None) -> Machine:
    """Return the machine of ``GPU/MODEL``, with its own link or another.

    Raises:
        ValueError: no such GPU or model; the text names those there are.
    """
    gpu_name, _, model_name = pair.partition("/")
    if gpu_name not in GPUS or model_name not in MODELS:
        raise ValueError(
            f"{pair!r} is no GPU/MODEL: GPUs are {', '.join(GPUS)}; models are {', '.join(MODELS)}"
        )
    gpu, model = GPUS[gpu_name], MODELS[model_name]
    peak = gpu.fp8_flops if model.weight_bytes == 1 else gpu.bf16_flops
    return Machine(
        flops=COMPUTE_SHARE * peak,
        memory_bytes_per_s=MEMORY_SHARE * gpu.memory_bytes_per_s,
        link_bytes_per_s=link_bytes_per_s or gpu.link_bytes_per_s,
        weights_bytes=model.parameters * model.weight_bytes,
        flops_per_token=2.0 * model.parameters,
        flops_per_pair=4.0 * model.layers * model.heads * model.head_dim,
        layers=model.layers,
        kv_bytes_per_token=model.kv_bytes_per_token,
    )


def pool_tokens(pair: str) -> int:
    """Return the tokens of KV cache that fit beside the model's weights. Raises ``ValueError``."""
    machine = named(pair)
    memory_bytes = KV_MEMORY_SHARE * GPUS[pair.partition("/")[0]].memory_bytes
    tokens = (memory_bytes - machine.weights_bytes) / machine.kv_bytes_per_token
    if tokens < SMALLEST_POOL_TOKENS:
        raise ValueError(f"{pair}: the model does not fit in {memory_bytes / 1e9:.0f} GB")
    return int(tokens)


@dataclass(frozen=True, slots=True)
class Emulation:
    """A machine, and how many times slower it is played than it is, for the host to keep up."""

    machine: Machine
    dilation: float = 1.0

    def save(self, path: Path) -> None:
        """Write it where a running SGLang reads it before its next pass."""
        whole = path.with_suffix(".new")
        whole.write_text(json.dumps(asdict(self)), encoding="utf-8")
        whole.replace(path)

    @classmethod
    def load(cls, path: Path) -> Emulation:
        """Read what ``save`` wrote. Raises ``OSError``, ``ValueError`` or ``TypeError``."""
        fields = json.loads(path.read_text(encoding="utf-8"))
        return cls(Machine(**fields["machine"]), float(fields["dilation"]))
