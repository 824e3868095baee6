from __future__ import annotations

import pytest

from callsheet_bench.gpu_link import GPUS, MODELS, PAIRS, Pair


def test_kv_bytes_are_those_the_models_are_known_for() -> None:
    assert MODELS["llama-3.1-8b"].kv_bytes_per_token == 128 * 1024
    assert MODELS["smollm2-1.7b"].kv_bytes_per_token == 192 * 1024


def test_the_emulated_link_has_the_ratio_of_the_pair() -> None:
    pair = PAIRS["h100/smollm2-1.7b"]
    here_bytes, here_tokens_per_s = 23_040, 1000.0
    link = pair.emulated_bytes_per_s(here_bytes, here_tokens_per_s)
    load_s, prefill_s = here_bytes / link, 1.0 / here_tokens_per_s
    assert load_s / prefill_s == pytest.approx(pair.load_to_prefill)
    assert 0.3 < pair.load_to_prefill < 0.4


def test_a_faster_link_makes_loads_cheaper() -> None:
    slow = Pair(GPUS["rtx4090"], MODELS["phi-3-mini"])
    assert slow.load_to_prefill * GPUS["rtx4090"].link_bytes_per_s == pytest.approx(
        MODELS["phi-3-mini"].kv_bytes_per_token * slow.prefill_tokens_per_s
    )
