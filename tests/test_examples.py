"""The examples that need no server beside them (the others: tests/sdk/test_mod_run.py)."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_custom_state_travels_ahead_of_the_player() -> None:
    path = os.pathsep.join([str(ROOT / "sdk_python"), str(ROOT / "server")])
    result = subprocess.run(
        [sys.executable, str(ROOT / "examples/custom_state.py")],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    tiers = [line.split()[4:] for line in result.stdout.splitlines()]
    assert len(tiers) == 6
    assert all("device" in row for row in tiers[1:]), result.stdout
    assert tiers[-1].index("device") > tiers[1].index("device"), "the window moved on"
    assert {"device", "host", "disk"} <= set(tiers[-1])
