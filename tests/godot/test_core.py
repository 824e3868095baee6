"""The core of the Godot addon, which knows no node: vectors, session machine, world, ticks."""

from __future__ import annotations

import json
import math
import random
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from godot.game import ADDON, CHECKS, HERE, Godot

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

ROOT = HERE.parents[1]
CORE = HERE / "core"
FOLDERS = {"core/": CORE, "vectors/": ROOT / "tests" / "vectors"}
SCRIPTS = ("session", "world", "ticks", "json", "fuzz")


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_check_passes(godot: Godot, name: str) -> None:
    script = CORE / f"test_{name}.gd"
    wanted = re.findall(r"^func (test_\w+)", script.read_text("utf-8"), re.MULTILINE)
    assert godot.check(script, folders=FOLDERS) == wanted


def test_golden_vectors_both_ways_byte_for_byte(godot: Godot) -> None:
    script = (CORE / "test_vectors.gd").read_text("utf-8")
    with godot.run(
        {"": CHECKS, "addons/callsheet/": ADDON, **FOLDERS}, extra={"checked.gd": script}
    ) as game:
        assert int(game.wait_for("vectors replayed:")) == vectors()
        game.wait_for("PASSED")


def vectors() -> int:
    """Count the vectors of text frames."""
    paths = set(FOLDERS["vectors/"].glob("*.json")) - {FOLDERS["vectors/"] / "tick_binary.json"}
    files = [json.loads(path.read_text("utf-8")) for path in paths]
    return sum(len(file.get(key, [])) for file in files for key in ("valid", "lenient", "invalid"))


def test_numbers_are_written_and_read_as_python_does(godot: Godot, tmp_path: Path) -> None:
    doubles = {struct.pack("<d", x).hex(): canonical(x) for x in some_doubles()}
    (tmp_path / "doubles.json").write_text(json.dumps(doubles), "utf-8")
    folders = FOLDERS | {"doubles/": tmp_path}
    passed = godot.check(CORE / "test_numbers.gd", folders=folders)
    assert len(passed) == 2


def some_doubles() -> list[float]:
    """List edges of the format, floats of 32 bits, short decimals and bits by chance."""
    chance = random.Random(20261129)
    edges = [0.0, -0.0, 0.1, 0.1 + 0.2, 1 / 3, 1e-5, 9.999e-6, 1e15, 1e16, 1e22, 1e23, 2.0**-44]
    edges += [5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 123456789012345.0, 2.0**63]
    singles = [
        struct.unpack("<f", struct.pack("<f", chance.uniform(-1e3, 1e3)))[0] for _ in range(60)
    ]
    decimals = [round(chance.uniform(0, 1e5), chance.randint(0, 6)) for _ in range(60)]
    anything = [struct.unpack("<d", chance.randbytes(8))[0] for _ in range(120)]
    return edges + singles + decimals + [x for x in anything if math.isfinite(x)]


def canonical(number: float) -> str:
    """Write a double in the protocol's form, which has exponents without zeros in front."""
    text = repr(number)
    if "e" not in text:
        return text
    digits, power = text.split("e")
    if power == "-05":
        sign = "-" * digits.startswith("-")
        return f"{sign}0.0000{digits.removeprefix('-').replace('.', '')}"
    return f"{digits}e{'-' if power[0] == '-' else '+'}{power[1:].lstrip('0')}"


def test_the_tables_are_those_of_the_python_models() -> None:
    script = ROOT / "sdk_godot" / "tools" / "generate_messages.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"],
        env={"PYTHONPATH": str(ROOT / "sdk_python")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_core_knows_no_node_thread_or_clock() -> None:
    forbidden = re.compile(
        r"\b(Node|Node2D|Node3D|SceneTree|Engine|OS|Time|Thread|Timer|Performance)\b[.( ]",
        re.MULTILINE,
    )
    found = {
        path.name: match[0]
        for path in (ADDON / "core").rglob("*.gd")
        if (match := forbidden.search(re.sub(r"#.*", "", path.read_text("utf-8"))))
    }
    assert not found


def test_files_of_the_core_are_small() -> None:
    long = {p.name: n for p in (ADDON / "core").rglob("*.gd") if (n := lines(p)) > 400}
    assert not long


def lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())
