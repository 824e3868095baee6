"""What every test gets: a watched event loop, and an honest account of what was not run."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import blockbuster.blockbuster
import hypothesis
import pytest
from blockbuster import BlockBuster, BlockingError

import callsheet
import callsheet_server

hypothesis.settings.register_profile(
    "callsheet", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("callsheet")  # A busy machine is no reason to fail.
hypothesis.settings.register_profile(
    "fast", hypothesis.settings.get_profile("callsheet"), max_examples=25
)

FAST_FOLDERS = frozenset(
    {
        "bench", "distance", "limits", "outgoing", "residency", "session", "storage", "talk",
        "telemetry", "tools", "trace", "transport", "wire", "world",
    }
)  # fmt: skip
FAST_FILES = frozenset(
    {"test_architecture.py", "test_contributing.py", "test_packaging.py", "test_settings.py"}
)
"""Unit tests, run by ``--fast``: no process, no model, no Mono, no browser."""
NOT_FAST = ("browser", "locust", "model", "mono", "process", "sglang")
"""Marks of tests in those folders that ``--fast`` leaves out."""
STARTS = frozenset({"os.fork", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen"})
"""Audit events of a new process."""

NOT_RUN: dict[str, list[str]] = defaultdict(list)
"""Reason -> ids of the tests skipped for it."""

MAY_BLOCK: tuple[tuple[str, str, str], ...] = (
    # /proc is no disk: reading it takes microseconds
    ("io.BufferedReader.read", "prometheus_client/process_collector.py", "collect"),
    ("os.listdir", "prometheus_client/process_collector.py", "collect"),
    # A failure is logged where it is caught; a log that cannot be written to is worse than a wait.
    ("io.TextIOWrapper.write", "logging/__init__.py", "emit"),
    ("io.BufferedWriter.write", "logging/__init__.py", "emit"),
)
"""(patched function, file, function in it) that may block the loop; say why next to each."""


@pytest.fixture(autouse=True)
def blocked_by(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Fail a test in which code of ours blocks a running event loop; yields what has blocked it.

    The error is raised where the loop is blocked and remembered as well, so that a handler which
    catches every exception does not hide it.
    """
    seen: list[str] = []

    class RememberedBlockingError(BlockingError):
        def __init__(self, function: str) -> None:
            seen.append(function)
            super().__init__(function)

    monkeypatch.setattr(blockbuster.blockbuster, "BlockingError", RememberedBlockingError)
    watch = BlockBuster(scanned_modules=[callsheet, callsheet_server])
    for function, file, caller in MAY_BLOCK:
        watch.functions[function].can_block_in(file, caller)
    watch.activate()
    yield seen
    watch.deactivate()
    assert not seen, f"the event loop was blocked by {', '.join(seen)}"


@cache
def missing_model() -> str | None:
    """Say why the default model cannot be used; None = it can."""
    from callsheet_server.engine.models.cache import list_models
    from callsheet_server.engine.models.catalogue import DEFAULT_MODEL

    for entry in list_models():
        if entry.name == DEFAULT_MODEL:
            return None if entry.verified else f"model: {DEFAULT_MODEL} is damaged in the cache"
    return f"model: {DEFAULT_MODEL} is not in the cache: callsheet models pull"


@cache
def missing_sglang() -> str | None:
    """Say why the real SGLang cannot be run; None = it can."""
    from callsheet_sglang.venv import SglangMissingError, find_python

    try:
        find_python("cpu")
    except SglangMissingError as error:
        return f"sglang: {error}"
    return None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--fast``."""
    parser.addoption("--fast", action="store_true", help="only unit tests: under a minute")


def pytest_configure(config: pytest.Config) -> None:
    """With ``--fast``: fewer examples of each property, and no test may start a process."""
    if config.getoption("fast"):
        hypothesis.settings.load_profile("fast")
        sys.addaudithook(forbid_processes)


def forbid_processes(event: str, _: tuple[object, ...]) -> None:
    """Fail whatever starts a process."""
    if event in STARTS:
        raise RuntimeError("a fast test starts no process; mark this one `process`")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With ``--fast``: do not even import the other tests."""
    tests = Path(__file__).parent
    if not config.getoption("fast") or collection_path.parent != tests:
        return None
    return True if collection_path.name not in FAST_FOLDERS | FAST_FILES else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``--fast``: leave out what is marked to need more."""
    if config.getoption("fast"):
        slow = [item for item in items if any(item.get_closest_marker(m) for m in NOT_FAST)]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test marked ``model`` or ``sglang`` where there is none."""
    for marker, missing in (("model", missing_model), ("sglang", missing_sglang)):
        if item.get_closest_marker(marker) and (reason := missing()):
            pytest.skip(reason)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what was skipped and why."""
    if report.skipped and isinstance(report.longrepr, tuple):
        NOT_RUN[report.longrepr[2].removeprefix("Skipped: ")].append(report.nodeid)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name, at the very end, everything this run did not show to work."""
    if not NOT_RUN:
        return
    terminalreporter.section("Not run here", yellow=True, bold=True)
    for reason, tests in sorted(NOT_RUN.items()):
        files = sorted({test.partition("::")[0] for test in tests})
        terminalreporter.line(f"{len(tests)} test(s) in {', '.join(files)}: {reason}")
