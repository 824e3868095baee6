"""Runs projects in Godot 4.6, the web build, in a browser without a screen."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from godot.host import Host
from godot.pack import pack
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize
from waiting import PATIENCE_S

HERE = Path(__file__).parent
ADDON = HERE.parents[1] / "sdk_godot" / "addons" / "callsheet"
CHECKS = HERE / "checks"
OPTIONS = ("--audio-driver", "Dummy")
"""No `--display-driver headless`: in the web build it breaks memory, for packs of some sizes."""
PICTURE = ViewportSize(width=960, height=600)
SMALL = ViewportSize(width=96, height=60)
"""For games that nobody looks at: every frame is drawn, by the processor."""
LOOK_EVERY_MS = 20
FAULTS = ("SCRIPT ERROR", "USER SCRIPT ERROR", "ERROR:", "Parse Error", "NOT STARTED")
NOTHING: Mapping[str, str] = MappingProxyType({})


class GodotError(AssertionError):
    """The engine told of an error, or a line did not come; the text is what the game printed."""


class Game:
    """A running project and what it has printed."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.lines: list[str] = []
        self._errors: list[str] = []
        self._seen = 0
        page.on("console", self._printed)
        page.on("pageerror", lambda error: self._errors.append(f"the engine threw: {error}"))

    def _printed(self, message: ConsoleMessage) -> None:
        lines = message.text.splitlines()
        self.lines += lines
        if message.type == "error":
            self._errors += [line for line in lines if line.strip().startswith(FAULTS)]

    def wait_for(self, start: str, patience_s: float = PATIENCE_S) -> str:
        """Wait for a line that begins so, after those waited for before; return the rest of it.

        Raises:
            GodotError: the engine told of an error first, or it did not come.
        """
        give_up_s = time.monotonic() + patience_s
        while True:
            while self._seen < len(self.lines):
                line = self.lines[self._seen]
                self._seen += 1
                if line.startswith(start):
                    return line.removeprefix(start).strip()
                if line.startswith(("FAILED", "EXIT")):
                    raise GodotError("\n".join(self.lines))
            self.raise_errors()
            if time.monotonic() > give_up_s:
                raise GodotError(f"no line {start!r} came:\n" + "\n".join(self.lines))
            self.page.wait_for_timeout(LOOK_EVERY_MS)

    def raise_errors(self) -> None:
        """Fail if the engine has told of an error that nobody expected.

        Raises:
            GodotError: so it is.
        """
        if self._errors:
            self.page.wait_for_timeout(5 * LOOK_EVERY_MS)  # more lines on the same error
            raise GodotError("\n".join(self.lines))

    def expect_errors(self) -> list[str]:
        """Return what the engine called errors so far, and forget them."""
        errors, self._errors = self._errors, []
        return errors


class Godot:
    """Starts games, each in a page of its own, in one browser."""

    def __init__(self, browser: Browser, host: Host) -> None:
        self._host = host
        self._context = browser.new_context(device_scale_factor=1)

    @contextmanager
    def run(
        self,
        folders: Mapping[str, Path],
        *arguments: str,
        extra: Mapping[str, str] = NOTHING,
        viewport: ViewportSize = SMALL,
    ) -> Iterator[Game]:
        """Start a project; `arguments` are what `OS.get_cmdline_user_args` tells it."""
        options = {
            "pack": self._host.add(pack(folders, extra)),
            "args": [*OPTIONS, "--", *arguments],
        }
        page = self._context.new_page()
        page.set_viewport_size(viewport)
        game = Game(page)
        try:
            page.goto(f"{self._host.url}#{quote(json.dumps(options))}")
            yield game
            game.raise_errors()
        finally:
            page.close()

    def check(self, script: Path, *arguments: str, folders: Mapping[str, Path] = {}) -> list[str]:
        """Run the checks of a script that extends `Checks`; return the names of those that passed.

        The addon and `folders` are in the project, too.
        """
        addon = {"addons/callsheet/": ADDON} if ADDON.is_dir() else {}
        everything = {"": CHECKS, **addon, **folders}
        extra = {"checked.gd": script.read_text("utf-8")}
        with self.run(everything, *arguments, extra=extra) as game:
            game.wait_for("PASSED")
            return [line.split()[1] for line in game.lines if line.startswith("passed ")]
