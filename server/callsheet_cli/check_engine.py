"""Checks of ``callsheet doctor`` on what the engine in use needs, and nothing of the others."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import TYPE_CHECKING, Final

from callsheet_cli.check_endpoint import check_endpoint
from callsheet_cli.check_sglang import check_cluster, check_installed
from callsheet_cli.checks import SERVER_FIX, Finding, check_model

if TYPE_CHECKING:
    from callsheet_server.app.settings import Settings
    from callsheet_server.engine.sglang.settings import SglangSettings

__all__ = ["check_engine", "check_llamacpp", "check_torch"]

LOAD_TIMEOUT_S: Final = 60.0


def check_engine(settings: Settings) -> Iterator[Finding]:
    """Tell which engine a server would run, and why; then look for all that it needs."""
    from callsheet_server.app.engine_choice import choose_engine

    name, reason = choose_engine(settings)
    yield Finding("engine", "ok", f"{name}: {reason}")
    match name:
        case "llamacpp":
            yield from check_llamacpp(settings.engine.llama_server)
            yield from check_model(settings.embedded.model)
        case "embedded":
            yield from check_torch()
            yield from check_model(settings.embedded.model)
        case "sglang":
            yield from _check_sglang(settings.sglang)
        case "openai":
            yield from check_endpoint(settings.openai)
        case _:
            pass  # scripted needs nothing


def check_llamacpp(llama_server: str | None) -> Iterator[Finding]:
    """Load llama.cpp in a process of its own, as a server does; or look for the build named."""
    from callsheet_server.engine.llamacpp.attached import is_url, without_key

    if llama_server is not None and is_url(llama_server):
        yield Finding("llamacpp", "ok", f"attaches to {without_key(llama_server)}")
        return
    if llama_server is not None:
        if shutil.which(llama_server) is None:
            fix = "set engine.llama_server to a program, or leave it out"
            yield Finding("llamacpp", "fail", f"{llama_server} is no program", fix)
        else:
            yield Finding("llamacpp", "ok", f"{llama_server}")
        return
    try:
        version = metadata.version("xllamacpp")
    except metadata.PackageNotFoundError:
        yield Finding("llamacpp", "fail", "xllamacpp is not installed", SERVER_FIX)
        return
    done = subprocess.run(
        [sys.executable, "-c", "import xllamacpp"],
        capture_output=True, text=True, timeout=LOAD_TIMEOUT_S,
    )  # fmt: skip
    if done.returncode == 0:
        yield Finding("llamacpp", "ok", f"xllamacpp {version} loads")
        return
    why = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
    fix = f"{sys.executable} -m pip install --force-reinstall xllamacpp"
    yield Finding("llamacpp", "fail", f"xllamacpp {version} does not load: {why}", fix)


def check_torch() -> Iterator[Finding]:
    """Look at torch and what it can compute on."""
    from callsheet_server.engine.hardware import find_devices

    try:
        version, devices = find_devices()
    except ModuleNotFoundError:
        fix = f'{sys.executable} -m pip install "callsheet[server,torch]"'
        yield Finding("torch", "fail", "not installed; the engine embedded needs it", fix)
        return
    except (ImportError, OSError) as error:
        fix = f"{sys.executable} -m pip install --force-reinstall torch"
        yield Finding("torch", "fail", f"does not load: {error}", fix)
        return
    best = devices[0]
    memory = (
        f", {best.free_bytes / 1e9:.1f} of {best.total_bytes / 1e9:.1f} GB free"
        if best.total_bytes
        else ""
    )
    detail = f"{version} on {best.kind}: {best.name}{memory}"
    if best.kind == "cpu" and shutil.which("nvidia-smi"):
        fix = "install a CUDA build of torch, as its own site says for this system"
        yield Finding("torch", "warn", f"{detail}, though an NVIDIA driver is here", fix)
    else:
        yield Finding("torch", "ok", detail)


def _check_sglang(settings: SglangSettings) -> Iterator[Finding]:
    """Look at the SGLangs that are named; without one, for one that a server could launch."""
    key = settings.api_key.get_secret_value() if settings.api_key else None
    if not settings.urls:
        yield from check_installed()
    yield from check_cluster(settings.urls, key)
