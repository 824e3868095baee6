"""One SGLang process on this machine: started, listened to while it loads, ended whole."""

from __future__ import annotations

import asyncio
import logging
import logging.handlers
import os
import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from callsheet_server.engine.engine import Progress
from callsheet_server.engine.errors import EngineStartError

__all__ = ["SglangProcess"]

logger = logging.getLogger(__name__)

GUARD: Final = Path(__file__).with_name("guard.py")
OLD_LOGS: Final = 2
"""Rotated logs that are kept beside the current one."""
TAIL_LINES: Final = 20
"""Lines of the log that are shown when a start fails."""
KILL_S: Final = 5.0
"""Time beyond the grace time for the guard to see the processes gone."""

STAGES: Final = (
    (re.compile(r"server_args="), "reading its settings"),
    (re.compile(r"Load weight begin"), "loading weights"),
    (re.compile(r"Load weight end"), "weights loaded"),
    (re.compile(r"KV Cache is allocated"), "KV pool made"),
    (re.compile(r"Capture .*cuda graph.* begin", re.IGNORECASE), "capturing CUDA graphs"),
    (re.compile(r"max_total_num_tokens="), "warming up"),
    (re.compile(r"fired up and ready"), "ready"),
)
"""Lines of SGLang's log that tell how far it is, in order."""
SHARDS: Final = re.compile(r"checkpoint shards:.*?(\d+)/(\d+)")


class SglangProcess:
    """A running SGLang with its log. The log is read and written by a thread of its own."""

    def __init__(
        self,
        guard: subprocess.Popen[bytes],
        log: logging.handlers.RotatingFileHandler,
        secret: str,
        stop_timeout_s: float,
        report: Callable[[Progress], None],
    ) -> None:
        """Use ``launch``."""
        self._guard = guard
        self._log = log
        self._secret = secret
        self._stop_timeout_s = stop_timeout_s
        self._report = report
        self._loop = asyncio.get_running_loop()
        self.ended = asyncio.Event()
        """Set when the process and all it had started are gone."""
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._stage = 0
        threading.Thread(target=self._listen, name="callsheet-sglang-log", daemon=True).start()

    @classmethod
    async def launch(
        cls,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        log_file: Path,
        log_bytes: int,
        stop_timeout_s: float,
        report: Callable[[Progress], None],
        secret: str = "",
    ) -> Self:
        """Start SGLang. It ends with this process, however that ends.

        Args:
            command: SGLang's command line.
            environment: its whole environment.
            log_file: what it prints goes here; rotated at ``log_bytes``.
            log_bytes: see above.
            stop_timeout_s: from being told to end to being killed.
            report: told how far it has loaded, from a thread.
            secret: kept out of the log, if not empty.

        Raises:
            EngineStartError: its program or the log's folder is not there.
        """

        def start() -> tuple[subprocess.Popen[bytes], logging.handlers.RotatingFileHandler]:
            if not os.access(command[0], os.X_OK):
                raise EngineStartError(
                    f"sglang: {command[0]} is no program; install SGLang (on a GPU machine: pip "
                    "install 'callsheet[sglang]'; without one: callsheet sglang setup-cpu)"
                )
            log_file.parent.mkdir(parents=True, exist_ok=True)
            log = logging.handlers.RotatingFileHandler(
                log_file, maxBytes=log_bytes, backupCount=OLD_LOGS, encoding="utf-8"
            )
            guard = subprocess.Popen(  # noqa: S603 - the user's own SGLang
                [sys.executable, "-I", str(GUARD), str(stop_timeout_s), *command],
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the server; it ends SGLang in good order.
            )
            return guard, log

        try:
            guard, log = await asyncio.to_thread(start)
        except OSError as error:
            raise EngineStartError(f"sglang.log_file: {log_file}: {error.strerror}") from error
        logger.info("SGLang starts; its log is %s", log_file)
        return cls(guard, log, secret, stop_timeout_s, report)

    @property
    def tail(self) -> str:
        """The last lines of the log, and where all of it is."""
        return "\n".join([*self._tail, f"(its log: {self._log.baseFilename})"])

    @property
    def exit_status(self) -> int | None:
        """None while it runs; above 128 = it died of that signal + 128."""
        return self._guard.returncode

    async def stop(self) -> None:
        """Tell it to end, kill it if it does not. Returns once it is gone; may be called twice."""
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        try:
            async with asyncio.timeout(self._stop_timeout_s + KILL_S):
                await self.ended.wait()
        except TimeoutError:
            logger.error("SGLang's guard does not end; killing it")
            self._guard.kill()
            await self.ended.wait()

    def _listen(self) -> None:
        """Runs in the thread until nobody writes to the log any more."""
        assert self._guard.stdout is not None
        with self._guard.stdout as lines:
            # Progress bars end their lines with a carriage return.
            for line in lines:
                for text in line.decode(errors="replace").replace("\r", "\n").splitlines():
                    if text.strip():
                        self._heard(text.rstrip())
        self._log.close()
        self._guard.wait()
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.ended.set)

    def _heard(self, line: str) -> None:
        if self._secret:
            line = line.replace(self._secret, "(secret)")
        self._log.emit(logging.makeLogRecord({"msg": line}))
        self._tail.append(line)
        total = len(STAGES)
        for stage in range(self._stage, total):
            pattern, label = STAGES[stage]
            if pattern.search(line):
                self._stage = stage + 1
                self._report(Progress(f"SGLang: {label}", stage + 1, total, "steps"))
        if shards := SHARDS.search(line):
            done, shard_total = int(shards[1]), int(shards[2])
            self._report(Progress("SGLang: checkpoint shards", done, shard_total, "shards"))
