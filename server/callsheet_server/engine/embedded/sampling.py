"""Choosing the next token: one sampler per request, with its own random numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from llguidance import LLMatcher
from llguidance.hf import from_tokenizer
from transformers import (
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from callsheet_server.engine.errors import GenerationError
from callsheet_server.engine.grammar_limits import GRAMMAR_LIMITS

if TYPE_CHECKING:
    from llguidance import LLTokenizer
    from transformers import PreTrainedTokenizerFast

    from callsheet_server.engine.engine import Sampling

__all__ = ["GrammarCompiler", "Sampler"]


class GrammarCompiler:
    """Turns JSON schemas into matchers. The first use takes about a second."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerFast, vocab_size: int, eos_ids: frozenset[int]
    ) -> None:
        self._tokenizer = tokenizer
        self._vocab_size = vocab_size
        self._eos_ids = sorted(eos_ids)
        self._compiled: LLTokenizer | None = None

    def matcher(self, schema: Mapping[str, Any]) -> LLMatcher:
        """A matcher that allows exactly the JSON values of ``schema``, without free whitespace.

        Raises:
            GenerationError: the schema is not one, or uses what cannot be enforced.
        """
        if self._compiled is None:
            self._compiled = from_tokenizer(
                self._tokenizer, n_vocab=self._vocab_size, eos_token=self._eos_ids
            )
        try:
            grammar = LLMatcher.grammar_from_json_schema(
                json.dumps(schema), overrides={"whitespace_flexible": False}
            )
            matcher = LLMatcher(self._compiled, grammar, limits=GRAMMAR_LIMITS)
        except (TypeError, ValueError) as error:
            raise GenerationError(f"json_schema: cannot be used: {error}") from error
        if matcher.is_error():
            raise GenerationError(f"json_schema: cannot be enforced: {matcher.get_error()}")
        return matcher


class Sampler:
    """Chooses one request's tokens. Same seed and logits, same tokens, whatever else runs."""

    def __init__(
        self,
        sampling: Sampling,
        matcher: LLMatcher | None,
        device: torch.device,
        said_before: Sequence[int] = (),
    ) -> None:
        """``said_before``: tokens that count as repeated from the start."""
        self._matcher = matcher
        self._greedy = sampling.temperature <= 0.0
        self._said = list(said_before)
        self._margin = 1.0
        if self._greedy:
            return
        self._generator = torch.Generator(device=device)
        if sampling.seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(sampling.seed)
        self._penalty = (
            RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty)
            if sampling.repetition_penalty != 1.0
            else None
        )
        self._warpers = LogitsProcessorList()
        if sampling.temperature != 1.0:
            self._warpers.append(TemperatureLogitsWarper(sampling.temperature))
        if sampling.top_k > 0:
            self._warpers.append(TopKLogitsWarper(sampling.top_k))
        if sampling.top_p < 1.0:
            self._warpers.append(TopPLogitsWarper(sampling.top_p))

    def choose(self, logits: torch.Tensor) -> int:
        """The next token, given (vocab,) float32 logits.

        The repetition penalty counts what this reply and the NPC's last ones have said, not the
        rest of the prompt: a persona's own words are no repetition.

        Raises:
            GenerationError: the grammar has no way on, or the logits are not finite.
        """
        scores = logits[None]
        if self._matcher is not None:
            scores = scores.masked_fill(~self._allowed(scores.shape[1], scores.device), -torch.inf)
            likeliest = torch.softmax(scores, dim=-1).topk(2).values[0]
            self._margin = min(self._margin, float(likeliest[0] - likeliest[1]))
        best, greediest = scores.max(dim=-1)
        if not math.isfinite(float(best)):
            raise GenerationError("the model's output is not finite; the NPC's state is damaged")
        if self._greedy:
            token = int(greediest)
        else:
            ids = torch.tensor([self._said], dtype=torch.int64, device=scores.device)
            if self._penalty is not None and self._said:
                scores = self._penalty(ids, scores)
            scores = self._warpers(cast(torch.LongTensor, ids), scores)
            probabilities = torch.softmax(scores, dim=-1)
            token = int(torch.multinomial(probabilities, 1, generator=self._generator))
        self._said.append(token)
        if self._matcher is not None and not self._matcher.consume_token(token):
            raise GenerationError(f"json_schema: {self._matcher.get_error()}")
        return token

    def take_margin(self) -> float | None:
        """The least margin (see ``Delta``) of the tokens chosen since the last call."""
        margin, self._margin = self._margin, 1.0
        return None if self._matcher is None else margin

    @property
    def finished(self) -> bool:
        """True if the grammar is complete and allows nothing more."""
        return self._matcher is not None and self._matcher.is_stopped()

    def _allowed(self, vocab_size: int, device: torch.device) -> torch.Tensor:
        assert self._matcher is not None
        packed = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        bits = np.unpackbits(packed, bitorder="little", count=vocab_size)
        return torch.from_numpy(bits).to(device=device, dtype=torch.bool)
