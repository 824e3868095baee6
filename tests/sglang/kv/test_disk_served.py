"""A real SGLang with files below a host tier too small for all: what is read back is what was."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sglang_harness import Sglang

from callsheet_sglang import wire

pytestmark = [pytest.mark.sglang, pytest.mark.timeout(360)]

LaunchSglang = Callable[..., AbstractContextManager[Sglang]]
NPCS, PERSONA_TOKENS, PAGE_TOKENS = 24, 128, 16
ROUNDS = 20
FILES = (
    "--hicache-storage-backend",
    "file",
    "--hicache-storage-prefetch-policy",
    "best_effort",
    "--hicache-storage-backend-extra-config",
    '{"prefetch_threshold": 16}',
)


def tell(sglang: Sglang, seq: int, distance_s: list[float]) -> None:
    handles, told = np.arange(NPCS, dtype=np.uint32), np.array(distance_s, np.float32)
    update = wire.Distances(seq, float(seq), handles, told, full=True)
    sglang.call("POST", wire.DISTANCES_PATH, wire.encode_distances(update))


def test_prefixes_come_back_from_disk_before_their_npcs_call(
    launch_sglang: LaunchSglang, tmp_path: Path
) -> None:
    draw = random.Random(5)
    people = [[draw.randrange(256) for _ in range(PERSONA_TOKENS)] for _ in range(NPCS)]

    def ask(sglang: Sglang, npc: int, turn: int) -> tuple[int, ...]:
        return sglang.generate([*people[npc], turn], 4, session_id=wire.session_id(npc)).token_ids

    launch: dict[str, Any] = {
        "plugin": True,
        "pool_tokens": 1024,
        "page_tokens": PAGE_TOKENS,
        "host_ratio": 1.5,
        "extra_arguments": (*FILES, "--file-storage-path", str(tmp_path)),
    }
    with launch_sglang(**launch) as sglang:
        first = [ask(sglang, npc, 1) for npc in range(NPCS)]
        assert [ask(sglang, npc, 2) for npc in range(NPCS)] != first
        read = 0
        for seq in range(1, ROUNDS + 1):
            nearest = [(seq * 5 + npc) % NPCS for npc in range(6)]
            far = [30.0 + npc for npc in range(NPCS)]
            for place, npc in enumerate(nearest):
                far[npc] = 0.5 + place / 10
            tell(sglang, seq, far)
            time.sleep(0.2)
            assert ask(sglang, nearest[0], 1) == first[nearest[0]]
            read = sglang.get_json(wire.STATUS_PATH)["counters"]["disk_reads"]
        assert read > 0
        assert json.loads(sglang.call("POST", wire.AUDIT_PATH, b""))["ok"]
        assert sglang.get_json(wire.STATUS_PATH)["fallbacks"] == {}
