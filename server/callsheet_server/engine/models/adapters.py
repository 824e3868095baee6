"""LoRA adapters on disk. One that does not fit the model is refused before anything is loaded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import torch
from peft import PeftConfig, PeftModel, PeftType, get_peft_model_state_dict
from peft.utils import load_peft_weights
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.models.catalogue import REGISTRY
from callsheet_server.engine.models.checksum import sha256_of

__all__ = ["AdapterFiles", "read_adapters"]

CONFIG: Final = "adapter_config.json"
WEIGHTS: Final = "adapter_model.safetensors"
_NOWHERE: Final = (
    "use_dora",
    "bias",
    "modules_to_save",
    "layer_replication",
    "target_parameters",
    "trainable_token_indices",
    "alora_invocation_tokens",
)
_NOT_IN_SGLANG: Final = ("use_rslora", "rank_pattern", "alpha_pattern", "lora_bias")
UNSUPPORTED: Final = {"embedded": _NOWHERE, "sglang": (*_NOWHERE, *_NOT_IN_SGLANG)}
"""Engine -> fields of ``adapter_config.json`` that it would not honour, if they are set."""
PEFT_PREFIX: Final = "base_model.model."
"""Prefix that PEFT puts before the model's own name of every weight."""
MAX_SHOWN: Final = 3
"""Weights named in an error."""
_VARIANT: Final = re.compile(
    r"^meta-|[-_.](instruct|it|chat|base|hf|unsloth|bnb|[48]bit|gguf|awq|gptq|fp8|bf16|int[48])\b"
)
"""Parts of a model's name that do not change what its adapters fit."""

Shapes = dict[str, tuple[int, ...]]


class _UnfitError(Exception):
    """An adapter cannot be used; the text goes on from its folder's name."""


@dataclass(frozen=True, slots=True)
class AdapterFiles:
    """A LoRA adapter in PEFT format that fits the model."""

    folder: Path
    fingerprint: str
    """Hash of the weights and of how they are applied."""
    parameters: int


def read_adapters(
    engine: Literal["embedded", "sglang"],
    folders: Mapping[str, Path],
    model: str,
    model_folder: Path,
) -> dict[str, AdapterFiles]:
    """Read what the adapters are, and check that each fits.

    Args:
        engine: the engine that is to apply them; its section of the settings names them.
        folders: adapter id -> its folder.
        model: the model as the settings name it.
        model_folder: where it lies.

    Raises:
        EngineStartError: for the first adapter that does not fit; says what is missing or wrong.
    """
    fit = _Fit(model, model_folder)
    found = {}
    for adapter_id, folder in folders.items():
        try:
            found[adapter_id] = _read(folder, fit, engine)
        except _UnfitError as error:
            raise EngineStartError(f"{engine}.adapters.{adapter_id}: {folder} {error}") from error
    return found


def _read(folder: Path, fit: _Fit, engine: Literal["embedded", "sglang"]) -> AdapterFiles:
    if missing := [name for name in (CONFIG, WEIGHTS) if not (folder / name).is_file()]:
        raise _UnfitError(f"holds no LoRA adapter in PEFT format: {' and '.join(missing)} missing")
    try:
        config = PeftConfig.from_pretrained(str(folder))
        weights = load_peft_weights(str(folder), device="cpu")
    except Exception as error:  # PEFT and safetensors raise what they like on bad files.
        raise _UnfitError(f"holds no LoRA adapter in PEFT format: {error}") from error
    if config.peft_type != "LORA":
        raise _UnfitError(f"is {PeftType(config.peft_type).value}; only LoRA works")
    for name in UNSUPPORTED[engine]:
        if (value := getattr(config, name, None)) and value != "none":
            raise _UnfitError(
                f"has {name} = {json.dumps(value, default=str)} in {CONFIG}, which engine "
                f"{engine} cannot apply; train or convert it without"
            )
    fit.check(config, {name: tuple(tensor.shape) for name, tensor in weights.items()})
    if broken := [name for name, tensor in weights.items() if not tensor.isfinite().all()]:
        raise _UnfitError(f"has weights that are no finite numbers: {_some(broken)}")
    return AdapterFiles(
        folder,
        fingerprint=sha256_of(folder / WEIGHTS) + sha256_of(folder / CONFIG),
        parameters=sum(tensor.numel() for tensor in weights.values()),
    )


