"""The fuzzer runs, finds nothing in a bounded number of inputs, and would find something.

The long run is ``python tests/fuzz/run.py TARGET --inputs 1000000``; see docs/isolation.md.
"""

from __future__ import annotations

import asyncio
import random
import re
from pathlib import Path

import pytest
from fuzz.mutate import mutate, seeds
from fuzz.targets import SEPARATOR, TARGETS, records
from programs import program

from callsheet_server.session.session import Session

RUN = Path(__file__).parent / "run.py"
INPUTS = {"tick": 10_000, "text": 4_000, "session": 600, "server": 300}
"""A second or two each, beside the start of the process."""


@pytest.mark.parametrize("target", sorted(TARGETS))
async def test_inputs_led_by_coverage_find_nothing(tmp_path: Path, target: str) -> None:
    pytest.importorskip("atheris", reason="atheris runs on Linux with CPython 3.11 to 3.13")
    async with program(
        *(str(RUN), target, "--inputs", str(INPUTS[target])),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    ) as process:
        output, _ = await process.communicate()
    printed = output.decode(errors="replace")
    assert process.returncode == 0, printed[-4_000:]
    done = re.search(r"Done (\d+) runs", printed)
    assert done, printed[-4_000:]
    assert int(done[1]) >= INPUTS[target]


@pytest.mark.parametrize("target", ["tick", "text", "session"])
def test_seeds_go_through(target: str) -> None:
    found = seeds(target)
    assert len(found) > 20
    for seed in found[::7]:
        TARGETS[target](seed)


def test_a_mutant_is_near_its_parent_and_the_same_for_the_same_seed() -> None:
    parent = seeds("session")[0]
    mutants = [
        mutate("session", parent, random.Random(number), lambda part: part[::-1])
        for number in range(50)
    ]
    assert len(set(mutants)) > 20
    again = mutate("session", parent, random.Random(7), lambda part: part[::-1])
    assert again == mutants[7]
    assert any(SEPARATOR in mutant for mutant in mutants)


def test_a_wrong_answer_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session machine that drops a frame without a word fails the target."""
    hello = b'c{"type":"hello","role":"game","world":"w","client":{"name":"a","version":"1"}}'
    program = SEPARATOR.join([hello, b"c{nonsense"])
    assert [operation for operation, _ in records(program)] == [b"c", b"c"]
    TARGETS["session"](program)
    monkeypatch.setattr(Session, "receive", lambda *_: None)
    with pytest.raises(AssertionError, match="refused and not counted"):
        TARGETS["session"](program)
