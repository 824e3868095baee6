"""Set up everything Callsheet needs in a virtual environment of its own, then run it.

    python3 run.py demo     watch a town of NPCs, live
    python3 run.py test     run every check and every test
    python3 run.py serve    any other command of `callsheet`

Needs Python 3.11 or newer and nothing else. On Windows say ``py run.py demo``.
"""

import argparse
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

# Imports, annotations and strings above and below keep to what Python 3.6 can parse, so that an
# old Python gets this message and not a syntax error.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        f"Callsheet needs Python 3.11 or newer; this is {platform.python_version()} "
        f"({sys.executable}).\nInstall a newer one (python.org, your package manager) and start "
        "run.py with it, e.g. python3.12 run.py"
    )

ROOT = Path(__file__).resolve().parent
TORCH = "2.13.0"
"""Installed where there is no NVIDIA GPU; any version that pyproject.toml allows would do."""
NEED_BYTES, NEED_TORCH_BYTES, NEED_CUDA_BYTES = 2**30, 3 * 2**30, 10 * 2**30
LLAMACPP = (("linux", "x86_64"), ("darwin", "arm64"), ("win32", "AMD64"))
"""Systems that the package xllamacpp has wheels for; elsewhere torch runs the model."""
COMMANDS = ("demo", "serve", "top", "mod", "record", "replay", "profile", "loadtest", "bench",
            "models", "bundle", "world", "cast", "sglang", "cluster", "adapters",
            "doctor")  # fmt: skip
"""Those of `callsheet`, which cannot be asked before it is installed."""
EXTRAS = {"test": "server,torch,dev", "loadtest": "server,loadtest",
          "bench": "server,torch,bench", "bundle": "server,bundle",
          "sglang": "server,torch"}  # fmt: skip
"""Command -> the extras that it needs; `server` for the others."""

FIXES = (
    (("No space left on device", "not enough space on the disk", "Errno 28"),
     "The disk is full: free some space, or set CALLSHEET_VENV (where it installs) and TMPDIR "
     "(where it unpacks) to folders on a larger disk."),
    (("ensurepip is not available", "No module named ensurepip", "No module named venv"),
     "This Python lacks its venv module. On Debian and Ubuntu: "
     "sudo apt install python{}.{}-venv".format(*sys.version_info[:2])),
    (("name resolution", "NameResolutionError", "getaddrinfo failed", "nodename nor servname",
      "dns error", "Failed to establish a new connection", "tcp connect error", "timed out",
      "error sending request", "Network is unreachable", "ProxyError"),
     "The package index cannot be reached: check the network, or tell pip about your proxy or "
     "mirror (the environment variables HTTPS_PROXY and PIP_INDEX_URL)."),
    (("CERTIFICATE_VERIFY_FAILED", "invalid peer certificate"),
     "The package index's certificate is not trusted here: behind a company proxy, point "
     "PIP_CERT and SSL_CERT_FILE at its certificate."),
)  # fmt: skip
"""Messages of a failing installer, and what to do about each."""

EPILOG = """
examples:
  python3 run.py demo                       the live view, until Ctrl-C
  python3 run.py demo --seconds 30 --json   bounded, with a summary for machines
  python3 run.py demo --help                every option of the demo
  python3 run.py serve --engine scripted    `callsheet serve`, and so every command of it
  python3 run.py mod run guard.py           what follows the command is passed on

tests:
  python3 run.py test                       ruff, mypy, then the whole test suite
  python3 run.py test -k planner -x         the same checks; what follows goes to pytest
  python3 run.py test --fast                ruff, mypy and the unit tests, in under a minute
  python3 run.py test --coverage            the suite, measured; fails below pyproject.toml's floor
  python3 run.py test --sglang              also with a real SGLang, on CPU: 10 GB more, once

The first run takes about a minute and half a GB in .venv (or where the environment variable
CALLSHEET_VENV says); the tests, and whatever needs PyTorch, take one to three minutes and 2 GB;
later runs start at once. It may be stopped with Ctrl-C at any moment and goes on where it was. To
start afresh, delete that folder.
"""


