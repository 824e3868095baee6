from __future__ import annotations

from pathlib import Path

import pytest

from callsheet_sglang_cpu.emulated_gpu.hardware import GPUS, MODELS
from callsheet_sglang_cpu.emulated_gpu.machine import Emulation, Work, named, pool_tokens


def test_a_decode_step_reads_all_weights() -> None:
    machine = named("h100/llama-3.1-8b")
    alone = machine.pass_s(Work(new_tokens=1, attended=1000, context_tokens=1000))
    assert alone == pytest.approx(1e-3 + (16.06e9 + 1000 * 131_072) / (0.8 * 2.04e12))
    crowd = machine.pass_s(Work(new_tokens=64, attended=64_000, context_tokens=64_000))
    assert alone < crowd < 2 * alone


def test_a_long_prompt_costs_its_arithmetic() -> None:
    machine = named("rtx4060ti/phi-3-mini")
    found = machine.pass_s(Work(new_tokens=2000, attended=2000 * 1000, context_tokens=2000))
    flops = 2 * 3.82e9 * 2000 + 4 * 32 * 3072 * 2000 * 1000
    assert found == pytest.approx(1e-3 + flops / (0.4 * 44.1e12))


def test_half_the_bytes_load_and_decode_twice_as_fast() -> None:
    full, half = named("h100/llama-3.1-8b"), named("h100/llama-3.1-8b-fp8")
    assert half.copy_s(1000) == full.copy_s(1000) / 2
    step = Work(1, 1000, 1000)
    assert half.pass_s(step) - 1e-3 == pytest.approx((full.pass_s(step) - 1e-3) / 2)


def test_every_entry_names_its_source() -> None:
    assert all(gpu.source for gpu in GPUS.values())
    assert all(model.source for model in MODELS.values())


def test_unknown_names_are_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"GPUs are h100, .*models are smollm2-1.7b"):
        named("h100")


def test_the_pool_is_what_the_weights_leave() -> None:
    assert pool_tokens("rtx4090/llama-3.1-8b") == int((0.88 * 24e9 - 16.06e9) / 131_072)
    with pytest.raises(ValueError, match="does not fit"):
        pool_tokens("rtx4060ti/mistral-nemo-12b")


def test_an_emulation_survives_its_file(tmp_path: Path) -> None:
    emulation = Emulation(named("a100/qwen2.5-7b", link_bytes_per_s=1e9), dilation=3.0)
    emulation.save(tmp_path / "gpu.json")
    assert Emulation.load(tmp_path / "gpu.json") == emulation
