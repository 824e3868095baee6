"""Cost of a frame in Godot's web build, beside C# on Mono and Python writing the same tick.

PYTHONPATH=sdk_python:tests python tests/godot/measure/frame_benchmark.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from godot.conftest import OPTIONS
from godot.game import ADDON, CHECKS, HERE, Godot
from godot.host import Host
from page.conftest import CHROMIUM
from playwright.sync_api import sync_playwright
from unity.measure.encode_benchmark import mono_us, python_us
from unity.toolchain import Toolchain

NPCS = (1000, 5000)
ROWS = {
    "keyframe": "a tick of all, written at once",
    "delta-100": "all due and moved: told and ticked",
    "delta-25": "all due, a quarter moved",
    "delta-0": "all due, nobody moved",
    "rule": "all moved, max_npcs_per_tick as it is",
    "objects": "objects left by 1,000 frames",
}


def godot_us() -> dict[tuple[int, str], float]:
    """Measure in the web build: (NPCs, row) -> microseconds, or a count."""
    folders = {"": CHECKS, "addons/callsheet/": ADDON, "core/": HERE / "core"}
    script = (HERE / "measure" / "measure.gd").read_text("utf-8")
    with Host() as host, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        with Godot(browser, host).run(folders, extra={"checked.gd": script}) as game:
            game.wait_for("DONE")
            found = [line.split() for line in game.lines if line[:1].isdigit()]
        browser.close()
    return {(int(npcs), row): float(value) for npcs, row, value in found}


def main() -> None:
    measured = godot_us()
    with tempfile.TemporaryDirectory() as folder:
        mono = mono_us(Toolchain(Path(folder)), NPCS)
    head = "".join(f"{f'{npcs:,} NPCs':>14}" for npcs in NPCS)
    sys.stdout.write(f"{'microseconds':<56}{head}\n")
    for row, meaning in ROWS.items():
        values = "".join(f"{measured[npcs, row]:>14.0f}" for npcs in NPCS)
        sys.stdout.write(f"{'Godot 4.6 web: ' + meaning:<56}{values}\n")
    values = "".join(f"{mono[npcs]:>14.0f}" for npcs in NPCS)
    sys.stdout.write(f"{'C# on Mono: a tick of all':<56}{values}\n")
    values = "".join(f"{python_us(npcs):>14.0f}" for npcs in NPCS)
    sys.stdout.write(f"{'Python with NumPy: a tick of all':<56}{values}\n")


if __name__ == "__main__":
    main()
