"""Settings of the engine ``openai``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SecretStr

__all__ = ["OpenAISettings"]


class OpenAISettings(BaseModel):
    """Settings of the OpenAI-compatible endpoint that generates the text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(
        default="http://127.0.0.1:11434/v1",
        min_length=1,
        description="The endpoint, up to and with /v1; the default is Ollama's on this machine.",
    )
    api_key: SecretStr | None = Field(default=None, description="Sent as a bearer token.")
    model: str | None = Field(
        default=None,
        min_length=1,
        description="The model's name there; none = the one it lists, if it lists just one.",
    )
    extra_body: dict[str, JsonValue] = Field(
        default_factory=dict,
        description='Fields of every request that win over ours, such as reasoning_effort = "low"; '
        "null, in a flag's or variable's JSON, leaves one out.",
    )
    context_limit_tokens: int = Field(
        default=8192,
        ge=64,
        le=1 << 24,
        description="Longest prompt plus reply. Estimated here at 3 characters a token: the oldest "
        "turns are left out until it fits.",
    )
    max_open: int = Field(default=64, ge=1, le=100_000, description="Requests at the same time.")
    json_schema: bool = Field(
        default=True,
        description="Actions are asked for as response_format json_schema; false = the endpoint "
        "does not know that, and NPCs say but do not act.",
    )
