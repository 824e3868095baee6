"""The sampler on its own, without a model."""

from __future__ import annotations

import json
import math

import pytest
import torch
from engine.harness import GREEDY, tiny_tokenizer

from callsheet_server.engine.embedded.sampling import GrammarCompiler, Sampler
from callsheet_server.engine.engine import Sampling
from callsheet_server.engine.errors import GenerationError

CPU = torch.device("cpu")
LOGITS = torch.tensor([0.0, 3.0, 2.9, -1.0, 1.0])


def draw(sampling: Sampling, count: int = 40) -> list[int]:
    sampler = Sampler(sampling, None, CPU)
    return [sampler.choose(LOGITS) for _ in range(count)]


def test_temperature_zero_takes_the_best() -> None:
    assert set(draw(GREEDY)) == {1}


def test_the_same_seed_draws_the_same() -> None:
    hot = Sampling(temperature=2.0, repetition_penalty=1.0, seed=5)
    assert draw(hot) == draw(hot)
    other = Sampling(temperature=2.0, repetition_penalty=1.0, seed=6)
    assert draw(hot) != draw(other)
    unseeded = Sampling(temperature=2.0, repetition_penalty=1.0)
    assert draw(unseeded) != draw(unseeded)


def test_top_k_and_top_p_cut_the_tail() -> None:
    assert set(draw(Sampling(temperature=2.0, top_k=2, top_p=1.0, seed=1))) == {1, 2}
    assert set(draw(Sampling(temperature=1.0, top_p=0.01, seed=1, repetition_penalty=1.0))) == {1}


def test_repetition_is_made_less_likely() -> None:
    sampler = Sampler(Sampling(temperature=0.01, repetition_penalty=2.0, seed=1), None, CPU)
    assert [sampler.choose(LOGITS) for _ in range(2)] == [1, 2]


@pytest.fixture(scope="module")
def grammars() -> GrammarCompiler:
    return GrammarCompiler(tiny_tokenizer(), 259, frozenset({258}))


@pytest.mark.parametrize("seed", range(5))
def test_a_grammar_allows_only_the_schema(grammars: GrammarCompiler, seed: int) -> None:
    schema = {
        "type": "object",
        "properties": {
            "act": {"const": "give"},
            "count": {"type": "integer", "minimum": 0, "maximum": 20},
        },
        "required": ["act", "count"],
        "additionalProperties": False,
    }
    tokenizer = tiny_tokenizer()
    sampler = Sampler(Sampling(temperature=1.0, seed=seed), grammars.matcher(schema), CPU)
    logits = torch.randn(259, generator=torch.Generator().manual_seed(seed))
    tokens: list[int] = []
    while not sampler.finished and len(tokens) < 300:
        tokens.append(sampler.choose(logits))
        if tokens[-1] == 258:
            tokens.pop()
            break
    value = json.loads(str(tokenizer.decode(tokens)))
    assert value["act"] == "give"
    assert 0 <= value["count"] <= 20


@pytest.mark.parametrize("schema", [{"type": "nonsense"}, {"type": "string", "pattern": "("}])
def test_a_useless_schema_is_refused(grammars: GrammarCompiler, schema: dict[str, str]) -> None:
    with pytest.raises(GenerationError, match="json_schema"):
        grammars.matcher(schema)


def test_what_was_said_before_is_said_less() -> None:
    logits, cpu = torch.tensor([1.0, 0.9, -30.0]), torch.device("cpu")
    sampling = Sampling(temperature=0.01, repetition_penalty=1.5, seed=1)
    assert Sampler(sampling, None, cpu).choose(logits) == 0
    assert Sampler(sampling, None, cpu, said_before=[0]).choose(logits) == 1


def test_a_margin_tells_how_sure_a_choice_was(grammars: GrammarCompiler) -> None:
    tokenizer = tiny_tokenizer()
    quote, go, no = (tokenizer.convert_tokens_to_ids(letter) for letter in '"gn')
    sampler = Sampler(GREEDY, grammars.matcher({"enum": ["go", "no"]}), CPU)
    logits = torch.zeros(259)
    logits[go] = 1.0
    assert sampler.choose(logits) == quote
    assert sampler.take_margin() == 1.0  # Nothing else was allowed.
    assert sampler.choose(logits) == go
    likely = math.e / (math.e + 1.0)
    assert sampler.take_margin() == pytest.approx(likely - (1.0 - likely), abs=1e-6)
    logits[no] = 1.0
    other = Sampler(GREEDY, grammars.matcher({"enum": ["go", "no"]}), CPU)
    assert [other.choose(logits), other.choose(logits)][0] == quote
    assert other.take_margin() == pytest.approx(0.0)
    assert Sampler(GREEDY, None, CPU).take_margin() is None
