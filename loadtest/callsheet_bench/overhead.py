"""Overhead of the plugin where it has nothing to do: SGLang's own serving benchmark."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path

from callsheet_bench.running import RunningSglang

__all__ = ["PROMPTS", "OverheadError", "ordinary_traffic"]

PROMPTS = 24
PROMPT_TOKENS, REPLY_TOKENS = 256, 16
CONCURRENCY = 4
TIMEOUT_S = 600.0


class OverheadError(Exception):
    """``sglang.bench_serving`` failed; the text is the end of what it said."""


async def ordinary_traffic(
    running: RunningSglang, model: Path, prompts: int, seed: int
) -> dict[str, float]:
    """Random prompts without NPCs, through ``python -m sglang.bench_serving``.

    Args:
        running: the system, idle.
        model: its folder, for the tokenizer.
        prompts: how many; fixed lengths.
        seed: the same seed makes the same prompts.

    Returns:
        replies_per_s, cpu_s_per_reply and ttft_p50_ms.

    Raises:
        OverheadError: it failed, or not every prompt was answered.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "serving.jsonl"
        cpu_s = running.scheduler_cpu_s()
        child = await asyncio.create_subprocess_exec(
            str(running.python), "-m", "sglang.bench_serving",
            "--backend", "sglang", "--base-url", running.url,
            "--model", str(model), "--tokenizer", str(model),
            "--dataset-name", "random-ids", "--tokenize-prompt",
            "--num-prompts", str(prompts), "--max-concurrency", str(CONCURRENCY),
            "--random-input-len", str(PROMPT_TOKENS), "--random-output-len", str(REPLY_TOKENS),
            "--random-range-ratio", "1.0", "--seed", str(seed), "--warmup-requests", "0",
            "--disable-tqdm", "--output-file", str(output),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env=running.client_environment,
        )  # fmt: skip
        try:
            said, _ = await asyncio.wait_for(child.communicate(), TIMEOUT_S)
        except BaseException:
            child.kill()
            raise
        cpu_s = running.scheduler_cpu_s() - cpu_s
        if child.returncode != 0 or not output.exists():
            raise OverheadError(said.decode(errors="replace")[-2000:])
        figures = json.loads(output.read_text(encoding="utf-8").splitlines()[-1])
    if figures["completed"] != prompts:
        raise OverheadError(f"{figures['completed']} of {prompts} prompts were answered")
    return {
        "replies_per_s": figures["request_throughput"],
        "cpu_s_per_reply": cpu_s / prompts,
        "ttft_p50_ms": figures["median_ttft_ms"],
    }
