"""A crowd on an SGLang at a GPU's speed: aborts, adapters swapped, full pools.

    python loadtest/bench/sglang_stress.py --minutes 60 --concurrency 256

Ends with exit status 1 if a request was lost, or SGLang's checks or the plugin's found a fault.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import aiohttp
from transformers import AutoConfig, AutoModelForCausalLM

from callsheet_bench.adapters import save_adapters
from callsheet_bench.running import RunningSglang
from callsheet_bench.stress import Crowd, play
from callsheet_server.engine.models.cache import resolve_model
from callsheet_sglang.launch.interpreter import find_python
from callsheet_sglang.launch.spec import LaunchSpec, free_port
from callsheet_sglang.wire import AUDIT_PATH, STATUS_PATH
from callsheet_sglang_cpu.emulated_gpu.machine import Emulation, named
from callsheet_sglang_cpu.emulated_gpu.model_folder import make_model_folder

LINK_BYTES_PER_S = 2e9
"""A prefix of 130 tokens takes 13 ms: dozens of loads are on the link at a time."""
ADAPTERS, SLOTS = 6, 3


async def stress(folder: Path, minutes: float, concurrency: int, npcs: int) -> dict[str, object]:
    """Run the crowd, then all checks."""
    model, gpu = folder / "model", folder / "gpu.json"
    make_model_folder(resolve_model("SmolLM2-135M-Instruct", lambda _: None), model)
    _add_weights(model)
    adapters = save_adapters(model, folder / "adapters", ADAPTERS)
    Emulation(named("h100/smollm2-1.7b", LINK_BYTES_PER_S)).save(gpu)
    spec = LaunchSpec(
        python=find_python("cpu"),
        model=model,
        port=free_port(),
        device="cpu",
        context_tokens=2048,
        pool_tokens=npcs * 50,
        host_ratio=4.0,
        adapters=adapters,
        adapter_slots=SLOTS,
        emulated_gpu=gpu,
        log_level="warning",
        extra_arguments=("--max-running-requests", str(concurrency), "--load-format", "auto"),
    )
    crowd = Crowd(npcs, concurrency, seconds=60.0 * minutes, adapters=adapters)
    async with aiohttp.ClientSession() as http:
        sglang = await RunningSglang.start("stress", spec, {}, folder / "sglang.log", http)
        try:
            outcome = await play(sglang.url, crowd)
            async with http.post(sglang.url + AUDIT_PATH) as answer:
                audit = await answer.json(content_type=None)
            status = await sglang.get_json(STATUS_PATH)
        finally:
            await sglang.stop()
    return {
        **asdict(outcome),
        "minutes": minutes,
        "concurrency": concurrency,
        "audit": audit,
        "fallbacks": status["fallbacks"],
        "loads": status["counters"]["loads"],
        "demanded_loads": status["counters"]["demanded_loads"],
    }


def _add_weights(model: Path) -> None:
    """Write random weights: SGLang loads no adapter beside a model that has none."""
    config = AutoConfig.from_pretrained(model)
    bare = AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
    bare.bfloat16().save_pretrained(model)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--concurrency", type=int, default=256)
    parser.add_argument("--npcs", type=int, default=800)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(
            stress(Path(folder), arguments.minutes, arguments.concurrency, arguments.npcs)
        )
    print(json.dumps(found, indent=2))
    audit = found["audit"]
    broken = found["lost"] or found["fallbacks"] or not (isinstance(audit, dict) and audit["ok"])
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
