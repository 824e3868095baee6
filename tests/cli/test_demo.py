from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest
from cli.command import run, start
from waiting import PATIENCE_S, until_in_thread


def content(file: Path) -> bytes:
    return file.read_bytes() if file.exists() else b""


SCRIPTED = ("demo", "--engine", "scripted", "--npcs", "12")


def test_a_bounded_run_prints_its_figures_as_json_and_nothing_else() -> None:
    out, _ = run(*SCRIPTED, "--seconds", "5", "--json")
    figures = json.loads(out)
    assert (figures["engine"], figures["npcs"], figures["players"]) == ("scripted", 12, 2)
    assert figures["ticks"] > 0
    assert figures["npc_updates"] > 0
    assert 0 < figures["replies"] <= figures["requests"]
    assert figures["generated_tokens"] > 0
    assert (figures["errors"], figures["error_codes"]) == (0, {})
    found = figures["found_in"]
    counted = figures["ttft_resident"]["replies"] + figures["ttft_not_resident"]["replies"]
    ended = sum(found.values())
    assert 0 < counted <= ended, "the last figures may be older than the last reply"
    assert figures["on_device_share"] == pytest.approx(found["device"] / ended, abs=1e-3)
    built = [m for m in figures["moves"] if m["source"] == "absent"]
    assert sum(m["moves"] for m in built) >= 12, "every prefix is computed once"
    assert any(m["source"] == "device" for m in figures["moves"]), "a quarter fits: some must go"
    for tier in figures["tiers"]:
        assert 0 <= tier["used_bytes"] <= tier["budget_bytes"]


def test_without_a_terminal_it_prints_lines() -> None:
    out, _ = run(*SCRIPTED, "--seconds", "4", "--verbose")
    assert "walk in: http://" in out.splitlines()[0]
    assert "absent -> device: " in out
    assert "player-1 to " in out
    assert "errors: 0" in out
    assert "\x1b[" not in out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to a whole console")
@pytest.mark.parametrize(("more", "status"), [((), 0), (("--seconds", "600", "--json"), 130)])
def test_ctrl_c_ends_it_cleanly(tmp_path: Path, more: tuple[str, ...], status: int) -> None:
    trace = tmp_path / "town.jsonl"
    growing = tmp_path / "town.jsonl.partial"
    with start(*SCRIPTED, "--record", str(trace), *more) as process:
        until_in_thread(lambda: b'"call"' in content(growing) or process.poll() is not None)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == status
    assert "Traceback" not in err
    assert b'"call"' in content(trace)
    if more:
        figures = json.loads(out)
        assert figures["ticks"] > 0
        assert figures["seconds"] < 600
    else:
        assert "errors: 0" in out


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("--npcs", "0"), "--npcs 0: must be from 1 to 900"),
        (("--hz", "1000"), "--hz 1000.0: must be from 1 to 120"),
        (("--seconds", "-1"), "--seconds -1.0: must be above 0"),
        (("--set", "reply.max_tokens=0"), "reply.max_tokens = '0' (from flag): must be"),
        (("--record", "/nowhere/town.jsonl"), "/nowhere/town.jsonl: cannot be written"),
    ],
)
def test_a_bad_argument_is_named(argv: tuple[str, ...], says: str) -> None:
    _, err = run("demo", "--engine", "scripted", *argv, status=1 if "--record" in argv else 2)
    assert f"callsheet: {says}" in err
    assert "Traceback" not in err