class SetupError(Exception):
    """Set-up cannot go on; the text says why and what to do."""

    def __init__(self, message: str, printed: str = "") -> None:
        super().__init__(message)
        self.printed = printed


class Step:
    """One line of progress: what is being done and for how long."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)
        self._live = sys.stderr.isatty()

    def __enter__(self) -> "Step":
        self._started_s = time.monotonic()
        sys.stderr.write(f"  {self._text:<42}")
        sys.stderr.flush()
        self._thread.start()
        return self

    def __exit__(self, error_type: "type[BaseException] | None", *_: object) -> None:
        self._done.set()
        self._thread.join()
        stopped = error_type is not None and issubclass(error_type, KeyboardInterrupt)
        end = "done," if error_type is None else "stopped after" if stopped else "failed after"
        self._show(end, "\n")

    def _show(self, state: str, end: str) -> None:
        start = f"\r  {self._text:<42}" if self._live else ""
        sys.stderr.write(f"{start}{state} {time.monotonic() - self._started_s:.0f} s{end}")
        sys.stderr.flush()

    def _tick(self) -> None:
        while self._live and not self._done.wait(1.0):
            self._show("", "")


def main() -> int:
    """Parse, set up, run; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="run.py",
        description="Set up Callsheet in a virtual environment of its own and run it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "command",
        choices=("test", *COMMANDS),
        metavar="command",
        help="test, or a command of `callsheet`: {}".format(", ".join(COMMANDS)),
    )
    parser.add_argument("args", nargs=argparse.REMAINDER, help="passed on to it")
    options = parser.parse_args()
    try:
        python = set_up(extras_for(options.command, options.args))
        if options.command == "test":
            return run_checks(python, options.args)
        return run([python, "-m", "callsheet", options.command, *options.args])
    except SetupError as error:
        sys.stderr.write(f"\nrun.py: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nrun.py: stopped; the same command goes on from here\n")
        return 130


def extras_for(command: str, args: "list[str]") -> str:
    """Name the extras that a command needs with these arguments."""
    extras = EXTRAS.get(command, "server")
    chosen = any(word in arg for arg in args for word in ("embedded", "sglang"))
    if "torch" not in extras and (chosen or (sys.platform, platform.machine()) not in LLAMACPP):
        extras += ",torch"
    return extras


def run_checks(python: str, args: "list[str]") -> int:
    """Run the linter, the type checker and the tests, all of them whatever fails."""
    own = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for flag in ("--fast", "--coverage", "--sglang"):
        own.add_argument(flag, action="store_true")
    options, pytest_args = own.parse_known_args(args)
    pytest = [python, "-m", "pytest", *pytest_args]
    if options.fast:
        pytest.append("--fast")
    if options.coverage:
        pytest += ["--cov", "--cov-report=term:skip-covered"]
    os.chdir(ROOT)
    failed = []
    if not options.fast:  # tests that lack what comes here are skipped, and pytest says so
        run([python, "-m", "callsheet", "models", "pull"])
        run([python, "-m", "callsheet", "models", "pull", "--safetensors"])
        run([python, str(ROOT / "tests" / "fetch_tools.py")])
        for npm in filter(None, [shutil.which("npm")]):
            run([npm, "ci", "--silent", "--prefix", str(ROOT / "tests" / "page")])
    if options.sglang and run([python, "-m", "callsheet", "sglang", "setup-cpu"]) != 0:
        failed.append("callsheet sglang setup-cpu")
    checks = {
        "ruff check": [python, "-m", "ruff", "check"],
        "ruff format --check": [python, "-m", "ruff", "format", "--check"],
        "mypy": [python, "-m", "mypy"],
    }
    if options.fast:  # mypy takes one core, pytest the other
        failed += run_beside(checks, "pytest", pytest)
    else:
        for name, command in {**checks, "pytest": pytest}.items():
            sys.stderr.write(f"run.py: {name}\n")
            if run(command) != 0:
                failed.append(name)
    if failed:
        sys.stderr.write("\nrun.py: failed: {}\n".format(", ".join(failed)))
    return 1 if failed else 0


