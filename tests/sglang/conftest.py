"""The real SGLang, on CPU, for tests marked ``sglang``: few starts, shared by many tests."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sglang_harness import Sglang, save_tiny_qwen2
from sglang_process import running

from callsheet_sglang.launch.interpreter import find_python
from callsheet_sglang.launch.spec import LaunchSpec, free_port
from callsheet_sglang_cpu.venv import cpu_folder

START_TIMEOUT_S = 240.0

LaunchSglang = Callable[..., AbstractContextManager[Sglang]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests of the real SGLang the time that a start takes on a busy machine."""
    for item in items:
        if item.get_closest_marker("sglang") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(START_TIMEOUT_S + 120))


@pytest.fixture
def venv_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of the environment; nothing is there yet."""
    monkeypatch.setenv("CALLSHEET_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("CALLSHEET_SGLANG_PYTHON", raising=False)
    return cpu_folder()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a random Qwen2 that starts and answers fastest."""
    folder = tmp_path_factory.mktemp("model") / "tiny-qwen2"
    save_tiny_qwen2(folder)
    return folder


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """Folder of the real SmolLM2-135M-Instruct; mark the test ``model`` as well."""
    from callsheet_server.engine.models.cache import resolve_model
    from callsheet_server.engine.models.catalogue import DEFAULT_MODEL

    return resolve_model(DEFAULT_MODEL, lambda progress: None)


@pytest.fixture(scope="session")
def launch_sglang(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> LaunchSglang:
    """``with launch_sglang(pool_tokens=800, ...) as sglang``: one SGLang, ended with the block.

    Keywords are fields of ``LaunchSpec``; without any it is a stock SGLang with a host tier, on
    the tiny model.
    """
    logs = tmp_path_factory.mktemp("sglang-logs")
    number = itertools.count(1)

    @contextmanager
    def launch(**fields: Any) -> Iterator[Sglang]:
        defaults: dict[str, Any] = {
            "python": find_python("cpu"),
            "model": tiny_model,
            "port": free_port(),
            "device": "cpu",
            "context_tokens": 2048,
            "pool_tokens": 1200,
            "plugin": False,
        }
        spec = LaunchSpec(**{**defaults, **fields})
        log = logs / f"sglang-{next(number)}.log"
        with running(spec, log, START_TIMEOUT_S) as process:
            yield Sglang(spec.url, log, process.pid, spec.api_key)

    return launch


@pytest.fixture(scope="session")
def stock_sglang(launch_sglang: LaunchSglang) -> Iterator[Sglang]:
    """A stock SGLang with a host tier, shared by the session; ``flush()`` it before use."""
    with launch_sglang() as sglang:
        yield sglang


@pytest.fixture(scope="session")
def plugin_sglang(launch_sglang: LaunchSglang) -> Iterator[Sglang]:
    """One with the plugin, priorities and an API key, shared by the session."""
    with launch_sglang(plugin=True, priorities=True, api_key="sesame") as sglang:
        yield sglang
