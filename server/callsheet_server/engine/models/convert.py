"""GGUF to a plain transformers folder, so that every engine can load the same files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from callsheet_server.engine.engine import Progress

__all__ = ["gguf_to_safetensors"]


def gguf_to_safetensors(gguf: Path, into: Path, report: Callable[[Progress], None]) -> None:
    """Write config, tokenizer with chat template and bfloat16 weights of ``gguf`` to ``into``.

    ``save_pretrained`` refuses a model that came from GGUF, so its parts are written one by one.
    """
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]

    label = f"{gguf.stem}: convert"
    report(Progress(label, 0, 3, "steps"))
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.float32
    )
    report(Progress(label, 1, 3, "steps"))
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(into)
    report(Progress(label, 2, 3, "steps"))
    config = model.config
    del config.quantization_config
    config.dtype = torch.bfloat16
    config.architectures = [type(model).__name__]
    config.save_pretrained(into)
    model.generation_config.save_pretrained(into)
    weights = model.state_dict()
    if config.tie_word_embeddings:
        del weights["lm_head.weight"]
    save_file(
        {name: tensor.to(torch.bfloat16).contiguous() for name, tensor in weights.items()},
        into / "model.safetensors",
        metadata={"format": "pt"},
    )
    report(Progress(label, 3, 3, "steps"))
