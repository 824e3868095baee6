"""``--fast``: only unit tests, which start nothing and take less than a minute."""

from __future__ import annotations

import sys
from pathlib import Path

import hypothesis
import pytest

FAST_FOLDERS = frozenset(
    {
        "bench", "cast", "distance", "limits", "outgoing", "residency", "session", "storage",
        "talk", "telemetry", "tools", "trace", "transport", "wire", "world",
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


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--fast``."""
    parser.addoption("--fast", action="store_true", help="only unit tests: under a minute")


def pytest_configure(config: pytest.Config) -> None:
    """With ``--fast``: fewer examples of each property, and no test may start a process."""
    if config.getoption("fast"):
        hypothesis.settings.register_profile(
            "fast", hypothesis.settings.get_profile("callsheet"), max_examples=25
        )
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
