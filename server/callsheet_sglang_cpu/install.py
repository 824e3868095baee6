"""Set-up of the CPU environment: resumable, in the cache folder of this user.

pip keeps nothing of a run that is stopped, so the 200 packages come in steps, the largest ones
first; a later run finds what the earlier one installed.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from callsheet._version import __version__
from callsheet_sglang_cpu.python_path import STUBS, source_folders
from callsheet_sglang_cpu.replacements import CPU_ENGINE
from callsheet_sglang_cpu.venv import SGLANG_VERSION, python_in, read_stamp, write_stamp

__all__ = ["NEEDED_BYTES", "SetupError", "own_requirement", "set_up"]

NEEDED_BYTES = 13 * 10**9
"""The environment itself takes 10 GB; wheels lie next to it until they are installed."""

_TORCH_PIN = """
from importlib.metadata import requires
print(next(line for line in requires("sglang") if line.startswith("torch==")))
"""
_PROOF = """
from importlib.metadata import entry_points
import sglang.srt.server_args
(plugin,) = entry_points(group="sglang.srt.plugins", name="callsheet")
plugin.load()()
"""
_LEAKY = ("PYTHONHOME", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "VIRTUAL_ENV", CPU_ENGINE)
"""Variables that say what belongs to this process's environment, or to another launch."""
_OF_A_LAUNCH = "CALLSHEET_SGLANG"
"""Beginning of the names that switch parts of the plugin on in an SGLang."""
_ANSWER_POLL_S = 0.5
_TAIL_LINES = 25
"""Lines shown of what a failed command printed."""

Report = Callable[[str, int, int, str], None]
"""Told of a step: its label, how much is done, of how much in all (0 = unknown), and the unit."""


class SetupError(Exception):
    """Set-up cannot go on; the text says why and what to do."""


