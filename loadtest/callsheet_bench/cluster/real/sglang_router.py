"""SGLang's own router, in an environment of its own in the cache folder."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp

from callsheet_server.engine.models.cache import cache_dir
from callsheet_sglang.launch.spec import free_port

__all__ = ["NAME", "RouterMissingError", "install", "routing"]

VERSION: Final = "1.13.0"
NAME: Final = f"SGLang's router (smg {VERSION}, cache_aware)"
INSTALL_TIMEOUT_S: Final = 120.0
START_TIMEOUT_S: Final = 60.0
POLL_S: Final = 0.5


class RouterMissingError(Exception):
    """It does not install or does not run here; the text says why."""


def install() -> Path:
    """Return its program, installed if it is not there yet.

    Raises:
        RouterMissingError: it does not install.
    """
    folder = cache_dir() / f"smg-{VERSION}"
    program = folder / "bin" / "smg"
    if program.is_file():
        return program
    python = folder / "bin" / "python"
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    try:
        for command in ((sys.executable, "-m", "venv", folder), (*pip, f"smg=={VERSION}")):
            subprocess.run(
                command, check=True, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S
            )
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise RouterMissingError(f"it does not install: {last}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RouterMissingError(f"it does not install: {error}") from None
    return program


@asynccontextmanager
async def routing(program: Path, urls: Sequence[str], log: Path) -> AsyncIterator[str]:
    """Run it in front of replicas; yields its URL once requests reach them.

    Raises:
        RouterMissingError: it does not start.
    """
    port, metrics_port = free_port(), free_port()
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(str(program), "launch", "--worker-urls", *urls, "--policy", "cache_aware"),
            *("--host", "127.0.0.1", "--port", str(port), "--log-level", "warn"),
            *("--prometheus-host", "127.0.0.1", "--prometheus-port", str(metrics_port)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        await _until_it_routes(url, process, log)
        yield url
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _until_it_routes(url: str, process: asyncio.subprocess.Process, log: Path) -> None:
    body = {"rid": "probe", "input_ids": [63], "sampling_params": {"max_new_tokens": 1}}
    try:
        async with asyncio.timeout(START_TIMEOUT_S), aiohttp.ClientSession() as http:
            while process.returncode is None:
                try:
                    async with http.post(f"{url}/generate", json=body) as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        pass
    raise RouterMissingError(f"it does not route; its log is {log}")
