"""Two tensor-parallel ranks decide alike: SGLang's own checker compares them call by call."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sglang_harness import VOCABULARY

from callsheet_sglang import wire

pytestmark = [pytest.mark.sglang, pytest.mark.timeout(600)]
NPCS = 12
CALLS = 60


def test_ranks_agree(launch_sglang: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SGLANG_ENABLE_RANK_CONSENSUS_CHECKER", "1")
    rng = random.Random(2)
    world = [rng.randrange(256) for _ in range(40)]
    people = [world + [rng.randrange(VOCABULARY - 4) for _ in range(130)] for _ in range(NPCS)]
    with launch_sglang(plugin=True, tensor_parallel=2) as sglang:
        for step in range(CALLS):
            npc = step % NPCS if rng.random() > 0.15 else rng.randrange(NPCS)
            due_s = {(step + ahead) % NPCS: 2.0 * ahead for ahead in range(NPCS)} | {npc: 0.0}
            update = wire.Distances(
                step + 1,
                float(step),
                np.array(list(due_s), np.uint32),
                np.array(list(due_s.values()), np.float32),
            )
            sglang.call("POST", wire.DISTANCES_PATH, wire.encode_distances(update))
            prompt = people[npc] + [rng.randrange(256) for _ in range(10)]
            sglang.generate(prompt, 4, session_id=wire.session_id(npc))
        assert json.loads(sglang.call("POST", wire.AUDIT_PATH, b""))["ok"]
        status = sglang.get_json(wire.STATUS_PATH)
        assert status["fallbacks"] == {}
        assert status["counters"]["loads"] > 10
        assert status["counters"]["demotions"] > 10