def set_up(folder: Path, report: Report) -> None:
    """Make ``folder`` an environment in which SGLang runs on CPU, or finish one.

    Args:
        folder: the virtual environment; nothing of another kind may be there.
        report: told of every step as it goes on, in this thread.

    Raises:
        SetupError: wrong system, no room, another set-up at work, or an installer failed.
    """
    if sys.platform != "linux":
        raise SetupError(
            f"SGLang runs on Linux, and this is {sys.platform}: use WSL, a container or another "
            "machine, and attach to it by URL"
        )
    own = own_requirement()
    facts = {"sglang": SGLANG_VERSION, "callsheet": " ".join(own), "version": __version__}
    if read_stamp(folder) == facts:
        return
    _check_disk(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = folder.with_name(f"{folder.name}.tmp")
    with _alone(folder):
        try:
            scratch.mkdir(exist_ok=True)
            _install(folder, own, _Steps(folder, scratch, report))
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        write_stamp(folder, facts)


def own_requirement() -> list[str]:
    """Return what to ask pip for, to get this very callsheet into another environment."""
    if folders := source_folders():
        return ["--editable", str(Path(folders[0]).parent)]
    origin = metadata.distribution("callsheet").read_text("direct_url.json")
    if origin is None:
        return [f"callsheet=={__version__}"]
    facts = json.loads(origin)
    if vcs := facts.get("vcs_info"):
        return [f"{vcs['vcs']}+{facts['url']}@{vcs['commit_id']}"]
    return [facts["url"]]


def _install(folder: Path, own: list[str], steps: _Steps) -> None:
    if read_stamp(folder).get("sglang") != SGLANG_VERSION:
        _make_venv(folder, steps)
        _install_sglang(steps)
    steps.pip("Callsheet", "--no-deps", *own)
    path = os.pathsep.join([str(STUBS), *source_folders()])
    steps.run("trial", [steps.python, "-c", _PROOF], {CPU_ENGINE: "1", "PYTHONPATH": path})


def _install_sglang(steps: _Steps) -> None:
    install = [steps.python, "-m", "pip", "install", "--no-input", "pip>=24.1"]
    steps.run("a pip that reports its progress", install)
    sglang = f"sglang=={SGLANG_VERSION}"
    steps.pip("SGLang", "--no-deps", sglang)
    torch = steps.run("which torch it pins", [steps.python, "-c", _TORCH_PIN]).strip()
    steps.pip("torch", torch)
    steps.pip("the rest", sglang)
    # Its import needs libcuda; stubs/ has what CPU mode imports of it.
    remove = [steps.python, "-m", "pip", "uninstall", "--yes", "sglang-kernel"]
    steps.run("away with CUDA's kernels", remove)


def _make_venv(folder: Path, steps: _Steps) -> None:
    """Make the virtual environment unless a sound one of this Python is there."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / "pyvenv.cfg").is_file():
            raise SetupError(f"{folder} is not a virtual environment: move it away, then try again")
        probe = "import pip, sys; print(sys.version)"
        with contextlib.suppress(SetupError):
            if steps.run("environment", [steps.python, "-c", probe]).strip() == sys.version:
                return
    steps.run("environment", [sys.executable, "-m", "venv", "--clear", str(folder)])


class _Steps:
    """Runs one command after another and tells how far each is."""

    def __init__(self, folder: Path, scratch: Path, report: Report) -> None:
        self.python = str(python_in(folder))
        self._folder = folder
        self._scratch = scratch
        self._report = report

    def run(self, label: str, command: list[str], env: dict[str, str] | None = None) -> str:
        """Return what the command printed, with ``env`` on top of a clean environment.

        Raises ``SetupError`` with the end of it.
        """
        self._report(label, 0, 1, "steps")
        printed = "".join(self._lines_of(label, command, env))
        self._report(label, 1, 1, "steps")
        return printed

    def pip(self, label: str, *requirements: str) -> None:
        """Install into the environment. Raises ``SetupError``."""
        command = [self.python, "-m", "pip", "install", "--disable-pip-version-check"]
        command += ["--no-input", "--no-cache-dir", "--progress-bar", "raw", *requirements]
        follow = _PipOutput(label, self._folder, self._report)
        for line in self._lines_of(label, command, None):
            follow(line)
        follow.finish()

    def _lines_of(
        self, label: str, command: list[str], env: dict[str, str] | None
    ) -> Iterator[str]:
        """Yield each line the command prints, and "" now and then; then judge its status."""
        clean = {
            name: value
            for name, value in os.environ.items()
            if name not in _LEAKY and not name.startswith(_OF_A_LAUNCH)
        }
        latest: deque[str] = deque(maxlen=_TAIL_LINES)
        with _stopped_with_us(
            subprocess.Popen(  # noqa: S603 - our interpreters, no shell
                command,
                env={**clean, **(env or {}), "TMPDIR": str(self._scratch)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        ) as process:
            for line in _lines(process):
                if line and not line.startswith("Progress "):
                    latest.append(line)
                yield line
        if process.returncode != 0:
            raise SetupError(_explain(label, command, "".join(latest)))


class _PipOutput:
    """Turns what pip prints into progress: packages found, bytes fetched, packages installed."""

    def __init__(self, label: str, folder: Path, report: Report) -> None:
        self._label = label
        self._folder = folder
        self._report = report
        self._found = 0
        self._earlier_bytes = 0
        self._file_bytes = 0
        self._installing = 0
        self._installed_before = 0

    def __call__(self, line: str) -> None:
        """Take a line, or "" when some time has passed."""
        if line.startswith("Collecting "):
            self._found += 1
            self._tell("look up", self._found, 0, "packages")
        elif match := re.fullmatch(r"Progress (\d+) of (\d+)\s*", line):
            done_bytes, file_bytes = int(match[1]), int(match[2])
            if done_bytes == 0:
                self._earlier_bytes += self._file_bytes
                self._file_bytes = file_bytes
            self._tell("download", self._earlier_bytes + done_bytes, 0, "B")
        elif line.startswith("Installing collected packages:"):
            self._installing = line.count(",") + 1
            self._installed_before = self._installed()
        if self._installing:
            done = min(self._installing, max(0, self._installed() - self._installed_before))
            self._tell("install", done, self._installing, "packages")

    def finish(self) -> None:
        """Pip has ended well."""
        count = max(self._installing, 1)
        self._tell("install", count, count, "packages")

    def _tell(self, phase: str, done: int, total: int, unit: str) -> None:
        self._report(f"{self._label}: {phase}", done, total, unit)

    def _installed(self) -> int:
        return sum(1 for _ in self._folder.glob("lib/python*/site-packages/*.dist-info"))


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    """Yield what a process prints, line by line, and "" whenever it is silent for a while."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=_ANSWER_POLL_S)
        except queue.Empty:
            yield ""
            continue
        if line is None:
            return
        yield line


@contextlib.contextmanager
def _stopped_with_us(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Let a child that got our Ctrl-C too clean up before we go."""
    with process:
        try:
            yield process
        except BaseException:
            process.terminate()
            raise


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock next to ``folder``. Raises ``SetupError`` if another process does."""
    import fcntl

    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SetupError(f"another process is setting up {folder}: wait for it") from None
        yield


def _check_disk(folder: Path) -> None:
    """Refuse to start what cannot end."""
    place = next(path for path in (folder, *folder.parents) if path.exists())
    free_bytes = shutil.disk_usage(place).free
    there_bytes = sum(
        path.lstat().st_size for path in folder.rglob("*") if path.is_file() or path.is_symlink()
    )
    if free_bytes + there_bytes < NEEDED_BYTES:
        raise SetupError(
            f"{free_bytes / 1e9:.1f} GB are free on the disk of {place}, and set-up needs "
            f"{(NEEDED_BYTES - there_bytes) / 1e9:.0f} GB: free some, or set CALLSHEET_CACHE_DIR "
            "to a folder on a larger disk"
        )


def _explain(label: str, command: list[str], printed: str) -> str:
    fix = "once that is mended, the same command goes on from here"
    if "No space left" in printed or "Errno 28" in printed:
        fix = f"the disk is full: free some, or set CALLSHEET_CACHE_DIR to a larger one; {fix}"
    elif "No matching distribution" in printed or "Connection" in printed:
        fix = f"check the network and pip's index (PIP_INDEX_URL, HTTPS_PROXY); {fix}"
    return f"{label}: `{' '.join(command)}` failed:\n{printed.strip()}\n{fix}"
