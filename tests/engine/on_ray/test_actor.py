"""The actor of a replica, without Ray."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ACTOR = """
import sys, threading
from callsheet_server.engine.on_ray.actor import ReplicaActor
ReplicaActor({"model": sys.argv[1], "device": "cpu", "python": sys.executable}, "127.0.0.1")
threading.Event().wait()
"""


def test_an_actor_that_cannot_launch_says_why_before_it_ends(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    done = subprocess.run(
        [sys.executable, "-c", ACTOR, missing],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert f"model: '{missing}' is neither a folder" in done.stderr
