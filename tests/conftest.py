"""Every test's surroundings: a deadline, its own garbage, a watched loop, what was not run."""

from __future__ import annotations

import asyncio
import gc
import inspect
import signal
import sys
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator
from functools import cache, wraps
from typing import Any

import blockbuster.blockbuster
import hypothesis
import pytest
from blockbuster import BlockBuster, BlockingError
from waiting import PATIENCE_S

import callsheet
import callsheet_cli
import callsheet_server

hypothesis.settings.register_profile(
    "callsheet", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("callsheet")  # A busy machine is no reason to fail.
pytest_plugins = ["fast_tests"]

CLEAN_UP_S = 60.0
"""After a test's deadline: how long its fixtures may take before pytest-timeout breaks in."""

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


def pytest_configure() -> None:
    """Let programs under test hear Ctrl-C, also where a shell runs pytest in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test its deadline: ``PATIENCE_S``, or what its own ``timeout`` mark says."""
    for item in items:
        mark = item.get_closest_marker("timeout")
        deadline_s: float = mark.args[0] if mark else PATIENCE_S
        item.add_marker(pytest.mark.timeout(deadline_s + CLEAN_UP_S), append=False)
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.obj = _cancelled_after(deadline_s, item.obj)


def _cancelled_after(
    deadline_s: float, test: Callable[..., Coroutine[Any, Any, None]]
) -> Callable[..., Coroutine[Any, Any, None]]:
    @wraps(test)
    async def with_deadline(*args: Any, **kwargs: Any) -> None:
        async with asyncio.timeout(deadline_s):
            await test(*args, **kwargs)

    return with_deadline


@pytest.fixture(scope="module", autouse=True)
def frozen_imports() -> None:
    """Keep what is there before a file's tests out of their collections: milliseconds each."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def own_garbage(pytestconfig: pytest.Config) -> Iterator[None]:
    """Make what a test leaves unclosed its own failure, and never that of a later test.

    Stands first in this file, so that it ends last: after the test's event loop.
    """
    yield
    # Where pytest keeps a failure: it holds the frames of the test, and all that is in them.
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        vars(sys).pop(name, None)
    if not pytestconfig.getoption("fast"):  # Those tests open nothing.
        gc.collect()


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
    watch = BlockBuster(scanned_modules=[callsheet, callsheet_cli, callsheet_server])
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
    return f"model: {DEFAULT_MODEL} is not in the cache: callsheet models pull --safetensors"


@cache
def missing_sglang() -> str | None:
    """Say why the real SGLang cannot be run; None = it can."""
    from callsheet_sglang.launch.interpreter import SglangMissingError, find_python

    try:
        find_python("cpu")
    except SglangMissingError as error:
        return f"sglang: {error}"
    return None


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
