"""The model and its forward pass."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast
from transformers.utils.logging import disable_progress_bar

from callsheet_server.engine.embedded.arena import KvShape
from callsheet_server.engine.embedded.batch import BatchCache
from callsheet_server.engine.engine import Progress
from callsheet_server.engine.errors import EngineStartError

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

    from callsheet_server.engine.embedded.settings import EmbeddedSettings, EmbeddedTuning

__all__ = ["ModelRunner", "cache_argument", "load_runner", "weigh"]

_NO_ADAPTER = "__base__"
"""PEFT's name for it in a mixed batch."""
MAX_HEADER_BYTES: Final = 100 << 20
"""Longest header of a safetensors file, by its own specification."""


class ModelRunner:
    """A chat model, its tokenizer and the rows it runs in. Forward passes on one thread only."""

    def __init__(self, folder: Path, settings: EmbeddedSettings, tuning: EmbeddedTuning) -> None:
        """Load the model.

        Raises:
            EngineStartError: the device, the folder or the architecture is of no use.
        """
        self.device = _device(settings.device)
        self.dtype = _dtype(settings.dtype, self.device)
        if settings.threads:
            torch.set_num_threads(settings.threads)
        self.tokenizer, self.model = _load(folder, self.dtype, self.device)
        config = self.model.config
        self.context_limit_tokens = min(
            settings.context_limit_tokens, int(config.max_position_embeddings)
        )
        self.vocab_size = int(config.vocab_size)
        self.eos_ids = _eos_ids(self.model, self.tokenizer)
        heads = config.num_attention_heads
        self.shape = KvShape(
            layers=config.num_hidden_layers,
            kv_heads=getattr(config, "num_key_value_heads", None) or heads,
            head_dim=getattr(config, "head_dim", None) or config.hidden_size // heads,
            dtype=self.dtype,
            block_tokens=tuning.block_tokens,
        )
        self.fingerprint = _fingerprint(folder, self.shape, tuning.prefill_chunk_tokens)
        self.rows = (settings.max_batch or tuning.max_batch) + 1
        """One more than run at once, so that a prefix can be built while all are taken."""
        self.cache = BatchCache(self.shape, self.rows, self.context_limit_tokens, self.device)
        self._cache_argument = cache_argument(self.model)
        self.peft: PeftModel | None = None
        """The same model with adapters in it, once one was loaded."""

    @torch.inference_mode()
    def forward(
        self,
        rows: slice,
        tokens: Sequence[Sequence[int]],
        starts: Sequence[int],
        slots: Sequence[str | None],
    ) -> torch.Tensor:
        """Run B rows of Q tokens each, writing their KV from ``starts`` on.

        Args:
            rows: B consecutive rows.
            tokens: B lists of Q token ids.
            starts: B positions of their first tokens.
            slots: B names of adapters in the model; None = the base model.

        Returns:
            (B, vocab) float32 on the device: logits after each row's last token.
        """
        ids = torch.tensor(tokens, dtype=torch.int64, device=self.device)
        first = torch.tensor(starts, dtype=torch.int64, device=self.device)
        positions = first[:, None] + torch.arange(ids.shape[1], device=self.device)
        mask = self.cache.select(rows, positions, max(starts) + ids.shape[1])
        named: dict[str, Any] = {self._cache_argument: self.cache}
        if self.peft is not None:
            named["adapter_names"] = [slot or _NO_ADAPTER for slot in slots]
        output = (self.peft or self.model)(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            use_cache=True,
            logits_to_keep=1,
            **named,
        )
        logits: torch.Tensor = output.logits[:, -1].float()
        return logits


def cache_argument(model: PreTrainedModel) -> str:
    """Name of the KV cache among the arguments of ``forward``: transformers 5.24 changed it."""
    return "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"


def weigh(folder: Path, settings: EmbeddedSettings) -> int:
    """Bytes of a model's weights and KV arena once loaded, read from its files' headers.

    Raises:
        EngineStartError: it cannot be read, or its device is not there.
    """
    dtype = _dtype(settings.dtype, _device(settings.device))
    try:
        parameters = sum(map(_parameters, folder.glob("*.safetensors")))
    except (OSError, ValueError, KeyError, struct.error) as error:
        raise EngineStartError(
            f"model: {folder} cannot be read: {error}; fetch it again"
        ) from error
    if not parameters:
        raise EngineStartError(f"model: {folder} has no *.safetensors; give one that has")
    return parameters * dtype.itemsize + settings.device_budget_bytes


def _parameters(file: Path) -> int:
    """Numbers in a safetensors file, by its header."""
    with file.open("rb") as data:
        (size,) = struct.unpack("<Q", data.read(8))
        header = json.loads(data.read(min(size, MAX_HEADER_BYTES)))
    return sum(
        math.prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__"
    )


def load_runner(
    folder: Path,
    settings: EmbeddedSettings,
    tuning: EmbeddedTuning,
    report: Callable[[Progress], None],
) -> ModelRunner:
    """Load the model and say so."""
    report(Progress(f"load {folder.name}", 0, 1, "models"))
    runner = ModelRunner(folder, settings, tuning)
    report(Progress(f"load {folder.name}", 1, 1, "models"))
    return runner


def _load(
    folder: Path, dtype: torch.dtype, device: torch.device
) -> tuple[PreTrainedTokenizerFast, PreTrainedModel]:
    disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, attn_implementation="sdpa", local_files_only=True
        )
        torch.nn.Module.to(model, device).train(mode=False)
    except (OSError, ValueError, RuntimeError, ImportError, KeyError) as error:
        raise EngineStartError(
            f"model: {folder} cannot be loaded: {error}; delete it and run `callsheet models "
            "pull`, or choose another model"
        ) from error
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise EngineStartError(f"model: {folder} has no tokenizer.json; convert its tokenizer")
    layer_types = set(getattr(model.config, "layer_types", None) or ["full_attention"])
    if layer_types != {"full_attention"}:
        raise EngineStartError(
            f"model: {folder} uses {', '.join(sorted(layer_types))}; only models with full "
            "attention in every layer (Llama, Qwen2, Qwen3, SmolLM2, ...) are supported"
        )
    return tokenizer, model


def _device(wanted: str) -> torch.device:
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not available[wanted]:
        raise EngineStartError(
            f"device: {wanted!r} is not available to this torch; use device = 'auto' or 'cpu', or "
            "install a torch built for it"
        )
    return torch.device(wanted)


def _dtype(wanted: str, device: torch.device) -> torch.dtype:
    by_device = {"cpu": torch.float32, "cuda": torch.bfloat16, "mps": torch.float16}
    chosen = by_device[device.type] if wanted == "auto" else getattr(torch, wanted)
    assert isinstance(chosen, torch.dtype)
    return chosen


def _eos_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> frozenset[int]:
    named = getattr(model.generation_config, "eos_token_id", None)
    listed = named if isinstance(named, list) else [named]
    return frozenset(token for token in [*listed, tokenizer.eos_token_id] if token is not None)


def _fingerprint(folder: Path, shape: KvShape, chunk_tokens: int) -> str:
    """Hash all that KV depends on but tokens and adapter: weights, types, chunk cuts."""
    digest = hashlib.sha256(f"{shape}|{chunk_tokens}".encode())
    manifest = folder / "manifest.json"
    if manifest.is_file():
        digest.update(manifest.read_bytes())
        return digest.hexdigest()
    for path in sorted([*folder.glob("config.json"), *folder.glob("*.safetensors")]):
        stat = path.stat()
        digest.update(f"|{path}|{stat.st_size}|{stat.st_mtime_ns}".encode())
    return digest.hexdigest()
