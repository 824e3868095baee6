"""The host tier without a GPU: what is replaced must change nothing that is said."""

from __future__ import annotations

import random

import pytest
from sglang_harness import VOCABULARY, Sglang

pytestmark = pytest.mark.sglang


def prompt(seed: int, tokens: int = 300) -> list[int]:
    draw = random.Random(seed)
    return [draw.randrange(VOCABULARY) for _ in range(tokens)]


def test_a_prefix_from_the_host_tier_gives_the_reply_it_gave_at_first(
    stock_sglang: Sglang,
) -> None:
    stock_sglang.flush()
    prompts = [prompt(seed) for seed in range(6)]  # a pool and a half
    first = [stock_sglang.generate(each, 12) for each in prompts]
    again = [stock_sglang.generate(each, 12) for each in prompts]
    assert [reply.token_ids for reply in again] == [reply.token_ids for reply in first]
    assert len({reply.token_ids for reply in first}) == len(prompts)  # they can be told apart
    assert sum(reply.device_tokens + reply.host_tokens for reply in first) == 0
    assert [reply.device_tokens + reply.host_tokens for reply in again] == [299] * len(prompts)
    assert sum(reply.host_tokens for reply in again) >= 299 * 3
