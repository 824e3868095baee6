"""Our radix cache inside SGLang's interpreter, on SGLang's own pools: no server, no model run."""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from callsheet_sglang.launch.interpreter import find_python
from callsheet_sglang.launch.spec import LaunchSpec, environment

pytestmark = [pytest.mark.sglang, pytest.mark.timeout(300)]
PROGRAM = Path(__file__).with_name("inside.py")
CASES = (
    "town",
    "town-again",
    "no-prefetch",
    "small-host",
    "no-host-tier",
    "without-distances",
    "containment",
    "refusals",
    "full-link",
)


@cache
def cases(model: Path) -> dict[str, Any]:
    python = find_python("cpu")
    spec = LaunchSpec(python=python, model=model, port=1, device="cpu")
    env = environment(spec, os.environ) | {"MODEL": str(model)}
    done = subprocess.run(
        [str(python), str(PROGRAM), *CASES], env=env, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    "case", ["town", "no-prefetch", "small-host", "no-host-tier", "without-distances"]
)
def test_every_reused_token_is_the_requests_own(tiny_model: Path, case: str) -> None:
    found = cases(tiny_model)[case]
    assert found["wrong"] == 0
    assert found["audit"]["ok"], found["audit"]


def test_known_distances_keep_the_next_speaker_on_the_device(tiny_model: Path) -> None:
    found = cases(tiny_model)
    town, demand = found["town"], found["no-prefetch"]
    assert town["fallbacks"] == {}
    assert town["counters"]["loads"] > 100
    assert town["counters"]["demotions"] > 100
    assert town["device"] > 0.8
    assert town["host"] < 0.05
    assert demand["counters"]["loads"] == demand["counters"]["demotions"] == 0
    assert demand["device"] > found["without-distances"]["device"] + 0.1


def test_the_same_messages_and_requests_cause_the_same_moves(tiny_model: Path) -> None:
    """As tensor-parallel ranks see them: nothing depends on a clock or on node ids."""
    first, second = (dict(cases(tiny_model)[case]) for case in ("town", "town-again"))
    for found in (first, second):
        counters = found["counters"].items()
        found["counters"] = {k: v for k, v in counters if not k.endswith("_s")}
    assert first == second


def test_a_small_host_tier_gives_up_copies_of_who_is_about_to_call(tiny_model: Path) -> None:
    found = cases(tiny_model)
    small = found["small-host"]
    assert small["fallbacks"] == {}
    assert small["counters"]["released_copies"] > 50
    assert found["town"]["counters"]["released_copies"] == 0
    assert small["device"] + small["host"] > found["without-distances"]["device"] + 0.1


def test_without_a_host_tier_distance_still_orders_eviction(tiny_model: Path) -> None:
    found = cases(tiny_model)["no-host-tier"]
    assert found["counters"]["evictions"] > 100
    assert found["device"] > cases(tiny_model)["without-distances"]["device"] + 0.1


def test_whatever_of_ours_fails_the_cache_stays_sound_and_counts_it(tiny_model: Path) -> None:
    found = cases(tiny_model)["containment"]
    assert "broken" not in found, found
    assert len(found) == 13
    for piece, report in found.items():
        assert report["wrong"] == 0, piece
        assert report["fallbacks"] > 0, piece


def test_a_full_link_leaves_sglang_the_slots_of_its_own_loads(tiny_model: Path) -> None:
    found = cases(tiny_model)["full-link"]
    assert found["sent"] == 64
    assert found["host"] > 250


def test_activation_is_refused_with_one_message_each(tiny_model: Path) -> None:
    found = cases(tiny_model)["refusals"]
    assert found["version"].startswith(
        "callsheet does not work in SGLang 0.5.23: it supports 0.9.0 and later, before 0.9.1"
    )
    assert "heapq.no_such is missing" in found["target"]
    assert "CALLSHEET_SGLANG_SETTINGS" in found["settings"]
    assert "prefetch_link_ms" in found["settings"]
