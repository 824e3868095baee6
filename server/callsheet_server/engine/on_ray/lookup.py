"""Replicas that Ray has, asked for by a process of its own: Ray stays out of the server's."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from typing import Final

from callsheet_server.engine.errors import EngineStartError, EngineUnavailableError

__all__ = ["SCHEME", "name_in", "replicas", "url_of"]

SCHEME: Final = "ray:"
"""A URL that begins so names a replica; Ray tells where it is now."""
TIMEOUT_S: Final = 60.0


def name_in(url: str) -> str | None:
    """Name of the replica in a URL of ours; None = it is an ordinary one."""
    return url.removeprefix(SCHEME) if url.startswith(SCHEME) else None


def replicas() -> dict[str, str | None]:
    """Name -> URL of each replica; None = it is being started. Blocks for about a second.

    Raises:
        EngineStartError: Ray is not installed or not there, or has no replicas; says what to do.
    """
    if importlib.util.find_spec("ray") is None:
        raise EngineStartError("sglang.urls: Ray is not installed; pip install 'callsheet[ray]'")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "callsheet_server.engine.on_ray.told"],
            capture_output=True, text=True, check=False, timeout=TIMEOUT_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise EngineStartError(f"sglang.urls: Ray did not answer in {TIMEOUT_S:g} s") from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it says nothing"]
        raise EngineStartError(f"sglang.urls: {said[-1]}")
    found: dict[str, str | None] = json.loads(done.stdout.splitlines()[-1])
    if not found:
        raise EngineStartError(
            "sglang.urls: Ray has no replicas; start some: callsheet cluster up --replicas 2"
        )
    return found


def url_of(name: str) -> str:
    """URL of a replica now. Blocks for about a second.

    Raises:
        EngineUnavailableError: Ray or the replica is not there.
    """
    try:
        url = replicas().get(name)
    except EngineStartError as error:
        raise EngineUnavailableError(str(error)) from error
    if url is None:
        raise EngineUnavailableError(f"Ray is starting {name}")
    return url
