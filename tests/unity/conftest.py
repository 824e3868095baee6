"""Fixtures of the Unity package's tests: compiled assemblies, a running server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from unity.server import Server, running_server
from unity.toolchain import Toolchain, missing_mono


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test marked ``mono`` where C# cannot be run."""
    if item.get_closest_marker("mono") and (reason := missing_mono()):
        pytest.skip(reason)


@pytest.fixture(scope="session")
def toolchain(tmp_path_factory: pytest.TempPathFactory) -> Toolchain:
    return Toolchain(tmp_path_factory.mktemp("unity"))


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Callsheet server in a process of its own, with the engine that needs no model."""
    with running_server(tmp_path_factory.mktemp("server"), sys.executable) as server:
        yield server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server like ``shared_server``, for a test that kills it."""
    with running_server(tmp_path, sys.executable) as server:
        yield server
