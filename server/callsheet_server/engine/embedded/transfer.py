"""Copies between device and host memory: plain on CPU, pinned and on a side stream on CUDA."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["Transfer"]


class Transfer:
    """Runs copies where they do not hold up the forward pass.

    On CUDA copies are issued on a stream of their own, after what the model's stream has queued so
    far, and are complete when ``running`` is left. Elsewhere a copy is complete when it returns.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream: torch.cuda.Stream | None = None
        if device.type == "cuda":
            self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def host_tensor(self, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        """An uninitialised tensor in host memory that the device copies fastest to and from."""
        return torch.empty(shape, dtype=dtype, pin_memory=self._stream is not None)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Copies issued inside are complete at the end."""
        if self._stream is None:
            yield
            return
        self._stream.wait_stream(torch.cuda.default_stream(self._device))
        with torch.cuda.stream(self._stream):
            yield
        self._stream.synchronize()
