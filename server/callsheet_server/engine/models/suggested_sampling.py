"""Sampling that a model's own files suggest."""

from __future__ import annotations

from pathlib import Path

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from callsheet_server.engine.engine import Sampling

__all__ = ["suggested_sampling"]


class _GenerationConfig(BaseModel):
    """The part of ``generation_config.json`` that is about sampling."""

    model_config = ConfigDict(extra="ignore")

    do_sample: bool = True
    """False = the authors suggest nothing for talk: they decode greedily."""
    temperature: float | None = Field(default=None, gt=0, le=4)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=0, le=1_000_000)
    repetition_penalty: float | None = Field(default=None, gt=1, le=2)


def suggested_sampling(folder: Path) -> Sampling:
    """Sampling that the model in ``folder`` suggests; for the rest, what suits talk in general."""
    try:
        read = orjson.loads((folder / "generation_config.json").read_bytes())
        config = _GenerationConfig.model_validate(read)
    except (OSError, orjson.JSONDecodeError, ValidationError):
        return Sampling()
    if not config.do_sample:
        return Sampling()
    return Sampling(**config.model_dump(exclude={"do_sample"}, exclude_none=True))
