"""Settings of the engine ``sglang``."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from callsheet_server.engine.models.catalogue import DEFAULT_MODEL

__all__ = ["SglangSettings"]

ON_RAY: Final = "ray"


class SglangSettings(BaseModel):
    """The SGLang that generates the text: launched or attached to, and how it is fed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    urls: tuple[str, ...] = Field(
        default=(),
        description="Attach to the SGLang at this URL, such as http://gpu-box:30000, or to several "
        "as one cluster; ray = to those that `callsheet cluster up` has started; none = launch on "
        "this machine.",
    )
    replicas: int = Field(
        default=1,
        ge=1,
        le=64,
        description="To launch: how many, as one cluster, each on a GPU of its own.",
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
    emulate: str | None = Field(
        default=None,
        min_length=1,
        description="To launch: at the speed of this GPU/MODEL, such as h100/llama-3.1-8b, on this "
        "machine's CPU; replies have no meaning. None = the real thing.",
    )
    python: Path | None = Field(
        default=None,
        description="To launch: the Python that has SGLang; none = on cpu the one that `callsheet "
        "sglang setup-cpu` made, else this one.",
    )
    port: int = Field(
        default=0,
        ge=0,
        le=65_535,
        description="To launch: its port on 127.0.0.1, further replicas count up from it; 0 = free "
        "ones.",
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
    arguments: tuple[str, ...] = Field(
        default=(), description="To launch: further arguments of sglang.launch_server."
    )
    log_file: Path | None = Field(
        default=None, description="To launch: its log; none = sglang.log in the cache folder."
    )
    start_timeout_s: float = Field(
        default=900.0, gt=0, description="How long SGLang may take until it answers."
    )

    @field_validator("urls", mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        places: dict[str, str] = {}
        if self.on_ray and len(self.urls) > 1:
            raise ValueError("urls: Ray names all replicas; leave the other URLs out")
        for url in self.urls if not self.on_ray else ():
            if not (place := _place(url)):
                raise ValueError(f"urls: {url!r} is no URL; write http://HOST:PORT")
            if place in places:
                raise ValueError(f"urls: {url} is there twice (as {places[place]}); leave one out")
            places[place] = url
        if self.urls and self.replicas > 1:
            raise ValueError("replicas are launched here, urls are attached to; set one of the two")
        return self

    @property
    def on_ray(self) -> bool:
        """True = Ray tells which replicas there are."""
        return ON_RAY in self.urls

    @property
    def is_cluster(self) -> bool:
        """True = there may be several replicas."""
        return len(self.urls) > 1 or self.replicas > 1 or self.on_ray

    @property
    def url(self) -> str | None:
        """URL of the one SGLang to attach to; None = one is launched."""
        return self.urls[0] if self.urls else None


def _place(url: str) -> str:
    """Host and port of a URL in one spelling; "" = it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return ""
    host = (parts.hostname or "").rstrip(".")
    host = "127.0.0.1" if host in ("localhost", "::1") else host
    return f"{host}:{port}{parts.path.rstrip('/')}" if host else ""
