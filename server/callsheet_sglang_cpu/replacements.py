"""Replacements that let a stock SGLang run its host tier and its adapters without a GPU.

Active under ``SGLANG_USE_CPU_ENGINE=1`` only, with or without the plugin's policy; on CUDA nothing
is replaced. Here it is four things: pinning a host pool (there is no driver to pin it with), the
memory that must stay free beside one (more than a laptop has), the copy between the pools (its
kernel is CUDA-only), and pinning small tensors.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["CPU_ENGINE", "activate", "is_cpu_engine"]

CPU_ENGINE = "SGLANG_USE_CPU_ENGINE"
"""SGLang's own switch: "1" = no GPU."""

_PINNING = (
    "sglang.srt.lora.layers",
    "sglang.srt.lora.backend.torch_backend",
    "sglang.srt.mem_cache.pool_host.mha",
)
"""Modules that ask torch for pinned tensors whatever the device."""
RESERVE_BYTES = 2**30
"""RAM that a host pool must leave free; SGLang means servers, and wants 10 GiB."""
WORD_BYTES = 8
_POOLS = "sglang.srt.mem_cache.pool_host"
_COPIES = ("load_to_device_per_layer", "backup_from_device_all_layer")
"""Methods of the multi-head host pool that call the copy kernel."""


def is_cpu_engine() -> bool:
    """True if this process belongs to an SGLang that runs without a GPU."""
    return os.environ.get(CPU_ENGINE) == "1"


def activate() -> None:
    """Make the replacements, if this SGLang runs without a GPU.

    Raises:
        SystemExit: this SGLang does not have what is to be replaced; the text names it. (SGLang
            logs any other exception of a plugin and goes on, to fail later for no clear reason.)
    """
    if not is_cpu_engine():
        return
    for name in _COPIES:
        method = _existing(f"{_POOLS}.mha.MHATokenToKVPoolHost.{name}")
        if "transfer_kv_direct" not in method.__code__.co_names:
            raise _unsupported(f"call of transfer_kv_direct in {_POOLS}.mha, {name}")
    _existing(f"{_POOLS}.common._cuda_host_register")
    _existing(f"{_POOLS}.common")._cuda_host_register = _leave_unpinned
    _existing(f"{_POOLS}.base.HICACHE_HOST_MEMORY_RESERVE_BYTES")
    _existing(f"{_POOLS}.base").HICACHE_HOST_MEMORY_RESERVE_BYTES = RESERVE_BYTES
    _existing(f"{_POOLS}.mha").transfer_kv_direct = copy_rows
    for name in _PINNING:
        _existing(name).torch = _Unpinned(_existing(f"{name}.torch"))
    import torch

    torch.Tensor.pin_memory = _leave_unpinned  # type: ignore[assignment,method-assign]


def copy_rows(
    src_layers: Sequence[torch.Tensor],
    dst_layers: Sequence[torch.Tensor],
    src_indices: torch.Tensor,
    dst_indices: torch.Tensor,
    page_size: int,
) -> None:
    """Copy KV rows between the device and the host pool, as ``transfer_kv_direct`` does.

    Args:
        src_layers: per layer (keys, then values), rows by token, ``(tokens, heads, head_dim)``.
        dst_layers: as many, of the same row shape and dtype; the rows named are overwritten.
        src_indices: int64 ``(n,)``, rows to read.
        dst_indices: int64 ``(n,)``, rows to write, in the same order.
        page_size: unused: indices name every row of a page.
    """
    import torch

    for source, target in zip(src_layers, dst_layers, strict=True):
        row_bytes = source[0].numel() * source.element_size()
        if source.is_contiguous() and target.is_contiguous() and row_bytes % WORD_BYTES == 0:
            # As 64-bit words PyTorch copies the same memory several times faster.
            source, target = (rows.flatten(1).view(torch.int64) for rows in (source, target))
        target.index_copy_(0, dst_indices, source.index_select(0, src_indices))


def _leave_unpinned(tensor: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
    """Pinning a tensor, where there is no device to pin it for."""
    return tensor


class _Unpinned:
    """The ``torch`` module as one SGLang module sees it: constructors drop ``pin_memory``.

    Only that module's name is replaced: torch's own functions keep their identity, by which
    device contexts know them.
    """

    def __init__(self, torch_module: Any) -> None:
        self._torch = torch_module

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._torch, name)
        if name in ("tensor", "zeros", "empty"):
            value = _without_pin_memory(value)
        setattr(self, name, value)
        return value


def _without_pin_memory(constructor: Callable[..., Any]) -> Callable[..., Any]:
    def construct(*args: Any, pin_memory: bool = False, **options: Any) -> Any:
        return constructor(*args, **options)

    return construct


def _existing(path: str) -> Any:
    try:
        return resolve_name(path)
    except (ImportError, AttributeError):
        raise _unsupported(path) from None


def _unsupported(target: str) -> SystemExit:
    return SystemExit(
        f"callsheet: SGLang {version('sglang')} has no {target}, which CPU mode replaces; build "
        "an environment with the version that is known to work: callsheet sglang setup-cpu"
    )
