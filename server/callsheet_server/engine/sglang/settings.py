"""Settings of the engine ``sglang``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from callsheet_server.engine.models.catalogue import DEFAULT_MODEL

__all__ = ["SglangSettings"]


class SglangSettings(BaseModel):
    """The SGLang that generates the text: launched or attached to, and how it is fed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(
        default=None,
        min_length=1,
        description="Attach to the SGLang at this URL, such as http://gpu-box:30000; none = launch "
        "one on this machine.",
    )
    api_key: SecretStr | None = Field(
        default=None, description="SGLang's API key, if it asks for one."
    )
    tokenizer: str | None = Field(
        default=None,
        description="Folder or hub id of the model's tokenizer; none = the one SGLang names.",
    )
    context_limit_tokens: int = Field(
        default=4096,
        ge=64,
        le=1 << 20,
        description="Longest prompt plus reply; SGLang's own limit wins if it is smaller.",
    )
    max_open: int = Field(
        default=256, ge=1, le=100_000, description="Requests at the same time, queued or running."
    )
    silence_s: float = Field(
        default=120.0,
        gt=0,
        description="A request is given up if SGLang sends nothing for so long.",
    )
    health_interval_s: float = Field(
        default=5.0, gt=0, description="How often SGLang is asked whether it is well."
    )
    health_timeout_s: float = Field(
        default=30.0,
        gt=0,
        description="How long it may take to answer that; after two failures it counts as lost.",
    )
    residency_interval_s: float = Field(
        default=0.5, gt=0, description="How often the plugin is asked where prefixes lie."
    )
    distance_interval_s: float = Field(
        default=0.1, gt=0, description="Shortest time between two distance updates to SGLang."
    )
    distance_bytes_per_s: int = Field(
        default=1_000_000, ge=1000, description="Most that distance updates may take of the link."
    )
    distance_tolerance_s: float = Field(
        default=0.25, ge=0, description="An NPC whose distance is off by less is not sent again."
    )
    distance_tolerance_ratio: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="The same as a part of the distance; the larger of the two counts.",
    )
    warm_horizon_s: float = Field(
        default=60.0,
        ge=0,
        description="NPCs due sooner have their prefix computed ahead while SGLang has nothing "
        "better to do; 0 = never.",
    )
    warm_at_once: int = Field(
        default=2, ge=1, le=256, description="Prefixes computed ahead at the same time."
    )
    adapters: dict[str, str] = Field(
        default_factory=dict,
        description="Adapter id -> folder of a LoRA adapter in PEFT format, as SGLang sees it.",
    )
    # --- of a launched one -------------------------------------------------------------------
    model: str = Field(
        default=DEFAULT_MODEL,
        min_length=1,
        description="To launch: a registered name, a hub id (OWNER/NAME) or a folder.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="To launch: where the model runs; auto = cuda, else cpu."
    )
    python: Path | None = Field(
        default=None,
        description="To launch: the Python that has SGLang; none = on cpu the one that `callsheet "
        "sglang setup-cpu` made, else this one.",
    )
    port: int = Field(
        default=0, ge=0, le=65_535, description="To launch: its port on 127.0.0.1; 0 = a free one."
    )
    pool_tokens: int | None = Field(
        default=None,
        ge=256,
        description="To launch: tokens in the device's KV pool; none = all that fits.",
    )
    host_ratio: float | None = Field(
        default=4.0,
        gt=1,
        description="To launch: host memory for KV, in sizes of the device's pool; none = no host "
        "tier.",
    )
    adapter_slots: int = Field(
        default=8, ge=1, description="To launch: adapters on the device at once, if there are any."
    )
    plugin: bool = Field(
        default=True, description="To launch: with Callsheet's plugin, which keeps by distance."
    )
    arguments: tuple[str, ...] = Field(
        default=(), description="To launch: further arguments of sglang.launch_server."
    )
    log_file: Path | None = Field(
        default=None, description="To launch: its log; none = sglang.log in the cache folder."
    )
    log_bytes: int = Field(
        default=10_000_000, ge=10_000, description="To launch: size at which the log is rotated."
    )
    start_timeout_s: float = Field(
        default=900.0, gt=0, description="How long SGLang may take until it answers."
    )
    stop_timeout_s: float = Field(
        default=15.0, gt=0, description="To launch: from being told to end to being killed."
    )
    restart_min_s: float = Field(
        default=1.0,
        gt=0,
        description="Pause before a lost SGLang is tried again; it doubles with each try.",
    )
    restart_max_s: float = Field(default=60.0, gt=0, description="The longest such pause.")