class _Fit:
    """Compares adapters with the model they are to change."""

    def __init__(self, model: str, folder: Path) -> None:
        self._model = model
        self._folder = folder
        self._wanted: dict[str, Shapes] = {}
        """By what of an adapter's configuration they depend on: many adapters share one."""

    def check(self, config: PeftConfig, given: Shapes) -> None:
        """Raise ``_UnfitError`` unless the adapter has the weights that the model takes."""
        trained = config.base_model_name_or_path or ""
        made_for = f" (it was made for {trained})" if trained else ""
        wanted = self._shapes(config)
        if missing := [name for name in wanted if name not in given]:
            raise _UnfitError(
                f"lacks {len(missing)} of the {len(wanted)} weights that {CONFIG} promises for "
                f"this model: {_some(missing)}{made_for}"
            )
        if surplus := [name for name in given if name not in wanted]:
            raise _UnfitError(f"has weights with no place in the model: {_some(surplus)}{made_for}")
        for name, shape in wanted.items():
            if given[name] != shape:
                raise _UnfitError(
                    f"does not fit {self._model}: {_some([name])} is {_size(given[name])}, here it "
                    f"must be {_size(shape)}{made_for}"
                )
        if _are_different(trained, self._model):
            raise _UnfitError(
                f"was made for {trained}, the model is {self._model}; if it fits all the same, put "
                f"that for base_model_name_or_path in its {CONFIG}"
            )

    def _shapes(self, config: PeftConfig) -> Shapes:
        """The weights an adapter must have, by PEFT's own rules: it adds one to an empty model."""
        fields = config.to_dict() | {"base_model_name_or_path": None, "inference_mode": True}
        key = json.dumps(fields, sort_keys=True, default=str)
        if key not in self._wanted:
            try:
                peft = PeftModel(
                    self._empty_model(),
                    config,
                    adapter_name="checked",
                    autocast_adapter_dtype=False,
                    low_cpu_mem_usage=True,
                )
            except ValueError as error:
                raise _UnfitError(
                    f"does not fit {self._model}: {error} (it was made for "
                    f"{config.base_model_name_or_path})"
                ) from error
            state = get_peft_model_state_dict(
                peft, adapter_name="checked", save_embedding_layers=False
            )
            self._wanted[key] = {name: tuple(tensor.shape) for name, tensor in state.items()}
        return self._wanted[key]

    def _empty_model(self) -> PreTrainedModel:
        """The model without its weights, which takes no memory to speak of."""
        try:
            config = AutoConfig.from_pretrained(self._folder, local_files_only=True)
            with torch.device("meta"):
                model: PreTrainedModel = AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise EngineStartError(
                f"model: {self._folder} is of no kind that adapters can be checked for: {error}"
            ) from error
        return model


def _are_different(trained: str, model: str) -> bool:
    """Tell whether two names are of different models; of a folder that cannot be told."""
    source = REGISTRY.get(model)
    names = (trained, source.hub_id if source is not None else model)
    if not all(re.fullmatch(r"[\w.-]+/[\w.-]+", name) for name in names) or Path(model).is_dir():
        return False
    plain = {_VARIANT.sub("", name.partition("/")[2].lower()) for name in names}
    return len(plain) > 1


def _some(names: Iterable[str]) -> str:
    short = [name.removeprefix(PEFT_PREFIX) for name in names]
    return ", ".join(short[:MAX_SHOWN]) + (", ..." if len(short) > MAX_SHOWN else "")


def _size(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