def run_beside(quiet: "dict[str, list[str]]", name: str, command: "list[str]") -> "list[str]":
    """Run commands at once, one of them on this terminal; return the names of those that failed.

    What the quiet ones print is shown when they have ended.
    """
    with ExitStack() as stack:
        started = []
        for other, arguments in quiet.items():
            output = stack.enter_context(tempfile.TemporaryFile())
            process = subprocess.Popen(
                arguments, stdout=output, stderr=output, env=clean_environment()
            )
            started.append((other, process, output))
        sys.stderr.write(f"run.py: {name}, beside {', '.join(quiet)}\n")
        statuses = {name: run(command)}
        for other, process, output in started:
            statuses[other] = wait(process)
            output.seek(0)
            printed = output.read().decode(errors="replace").strip()
            sys.stderr.write(f"run.py: {other}\n{printed}\n")
    return [each for each, status in statuses.items() if status != 0]


def run(command: "list[str]") -> int:
    """Run a command on this terminal and return its exit status."""
    return wait(subprocess.Popen(command, env=clean_environment()))


def wait(process: "subprocess.Popen[bytes]") -> int:
    """Wait for a process that shares this terminal and return its exit status."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # the child got it too: let it end in its own way
            continue


def set_up(extras: str) -> str:
    """Return the Python of a virtual environment that has Callsheet with these extras."""
    venv = Path(os.environ.get("CALLSHEET_VENV") or ROOT / ".venv").absolute()
    python = str(venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    stamp = venv / "callsheet-{}.stamp".format(extras.replace(",", "-"))
    key = stamp_key(extras)
    if stamp.is_file() and stamp.read_text() == key and Path(python).exists():
        return python
    gpu = sys.platform == "linux" and has_nvidia_gpu()
    torch = "torch" in extras.split(",")
    check_disk(venv, (NEED_CUDA_BYTES if gpu else NEED_TORCH_BYTES) if torch else NEED_BYTES)
    sys.stderr.write(f"Setting up Callsheet in {venv}\n")
    make_venv(venv, python)
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    step("a pip that reports its progress", [*pip, "pip>=24.1"])
    if torch and sys.platform == "linux" and not gpu:
        install_cpu_torch(python, pip)
    step(f"Callsheet with [{extras}]", [*pip, "-e", f"{ROOT}[{extras}]"])
    stamp.write_text(key)
    sys.stderr.write(f"{where_it_lies(venv)}\n")
    return python


def where_it_lies(venv: Path) -> str:
    """Say where `callsheet` is and what makes this shell find it by its name."""
    if os.name == "nt":  # the same words start activate.bat in cmd and Activate.ps1 in PowerShell
        command, activate = venv / "Scripts" / "callsheet.exe", str(venv / "Scripts" / "activate")
    else:
        shell = Path(os.environ.get("SHELL", "sh")).name
        suffix = {"fish": ".fish", "csh": ".csh", "tcsh": ".csh"}.get(shell, "")
        verb = "." if shell in ("sh", "dash") else "source"
        command = venv / "bin" / "callsheet"
        activate = "{} {}".format(verb, shlex.quote(str(venv / "bin" / f"activate{suffix}")))
    return f"callsheet lies in {command}\nTo call it by its name in this shell:  {activate}\n"


def stamp_key(extras: str) -> str:
    """Name everything that decides what is installed."""
    parts = [
        extras,
        hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest(),
        str(ROOT),
        TORCH,
        platform.python_version(),
        platform.platform(),
    ]
    return "\n".join(parts)


def make_venv(venv: Path, python: str) -> None:
    """Make the virtual environment unless a sound one of this Python is there."""
    if venv.exists() and any(venv.iterdir()):
        if not (venv / "pyvenv.cfg").is_file():
            raise SetupError(
                f"{venv} is not a virtual environment, so it is left alone. Set CALLSHEET_VENV to "
                "a folder that does not exist yet."
            )
        probe = "import pip, sys; print('%d.%d.%d' % sys.version_info[:3])"
        try:
            found = subprocess.run(
                [python, "-c", probe], capture_output=True, text=True, env=clean_environment()
            ).stdout.strip()
        except OSError:
            found = ""
        if found == platform.python_version():
            return
    step("virtual environment", [sys.executable, "-m", "venv", "--clear", str(venv)])


def install_cpu_torch(python: str, pip: "list[str]") -> None:
    """Install PyTorch without CUDA; PyPI's own wheel for Linux would bring gigabytes of it.

    The CPU wheel has a local version, which pip finds only where someone put it in reach
    (find-links, a mirror). uv knows the place where PyTorch publishes it.
    """
    probe = [python, "-c", "import torch"]
    if subprocess.run(probe, capture_output=True, env=clean_environment()).returncode == 0:
        return
    wheel = f"torch=={TORCH}"
    try:
        step("PyTorch's CPU build, found by pip", [*pip, wheel + "+cpu"])
    except SetupError as error:
        missing = "No matching distribution" in error.printed
        if not missing or fix_for(error.printed) != fix_for("No matching distribution"):
            raise
        step("uv, which knows where to look", [*pip, "uv>=0.6.9"])
        uv = [python, "-m", "uv", "pip", "install", "--python", python, "--torch-backend=cpu"]
        step("PyTorch's CPU build, found by uv", [*uv, wheel])


def has_nvidia_gpu() -> bool:
    """True if the NVIDIA driver lists at least one GPU."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return False
    listing = subprocess.run([tool, "-L"], capture_output=True, text=True)
    return listing.returncode == 0 and "GPU" in listing.stdout


