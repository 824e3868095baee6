"""Stands in for ``sglang-kernel``, whose wheel cannot be imported where there is no libcuda.

SGLang imports names from it at the top of modules that CPU mode loads but does not use: dense
models compute everything with torch. Every name exists, and calling it says what is missing. It is
reached through ``PYTHONPATH`` (see ``callsheet_sglang_cpu.python_path``), so that each process has
it before SGLang's own modules ask for it.
"""

from collections.abc import Callable
from typing import Any, NoReturn


def __getattr__(name: str) -> Callable[..., NoReturn]:
    if name.startswith("__"):
        raise AttributeError(name)

    def unavailable(*_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError(
            f"sgl_kernel.{name} has no CPU version; in CPU mode use a dense Llama- or Qwen-like "
            "model with --attention-backend torch_native"
        )

    return unavailable
