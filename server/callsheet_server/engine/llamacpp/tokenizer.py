"""The tokenizer of a GGUF model: llama.cpp splits the text, jinja renders the chat template."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from callsheet_server.engine.errors import EngineUnavailableError
from callsheet_server.engine.models.gguf_file import GgufFile

__all__ = ["LlamaTokenizer"]

TIMEOUT_S: Final = 30.0
KEPT_TEXTS: Final = 8192
"""Texts whose tokens are remembered: a talk is tokenised anew at every turn."""


@dataclass(frozen=True, slots=True)
class _Added:
    content: str
    special: bool


class LlamaTokenizer:
    """A ``ChatTokenizer``. Blocks while llama.cpp answers; not thread-safe."""

    def __init__(self, model: GgufFile) -> None:
        self.chat_template = model.chat_template
        self.added_tokens_decoder: Mapping[int, _Added] = {
            number: _Added(text, special)
            for number, (text, special) in model.control_tokens.items()
        }
        self._names = {f"{role}_token": model.token_text(role) for role in ("bos", "eos")}
        self._url = ""
        self._key = ""
        self._connection: http.client.HTTPConnection | None = None
        self._kept = lru_cache(KEPT_TEXTS)(self._ask)

    def connect(self, url: str, key: str) -> None:
        """Ask the server at ``url`` from now on."""
        self.close()
        self._url, self._key = url, key

    def close(self) -> None:
        """Drop the connection; the next question opens another."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def encode(
        self, text: str, *, add_special_tokens: bool = False, split_special_tokens: bool = False
    ) -> list[int]:
        """The tokens of ``text``; no others are added.

        Raises:
            EngineUnavailableError: llama.cpp does not answer.
        """
        assert not add_special_tokens, "a chat template names the special tokens it wants"
        return list(self._kept(text, not split_special_tokens)) if text else []

    def apply_chat_template(
        self,
        conversation: list[dict[str, str]],
        *,
        tokenize: bool = False,
        add_generation_prompt: bool = False,
        enable_thinking: bool = False,
    ) -> str:
        """The conversation as text. Raises whatever the template does."""
        assert not tokenize
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
        )
        environment.filters["tojson"] = lambda value, **options: json.dumps(
            value, ensure_ascii=False, **options
        )
        template = environment.from_string(
            self.chat_template,
            {"raise_exception": _refuse, "strftime_now": lambda form: f"{datetime.now():{form}}"},
        )
        return template.render(
            messages=conversation,
            add_generation_prompt=add_generation_prompt,
            enable_thinking=enable_thinking,
            **self._names,
        )

    def _ask(self, text: str, parse_special: bool) -> tuple[int, ...]:
        body = {"content": text, "add_special": False, "parse_special": parse_special}
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        for last in (False, True):
            try:
                if self._connection is None:
                    place = urlsplit(self._url)
                    self._connection = http.client.HTTPConnection(place.netloc, timeout=TIMEOUT_S)
                self._connection.request("POST", "/tokenize", json.dumps(body), headers)
                answer: dict[str, Any] = json.loads(self._connection.getresponse().read())
                return tuple(answer["tokens"])
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                self.close()  # It may have been given up at the other end: ask once more.
                if last:
                    raise EngineUnavailableError("llama.cpp does not tokenise") from error
        raise AssertionError("unreachable")


def _refuse(message: str) -> None:
    raise ValueError(message)
