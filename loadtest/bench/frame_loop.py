"""Frame times of examples/pygame_village.py with Callsheet and without, side by side in one run.

python loadtest/bench/frame_loop.py [--seconds 40]

Every other second ``game.frame()`` is left out. A display that is not there takes the pictures, a
server in a process of its own answers somebody who talks all the time.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import runpy
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import numpy as np

os.environ["SDL_VIDEODRIVER"] = os.environ["SDL_AUDIODRIVER"] = "dummy"
os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"

import pygame

from callsheet.frames import FrameClient

ROOT: Final = Path(__file__).parents[2]
FPS: Final = 60
WARM_UP_FRAMES: Final = 2 * FPS


class Stopwatch:
    """In place of pygame's clock: measures the work of each frame, and keeps the pace."""

    def __init__(self, seconds: float) -> None:
        self.with_s: list[float] = []
        self.without_s: list[float] = []
        self.plays = True
        self._frames = round(seconds * FPS)
        self._number = 0
        self._began_s = self._due_s = time.perf_counter()

    def tick(self, fps: int) -> None:
        """End a frame; the next begins when it is due."""
        took_s = time.perf_counter() - self._began_s
        self._number += 1
        if self._number > WARM_UP_FRAMES:
            (self.with_s if self.plays else self.without_s).append(took_s)
        self.plays = self._number // FPS % 2 == 0
        if self._number % FPS == 0:
            pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_SPACE))
        if self._number == self._frames + WARM_UP_FRAMES:
            pygame.event.post(pygame.event.Event(pygame.QUIT))
        self._due_s = max(self._due_s + 1 / fps, time.perf_counter())
        time.sleep(max(self._due_s - time.perf_counter(), 0))
        self._began_s = time.perf_counter()


def play(url: str, seconds: float) -> Stopwatch:
    """Play the village."""
    watch = Stopwatch(seconds)
    frame = FrameClient.frame

    def in_turns(client: FrameClient) -> None:
        if watch.plays:
            frame(client)

    FrameClient.frame = in_turns  # type: ignore[assignment, method-assign]
    pygame.time.Clock = lambda: watch  # type: ignore[assignment, misc, return-value]
    with contextlib.redirect_stdout(io.StringIO()):
        runpy.run_path(str(ROOT / "examples" / "pygame_village.py"))["main"](url)
    return watch


def row(name: str, took_s: list[float]) -> str:
    p50, p99, worst = np.percentile(np.array(took_s) * 1e3, (50, 99, 100))
    return f"{name:<20} {len(took_s):>6} {p50:>8.2f} {p99:>8.2f} {worst:>8.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=40.0)
    seconds = parser.parse_args().seconds
    command = [sys.executable, "-m", "callsheet", "serve", "--port", "0", "--engine", "scripted"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = next(
            word for line in server.stdout for word in line.split() if word.startswith("ws:")
        )
        watch = play(url, seconds)
        server.terminate()
    print(f"{'ms of a frame':<20} {'frames':>6} {'p50':>8} {'p99':>8} {'most':>8}")
    print(row("without Callsheet", watch.without_s))
    print(row("with Callsheet", watch.with_s))


if __name__ == "__main__":
    main()
