"""Fields of the request that endpoints disagree about: as set, else learned from their refusals."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, Final

from callsheet_server.engine.engine import GenerationRequest
from callsheet_server.engine.errors import GenerationError

__all__ = ["RequestFields"]

logger = logging.getLogger(__name__)

LIMIT: Final = "max_tokens"
NEWER_LIMIT: Final = "max_completion_tokens"
SCHEMA: Final = "response_format"
OPTIONAL: Final = ("stream_options", "seed", "top_p", "temperature")
"""May be left out; in this order, where a refusal names several."""
_SYSTEM_ROLE: Final = re.compile(
    r"\bsystem\W.{0,30}(role|message|prompt)|(role|message).{0,30}\bsystem\b"
    r"|developer instruction",
    re.IGNORECASE,
)


class RequestFields:
    """Request fields that an endpoint's model takes; learned once, for all requests."""

    def __init__(self, extra: Mapping[str, Any], json_schema: bool) -> None:
        """Begin with the protocol as written.

        Args:
            extra: fields that win over ours; a value of None leaves the field out.
            json_schema: the endpoint knows JSON schemas.
        """
        self._extra = extra
        self._json_schema = json_schema
        self.system_role = True
        """Messages may begin with one of the role "system"."""
        self._limit = LIMIT
        self._left_out: set[str] = set()

    @property
    def learned(self) -> str:
        """Description of how requests differ from the protocol as written; "" = not at all."""
        parts = [f"{self._limit} in place of {LIMIT}"] if self._limit != LIMIT else []
        parts += [f"no {name}" for name in (*OPTIONAL, SCHEMA) if name in self._left_out]
        parts += [] if self.system_role else ["no system role"]
        return ", ".join(parts)

    def body(
        self, model: str, messages: list[dict[str, str]], request: GenerationRequest
    ) -> dict[str, Any]:
        """The request's body.

        Raises:
            GenerationError: it asks for JSON of a schema, which the endpoint does not know.
        """
        sampling = request.sampling
        fields: dict[str, Any] = {
            "model": model,
            "messages": messages,
            self._limit: request.max_new_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p if sampling.temperature > 0 else None,
            "seed": sampling.seed,
            "stream": True,
            "stream_options": {"include_usage": True},
            SCHEMA: self._response_format(request),
            **self._extra,
        }
        return {
            name: value
            for name, value in fields.items()
            if value is not None and name not in self._left_out
        }

    def learn(self, body: Mapping[str, Any], said: str) -> bool:
        """Change what a refusal names; False = it names nothing that can be changed.

        Args:
            body: what was refused.
            said: the endpoint's reason.
        """
        before = self.learned
        if LIMIT in body and NEWER_LIMIT in said and LIMIT not in self._extra:
            self._limit = NEWER_LIMIT
        elif name := self._named(body, said):
            self._left_out.add(name)
        elif body["messages"][0]["role"] == "system" and _SYSTEM_ROLE.search(said):
            self.system_role = False
        else:
            return False
        if self.learned != before:  # Else a request that was sent before has taught the same.
            logger.warning("openai: requests have %s now; it said: %.300s", self.learned, said)
        return True

    def _named(self, body: Mapping[str, Any], said: str) -> str | None:
        return next(
            (
                name
                for name in (*OPTIONAL, SCHEMA)
                if name in body and name not in self._extra and re.search(rf"\b{name}\b", said)
            ),
            None,
        )

    def _response_format(self, request: GenerationRequest) -> dict[str, Any] | None:
        if request.json_schema is None:
            return None
        if not self._json_schema or SCHEMA in self._left_out:
            raise GenerationError("this endpoint has no JSON schemas (openai.json_schema)")
        schema = {"name": "answer", "schema": dict(request.json_schema), "strict": True}
        return {"type": "json_schema", "json_schema": schema}
