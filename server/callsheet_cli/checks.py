"""Checks of ``callsheet doctor``: each says what it saw and, if that is bad, the fix."""

from __future__ import annotations

import errno
import platform
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from callsheet.wire.fields import SUBPROTOCOL

if TYPE_CHECKING:
    from callsheet_server.transport.settings import ServerSettings

__all__ = [
    "SERVER_FIX",
    "Finding",
    "check_disk",
    "check_model",
    "check_packages",
    "check_port",
    "check_python",
]

SERVER_FIX = f'{sys.executable} -m pip install "callsheet[server]"'
LOW_DISK_BYTES = 2 * 10**9


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report."""

    check: str
    status: Literal["ok", "warn", "fail"]
    detail: str
    fix: str = ""


def check_python() -> Iterator[Finding]:
    """Look at the interpreter."""
    bits = 64 if sys.maxsize > 2**32 else 32
    detail = f"{platform.python_version()}, {bits} bit, {sys.executable}"
    if bits == 64:
        yield Finding("python", "ok", detail)
    else:
        yield Finding("python", "fail", detail, "install a 64-bit Python: engines need it")


def check_packages() -> Iterator[Finding]:
    """Compare what is installed with what this distribution and its server extra ask for."""
    try:
        requirements = metadata.requires("callsheet") or ()
    except metadata.PackageNotFoundError:
        detail = "callsheet runs from a source tree and is not installed"
        yield Finding("packages", "warn", detail, f"{sys.executable} -m pip install -e .[server]")
        return
    try:
        from packaging.requirements import Requirement
    except ModuleNotFoundError:
        yield Finding("packages", "warn", "the light install: clients and mods only", SERVER_FIX)
        return
    wrong, right = [], 0
    for requirement in map(Requirement, requirements):
        if requirement.marker and not requirement.marker.evaluate({"extra": "server"}):
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if requirement.specifier.contains(version, prereleases=True):
            right += 1
        else:
            wrong.append(f"{requirement.name} {version} is not {requirement.specifier}")
    if wrong:
        yield Finding("packages", "fail", "; ".join(wrong), SERVER_FIX)
    else:
        yield Finding("packages", "ok", f"all {right} that the server needs")


def check_model(model: str) -> Iterator[Finding]:
    """Look for a model, by name or path, and compute the checksums of all cached ones."""
    from callsheet_server.engine.errors import EngineStartError

    try:
        from callsheet_server.engine.models.cache import cache_dir, list_models
        from callsheet_server.engine.models.gguf_cache import SUFFIX
    except ModuleNotFoundError:
        yield Finding("model", "warn", "the light install keeps no models", SERVER_FIX)
        return
    try:
        entries = list_models()
    except EngineStartError as error:
        yield Finding("model", "fail", str(error))
        return
    for entry in entries:
        detail = f"{entry.name} at {entry.path}"
        if entry.verified:
            yield Finding("model", "ok", f"{detail}, checksums right")
        else:
            fix = f"delete {entry.path}, then: callsheet models pull {entry.name}"
            yield Finding("model", "fail", f"{detail} is damaged", fix)
    if Path(model).exists():
        yield Finding("model", "ok", f"{model} is here")
    elif not any(entry.name.removesuffix(SUFFIX) == model for entry in entries):
        detail = f"{model} is not in {cache_dir()}; the first start fetches it"
        yield Finding("model", "warn", detail, f"callsheet models pull {model}")
    yield from check_disk(cache_dir())


def check_port(server: ServerSettings) -> Iterator[Finding]:
    """Try to listen where the server would; if the port is taken, find out by whom."""
    place = f"{server.host}:{server.port}"
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    try:
        socket.create_server((server.host, server.port), family=family).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            yield _who_answers(server, place)
        elif error.errno == errno.EACCES:
            fix = "choose one above 1023: server.port"
            yield Finding("port", "fail", f"{place} is reserved by the system", fix)
        else:
            fix = "set server.host to an address of this machine, such as 127.0.0.1"
            yield Finding("port", "fail", f"{place}: {error.strerror or error}", fix)
    else:
        yield Finding("port", "ok", f"{place} is free")


def _who_answers(server: ServerSettings, place: str) -> Finding:
    fix = f"stop it, or choose another port: callsheet serve --port {server.port + 1}"
    host = f"[{server.host}]" if ":" in server.host else server.host
    try:
        with connect(
            f"ws://{host}:{server.port}",
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            open_timeout=2,
            proxy=None,
        ) as connection:
            ours = connection.subprotocol == SUBPROTOCOL
    except (OSError, WebSocketException):
        ours = False
    if ours:
        return Finding("port", "warn", f"a Callsheet server is running on {place}", fix)
    return Finding("port", "fail", f"{place} is taken by another program", fix)


def check_disk(folder: Path) -> Iterator[Finding]:
    """Look at the free space where models and parked state go."""
    place = next(path for path in (folder, *folder.parents) if path.exists())
    free_bytes = shutil.disk_usage(place).free
    detail = f"{free_bytes / 1e9:.1f} GB free at {place}"
    if free_bytes < LOW_DISK_BYTES:
        yield Finding("disk", "warn", detail, "free some: a model and parked state need about 2 GB")
    else:
        yield Finding("disk", "ok", detail)
