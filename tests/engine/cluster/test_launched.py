"""Replicas that are launched on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from engine.cluster.conftest import FAKE
from engine.harness import Talk
from ports import free_port

from callsheet_server.engine import create_engine
from callsheet_server.engine.cluster.engine import ClusterEngine
from callsheet_server.engine.cluster.members import members
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_server.engine.sglang.tokenizer import load_prompts


def logs(folder: Path) -> set[str]:
    return {log.name for log in folder.glob("*.log")}


async def test_two_are_launched_and_share_one_tokenizer(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def noted(tokenizer: str, context_limit_tokens: int) -> object:
        loaded.append(tokenizer)
        return load_prompts(tokenizer, context_limit_tokens)

    monkeypatch.setattr("callsheet_server.engine.sglang.prompts.load_prompts", noted)
    python = tmp_path / "fake-python"
    path = os.pathsep.join(sys.path)
    python.write_text(f'#!/bin/sh\nPYTHONPATH={path} exec {sys.executable} {FAKE} "$@"\n')
    python.chmod(0o755)
    settings = SglangSettings(
        replicas=2, model=str(tiny_model), device="cpu", python=python, port=free_port(),
        log_file=tmp_path / "sglang.log",
    )  # fmt: skip
    engine = create_engine(settings)
    assert isinstance(engine, ClusterEngine)
    try:
        await engine.start(lambda _: None)
        assert [load.name for load in engine.occupancy().replicas] == ["local-0", "local-1"]
        talk = Talk(engine)
        keys = [talk.npc(f"npc {number}") for number in range(8)]
        assert len({await talk.say(key) for key in keys}) == 1
        assert {load.npcs > 0 for load in engine.occupancy().replicas} == {True}
        assert loaded == [str(tiny_model)]
        assert logs(tmp_path) == {"sglang-0.log", "sglang-1.log"}
    finally:
        await engine.close()


def test_each_has_a_gpu_a_port_and_a_log_of_its_own() -> None:
    launched = members(SglangSettings(replicas=3, device="cuda", port=30000, arguments=("--x",)))
    assert [one.arguments for one in launched.values()] == [
        ("--x", "--base-gpu-id", str(gpu)) for gpu in range(3)
    ]
    assert [one.port for one in launched.values()] == [30000, 30001, 30002]
    assert len({one.log_file for one in launched.values()}) == 3
    named = members(SglangSettings(urls=("http://gpu-1:30000", "http://gpu-2:30000")))
    assert list(named) == ["gpu-1:30000", "gpu-2:30000"]
    assert [one.url for one in named.values()] == ["http://gpu-1:30000", "http://gpu-2:30000"]
