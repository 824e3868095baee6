"""Film the demo's page while its policy is switched from Callsheet to LRU and back.

    .venv/bin/python docs/images/film.py docs/images/demo.webp

Needs Chromium (apt-get install chromium). The demo plays with the engine without a model, whose
waits are settings: the film shows the page, and measures nothing.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Page, sync_playwright

SIZE_PX: Final = (960, 540)
FILM_PX: Final = (800, 450)
FRAMES_PER_S: Final = 6
SCENES: Final = (("distance", 5.0), ("lru", 6.0), ("distance", 5.0))
"""Policies and the seconds each is filmed."""
WORDS: Final = {
    "distance": "Callsheet: who will speak next is ready",
    "lru": "LRU: only who spoke last is ready",
}
DEMO: Final = ("-m", "callsheet", "demo", "--engine", "scripted", "--port", "0")
TOWN: Final = ("--npcs", "20", "--players", "4", "--speed", "2")
SMALL_MEMORY: Final = (
    *("--set", "scripted.device_budget_bytes=6000000"),
    *("--set", "scripted.host_budget_bytes=8000000"),
    *("--set", "scripted.rebuild_s=0.6"),
)
"""Room for the minds of 6 NPCs on the device; one that is not ready is waited for."""
WARM_UP_S: Final = 12.0
"""Time in which every mind is computed once."""
CAPTION: Final = """(words) => {
  const caption = document.getElementById("caption") ?? document.createElement("p");
  caption.id = "caption";
  caption.style = "position:fixed; left:calc((100vw - 340px) / 2); bottom:64px; z-index:9;"
    + "transform:translateX(-50%); white-space:nowrap;"
    + "margin:0; padding:8px 16px; border-radius:8px; font:600 17px system-ui;"
    + "color:#fff; background:#1d2430";
  caption.textContent = words;
  document.body.append(caption);
}"""


@contextmanager
def demo() -> Iterator[str]:
    """The address of a demo's page, while it plays."""
    command = [sys.executable, *DEMO, *TOWN, *SMALL_MEMORY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = next(line for line in process.stdout if "http://" in line)
            yield "http://" + line.partition("http://")[2].split()[0]
        finally:
            process.kill()


def shoot(page: Page, frames: int) -> Iterator[Image.Image]:
    """Take pictures of the page at an even pace."""
    due_s = time.monotonic()
    for _ in range(frames):
        shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        yield shot.resize(FILM_PX, Image.Resampling.LANCZOS)
        due_s += 1 / FRAMES_PER_S
        page.wait_for_timeout(max(0.0, 1000 * (due_s - time.monotonic())))


def film(url: str, frames: int | None, warm_up_s: float) -> list[Image.Image]:
    """Film every scene; ``frames``: no more than so many of each."""
    shot = list[Image.Image]()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        width, height = SIZE_PX
        page = browser.new_page(viewport={"width": width, "height": height})
        page.goto(url)
        page.wait_for_selector("#nearby li")
        page.locator("#keys").evaluate("(keys) => keys.remove()")
        page.wait_for_timeout(1000 * warm_up_s)
        for policy, seconds in SCENES:
            page.evaluate(
                "(policy) => callsheet.client.request({ type: 'set_policy', policy })", policy
            )
            page.evaluate(CAPTION, WORDS[policy])
            shot += shoot(page, frames or round(seconds * FRAMES_PER_S))
        browser.close()
    return shot


def main() -> None:
    """Film it and write an animated WebP."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", type=Path, help="animated WebP to write")
    parser.add_argument("--frames", type=int, help="no more than so many of each scene")
    args = parser.parse_args()
    with demo() as url:
        first, *others = film(url, args.frames, WARM_UP_S if args.frames is None else 0.0)
    first.save(
        args.file,
        save_all=True,
        append_images=others,
        duration=1000 // FRAMES_PER_S,
        loop=0,
        quality=55,
        method=4,
    )


if __name__ == "__main__":
    main()
