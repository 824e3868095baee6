from __future__ import annotations

from dataclasses import replace

import pytest

from callsheet_sglang_cpu.emulated_gpu.machine import Emulation, Work, named
from callsheet_sglang_cpu.emulated_gpu.timelines import Timelines

MACHINE = replace(named("h100/smollm2-1.7b"), launch_s=0.0)
STEP = Work(new_tokens=1, attended=1000, context_tokens=1000)
STEP_S = MACHINE.pass_s(STEP)
LOAD_TOKENS = 10_000
LOAD_S = MACHINE.copy_s(LOAD_TOKENS)


def test_passes_follow_each_other_and_take_as_long_as_they_are_dilated() -> None:
    gpu = Timelines(Emulation(MACHINE, dilation=3.0))
    assert gpu.launch(STEP, 10.0, None, after_idle=True) == pytest.approx(10.0 + 3 * STEP_S)
    assert gpu.launch(STEP, 10.0, None, after_idle=False) == pytest.approx(10.0 + 6 * STEP_S)
    assert gpu.sums.busy_s == pytest.approx(2 * STEP_S)
    assert gpu.sums.host_gap_s == 0.0


def test_a_late_launch_is_the_hosts_fault_unless_there_was_nothing_to_do() -> None:
    gpu = Timelines(Emulation(MACHINE, dilation=2.0))
    end_s = gpu.launch(STEP, 0.0, None, after_idle=True)
    gpu.launch(STEP, end_s + 1.0, None, after_idle=False)
    assert gpu.sums.host_gap_s == pytest.approx(0.5)
    gpu.launch(STEP, end_s + 9.0, None, after_idle=True)
    assert gpu.sums.host_gap_s == pytest.approx(0.5)


def test_a_load_begins_after_the_pass_before_it_and_holds_up_whoever_waits() -> None:
    gpu = Timelines(Emulation(MACHINE))
    first_s = gpu.launch(STEP, 0.0, None, after_idle=True)
    load = gpu.load(LOAD_TOKENS, 0.0)
    assert load.begin_s == first_s
    assert load.end_s == pytest.approx(first_s + LOAD_S)
    end_s = gpu.launch(STEP, 0.0, load, after_idle=False)
    assert end_s == pytest.approx(load.end_s + STEP_S / MACHINE.layers)
    assert gpu.sums.load_wait_s == pytest.approx(end_s - first_s - STEP_S)
    assert gpu.sums.link_s == pytest.approx(LOAD_S)


def test_a_pass_that_waits_for_nothing_runs_beside_a_load() -> None:
    gpu = Timelines(Emulation(MACHINE))
    gpu.load(LOAD_TOKENS, 0.0)
    assert gpu.launch(STEP, 0.0, None, after_idle=True) == pytest.approx(STEP_S)


def test_a_short_load_hides_behind_the_pass_but_for_a_layer() -> None:
    gpu = Timelines(Emulation(MACHINE))
    short = gpu.load(10, 0.0)
    end_s = gpu.launch(STEP, 0.0, short, after_idle=True)
    assert end_s == pytest.approx(STEP_S + short.first_layer_s)


def test_each_direction_has_a_line_of_its_own() -> None:
    gpu = Timelines(Emulation(MACHINE))
    assert gpu.load(LOAD_TOKENS, 0.0).end_s == pytest.approx(LOAD_S)
    assert gpu.park(LOAD_TOKENS, 0.0).end_s == pytest.approx(LOAD_S)
    assert gpu.load(LOAD_TOKENS, 0.0).end_s == pytest.approx(2 * LOAD_S)
