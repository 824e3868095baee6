"""The program of the child process: llama.cpp's own server, for as long as standard input is open.

Its first line of input is JSON: ``{"params": {...}}``, attributes of xllamacpp's ``CommonParams``
by dotted name, or ``{"command": [...]}``, another build of llama-server to run; and the ``folder``
of its slots' files. Whoever starts it holds the other end of that pipe; when it is closed, on
purpose or because its holder was killed, the folder is deleted and everything ends at once. It must
start fast and imports nothing of ours.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

__all__ = ["DEVICES", "main"]

FAILED = 1
DEVICES = "callsheet: devices "
"""Begins the line that names the devices llama.cpp can compute on, the CPU last."""


def main() -> int:
    """Serve until standard input ends, or the server does."""
    asked = json.loads(sys.stdin.buffer.readline())
    folder = asked["folder"]
    if command := asked.get("command"):
        return _run(command, folder)
    return _serve(asked["params"], folder)


def _serve(params: dict[str, Any], folder: str) -> int:
    import xllamacpp

    wanted = xllamacpp.CommonParams()
    adapters = params.pop("lora_adapters", ())
    wanted.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(path, 1.0) for path in adapters]
    for name, value in params.items():
        *path, last = name.split(".")
        part = wanted
        for step in path:
            part = getattr(part, step)
        setattr(part, last, value)
    names = [device["description"] for device in xllamacpp.get_device_info()]
    sys.stdout.write(f"{DEVICES}{json.dumps(names)}\n")
    sys.stdout.flush()
    try:
        server = xllamacpp.Server(wanted)  # noqa: F841 - it serves as long as it is held
    except RuntimeError:  # llama.cpp has printed why
        return FAILED
    _wait_for_end(folder)
    os._exit(0)  # Past the server's destructor, which waits for the requests under way.


def _run(command: Sequence[str], folder: str) -> int:
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - the user's own build

    def end() -> None:
        _wait_for_end(folder)
        child.kill()  # It holds nothing that outlives it.

    threading.Thread(target=end, daemon=True).start()
    return child.wait()


def _wait_for_end(folder: str) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
