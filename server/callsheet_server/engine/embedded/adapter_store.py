"""LoRA adapters in PEFT format, moved between disk, host memory and the model.

The adapter's own folder is its disk tier, so an adapter is never lost and never absent. On the
device it is part of the model, where PEFT applies each row's own adapter in a mixed batch. All
changes happen on the model thread, between two steps; reads need no lock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import torch
from peft import PeftConfig, PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from peft.utils import load_peft_weights

from callsheet_residency.errors import (
    BudgetError,
    ResidencyError,
    StateInUseError,
    StateLostError,
)
from callsheet_residency.state import StateKind, Tier
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.models.adapters import AdapterFiles

if TYPE_CHECKING:
    from callsheet_server.engine.embedded.runner import ModelRunner

__all__ = ["AdapterStore"]

_T = TypeVar("_T")


class Caller(Protocol):
    """Runs a function on the model thread."""

    def __call__(self, function: Callable[[], _T]) -> _T: ...


@dataclass(eq=False, slots=True)
class _Adapter:
    id: str
    slot: str
    """Its name inside the model; PEFT takes no dots."""
    folder: Path
    fingerprint: str
    size_bytes: int
    tier: Tier = Tier.DISK
    host: dict[str, torch.Tensor] | None = None
    pins: int = 0


class AdapterStore:
    """A ``StateStore`` of kind ``ADAPTER``; keys are adapter ids."""

    def __init__(
        self,
        runner: ModelRunner,
        files: Mapping[str, AdapterFiles],
        *,
        device_budget_bytes: int,
        host_budget_bytes: int,
        call: Caller,
    ) -> None:
        """Take stock of the adapters in ``files``; nothing is loaded yet.

        Raises:
            EngineStartError: one takes more than the device's budget.
        """
        self._runner = runner
        self._call = call
        self._moved: set[Hashable] = set()
        self._adapters = {
            adapter_id: _Adapter(
                adapter_id,
                slot=f"adapter_{index}",
                folder=found.folder,
                fingerprint=found.fingerprint,
                size_bytes=found.parameters * runner.dtype.itemsize,
            )
            for index, (adapter_id, found) in enumerate(files.items())
        }
        self._budgets = {
            Tier.DEVICE: device_budget_bytes,
            Tier.HOST: host_budget_bytes,
            Tier.DISK: sum(adapter.size_bytes for adapter in self._adapters.values()),
        }
        for adapter in self._adapters.values():
            if adapter.size_bytes > device_budget_bytes:
                raise EngineStartError(
                    f"adapters.{adapter.id}: takes {adapter.size_bytes} bytes, more than the "
                    f"{device_budget_bytes} that adapters may take; use a smaller one"
                )

    @property
    def kind(self) -> StateKind:
        return StateKind.ADAPTER

    def capacity_bytes(self, tier: Tier) -> int:
        return self._budgets.get(tier, 0)

    def used_bytes(self, tier: Tier) -> int:
        return sum(a.size_bytes for a in self._adapters.values() if a.tier is tier)

    def items(self, tier: Tier) -> int:
        return sum(adapter.tier is tier for adapter in self._adapters.values())

    def fingerprint(self, adapter_id: str | None) -> str:
        """Fingerprint of the weights; "" = no adapter."""
        return "" if adapter_id is None else self._adapters[adapter_id].fingerprint

    def slot(self, adapter_id: str) -> str:
        """The adapter's name inside the model."""
        return self._adapters[adapter_id].slot

    def tier(self, key: Hashable) -> Tier:
        adapter = self._adapters.get(str(key))
        return Tier.ABSENT if adapter is None else adapter.tier

    def size_bytes(self, key: Hashable) -> int:
        adapter = self._adapters.get(str(key))
        return 0 if adapter is None else adapter.size_bytes

    def rebuild_s(self, key: Hashable) -> float:
        return math.inf

    def backed_up(self, key: Hashable) -> bool:
        return False

    def load(self, key: Hashable, target: Tier) -> int:
        adapter = self._known(key)
        return self._call(lambda: self._move(adapter, target) if target < adapter.tier else 0)

    def evict(self, key: Hashable, target: Tier) -> int:
        """As the protocol says; ``ABSENT`` leaves it on disk."""
        adapter = self._known(key)
        lowest = min(target, Tier.DISK)

        def move() -> int:
            if lowest <= adapter.tier:
                return 0
            if adapter.pins and adapter.tier is Tier.DEVICE:
                raise StateInUseError(f"adapter {adapter.id}: a running request uses it")
            return self._move(adapter, lowest)

        return self._call(move)

    def drop(self, key: Hashable) -> None:
        if str(key) in self._adapters:
            self.evict(key, Tier.ABSENT)

    def pin(self, adapter_id: str) -> bool:
        """Bring an adapter to the device and keep it there. Model thread only.

        Returns:
            False = there is no room until a running request lets go of another adapter.

        Raises:
            StateLostError: its files cannot be read any more.
        """
        adapter = self._adapters[adapter_id]
        others = [a for a in self._adapters.values() if a.tier is Tier.DEVICE and not a.pins]
        while adapter.tier is not Tier.DEVICE:
            try:
                self._move(adapter, Tier.DEVICE)
                self._moved.add(adapter.id)
            except BudgetError:
                if not others:
                    return False
                self._moved.add(others[-1].id)
                self._move(others.pop(), Tier.DISK)
        adapter.pins += 1
        return True

    def unpin(self, adapter_id: str) -> None:
        self._adapters[adapter_id].pins -= 1

    def take_changes(self) -> set[Hashable]:
        moved: set[Hashable] = set()
        while self._moved:
            moved.add(self._moved.pop())
        return moved

    def check_integrity(self) -> None:
        self._call(self._check)

    def _check(self) -> None:
        for tier in (Tier.DEVICE, Tier.HOST):
            assert self.used_bytes(tier) <= self._budgets[tier], f"adapter: {tier.name} over budget"
        loaded = set() if self._runner.peft is None else set(self._runner.peft.peft_config)
        on_device = {a.slot for a in self._adapters.values() if a.tier is Tier.DEVICE}
        assert loaded == on_device, f"adapter: {loaded} in the model, {on_device} said to be"
        for adapter in self._adapters.values():
            assert (adapter.host is not None) == (adapter.tier is Tier.HOST), adapter.id
            assert adapter.pins >= 0, adapter.id

    def _known(self, key: Hashable) -> _Adapter:
        adapter = self._adapters.get(str(key))
        if adapter is None:
            raise ResidencyError(f"adapter {key}: not in the settings")
        return adapter

    def _move(self, adapter: _Adapter, target: Tier) -> int:
        if target is not Tier.DISK:
            taken, budget = self.used_bytes(target), self._budgets[target]
            if taken + adapter.size_bytes > budget:
                raise BudgetError(
                    f"{target.name.lower()}: adapter {adapter.id} takes {adapter.size_bytes} "
                    f"bytes, {taken} of {budget} taken"
                )
        if target is Tier.DEVICE:
            self._attach(adapter)
        elif target is Tier.HOST:
            adapter.host = self._weights(adapter, torch.device("cpu"))
        if adapter.tier is Tier.DEVICE:
            self._detach(adapter)
        if target is not Tier.HOST:
            adapter.host = None
        adapter.tier = target
        return adapter.size_bytes

    def _attach(self, adapter: _Adapter) -> None:
        """Put the adapter into the model.

        Raises:
            StateLostError: its files have changed and are of no use; the model is as it was.
        """
        try:
            self._add(adapter, self._weights(adapter, self._runner.device))
        except StateLostError:
            raise
        except Exception as error:
            if self._runner.peft is not None and adapter.slot in self._runner.peft.peft_config:
                self._detach(adapter)
            raise StateLostError(f"adapter {adapter.id}: {adapter.folder}: {error}") from error

    def _add(self, adapter: _Adapter, weights: dict[str, torch.Tensor]) -> None:
        config = PeftConfig.from_pretrained(str(adapter.folder))
        config.inference_mode = True
        if self._runner.peft is None:
            self._runner.peft = PeftModel(
                self._runner.model,
                config,
                adapter_name=adapter.slot,
                autocast_adapter_dtype=False,
                low_cpu_mem_usage=True,
            )
        else:
            self._runner.peft.add_adapter(
                adapter.slot, config, low_cpu_mem_usage=True, autocast_adapter_dtype=False
            )
        set_peft_model_state_dict(
            self._runner.peft, weights, adapter_name=adapter.slot, low_cpu_mem_usage=True
        )
        self._runner.peft.eval()

    def _detach(self, adapter: _Adapter) -> None:
        peft = self._runner.peft
        assert peft is not None
        others = [slot for slot in peft.peft_config if slot != adapter.slot]
        if others:
            peft.set_adapter(others[0], inference_mode=True)  # PEFT wants one to be active
            peft.delete_adapter(adapter.slot)
        else:
            peft.unload()
            self._runner.peft = None

    def _weights(self, adapter: _Adapter, device: torch.device) -> dict[str, torch.Tensor]:
        """A copy of the weights on ``device``, from wherever they are."""
        source: Mapping[str, torch.Tensor]
        if adapter.host is not None:
            source = adapter.host
        elif adapter.tier is Tier.DEVICE and self._runner.peft is not None:
            source = get_peft_model_state_dict(self._runner.peft, adapter_name=adapter.slot)
        else:
            try:
                source = load_peft_weights(str(adapter.folder), device="cpu")
            except Exception as error:
                raise StateLostError(f"adapter {adapter.id}: {adapter.folder}: {error}") from error
        return {
            name: tensor.detach().to(device=device, dtype=self._runner.dtype, copy=True)
            for name, tensor in source.items()
        }
