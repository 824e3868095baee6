"""Every attack of the bench for a moment, with what must hold on a machine however busy.

``loadtest/bench/hostile.py`` measures the same for longer, and prints times; here only what does
not hang on the machine's speed is judged: CPU seconds, memory, log, close codes, finished replies.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from callsheet_bench.hostile import inside, outside
from callsheet_bench.hostile.attack import ATTACKS
from callsheet_bench.hostile.raw_socket import LOST, PATIENCE_S
from callsheet_bench.hostile.trial import Outcome, arena

SECONDS = 1.5
IDLE_S = 2.0
CPU_PER_S = 0.25
BURST_CPU_S = 1.0
"""CPU of what may come at once after a quiet time: 64 handshakes, three changes of 20,000 NPCs."""
MAX_GROWN_BYTES = 64 * 2**20
MAX_LOG_BYTES = 100_000
MAX_STOP_S = 15.0


@pytest.mark.skipif(sys.platform != "linux", reason="attackers come from addresses of their own")
@pytest.mark.parametrize("attacks", [outside, inside], ids=["outside", "inside"])
async def test_attackers_hurt_only_themselves(attacks: ModuleType, tmp_path: Path) -> None:
    """Each comes from an address of its own, to one server with one innocent game on it."""
    wrong = []
    async with arena(tmp_path) as here:
        await here.idle(IDLE_S)
        for number, attack in enumerate(ATTACKS.values(), 2):
            if attack.run.__module__ == attacks.__name__:
                address = f"127.0.0.{number}"
                outcome = await here.attacked(attack, SECONDS, address, patience_s=PATIENCE_S)
                wrong += [f"{attack.name}: {fault}" for fault in faults(outcome)]
        assert await here.stop() < MAX_STOP_S
    assert wrong == []


def test_the_page_says_how_each_attack_ends() -> None:
    page = (Path(__file__).parents[2] / "docs/isolation.md").read_text(encoding="utf-8")
    table = page.partition("| attack | is ended with |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in table.splitlines()[2:]]
    assert rows == [
        [name.replace("_", " "), shown(attack.ends), shown(attack.besides)]
        for name, attack in ATTACKS.items()
    ]


def shown(codes: frozenset[int]) -> str:
    return ", ".join("cut" if code == LOST else str(code) for code in sorted(codes)) or "-"


def faults(outcome: Outcome) -> Iterator[str]:
    """Say what an attack did that it must not."""
    cpu_s = outcome.cpu_per_s * outcome.seconds
    if cpu_s > CPU_PER_S * outcome.seconds + BURST_CPU_S:
        yield f"took {cpu_s:.2f} CPU s"
    if outcome.grown_bytes > MAX_GROWN_BYTES:
        yield f"made the server {outcome.grown_bytes} bytes larger"
    if outcome.log_bytes > MAX_LOG_BYTES:
        yield f"wrote {outcome.log_bytes} bytes of log"
    ends, seen = outcome.attack.ends, set(outcome.closes)
    if not seen <= ends | outcome.attack.besides or (ends and not seen & ends):
        yield f"was ended with {dict(outcome.closes)}"
    if outcome.during.errors or not outcome.during.ack_s or not outcome.during.reply_s:
        yield f"the innocent game was not served: {dict(outcome.during.errors)}"