def check_disk(venv: Path, need_bytes: int) -> None:
    """Refuse to start what cannot end."""
    place = next(folder for folder in (venv, *venv.parents) if folder.exists())
    free_bytes = shutil.disk_usage(place).free
    if not (venv / "pyvenv.cfg").exists() and free_bytes < need_bytes:
        raise SetupError(
            f"{free_bytes / 1e9:.1f} GB are free on the disk of {place}, and set-up needs "
            f"{need_bytes / 1e9:.0f} GB. Free some, or set CALLSHEET_VENV to a folder on a larger "
            "disk."
        )


def step(text: str, command: "list[str]") -> None:
    """Run a command quietly.

    Raises:
        SetupError: it failed; the text holds what it printed and, if known, the fix.
    """
    with Step(text), tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=clean_environment(),
        )
        try:
            status = process.wait()
        except KeyboardInterrupt:
            process.wait()  # it was interrupted too; let it clean up
            raise
        if status == 0:
            return
        output.seek(0)
        printed = output.read().decode(errors="replace").strip()
        what = " ".join(map(str, command))
        tail = "\n".join(printed.splitlines()[-40:])
        raise SetupError(
            f"this failed with status {status}:\n  {what}\n\n{tail}\n\n{fix_for(printed)}", printed
        )


def fix_for(printed: str) -> str:
    """Say what to do about a failure that prints this."""
    for signs, fix in FIXES:
        if any(sign in printed for sign in signs):
            return fix
    return "Once that is mended, the same command goes on from here."


def clean_environment() -> "dict[str, str]":
    """Drop what would make a virtual environment load or install something else."""
    leaky = ("PYTHONHOME", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if name not in leaky}


if __name__ == "__main__":
    sys.exit(main())
