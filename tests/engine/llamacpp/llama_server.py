"""A llama-server with the flags of the real one, on the package that has no such program."""

from __future__ import annotations

import argparse
import time

import xllamacpp

FLAGS: dict[str, tuple[type, str]] = {
    "model": (str, "model.path"),
    "port": (int, "port"),
    "parallel": (int, "n_parallel"),
    "ctx-size": (int, "n_ctx"),
    "batch-size": (int, "n_batch"),
    "ubatch-size": (int, "n_ubatch"),
    "n-gpu-layers": (int, "n_gpu_layers"),
    "ctx-checkpoints": (int, "n_ctx_checkpoints"),
    "cache-ram": (int, "cache_ram_mib"),
    "threads": (int, "cpuparams.n_threads"),
}
SWITCHES = {
    "kv-unified": ("kv_unified", True),
    "swa-full": ("swa_full", True),
    "slots": ("endpoint_slots", True),
    "no-webui": ("ui", False),
    "no-warmup": ("warmup", False),
    "no-context-shift": ("ctx_shift", False),
    "lora-init-without-apply": ("lora_init_without_apply", True),
}


def put(params: object, name: str, value: object) -> None:
    *path, last = name.split(".")
    for step in path:
        params = getattr(params, step)
    setattr(params, last, value)


parser = argparse.ArgumentParser(allow_abbrev=False)
for flag, (kind, _) in FLAGS.items():
    parser.add_argument(f"--{flag}", type=kind)
for flag in ("host", "api-key", "slot-save-path", "chat-template"):
    parser.add_argument(f"--{flag}")
parser.add_argument("--lora", action="append", default=[])
for flag in SWITCHES:
    parser.add_argument(f"--{flag}", action="store_true")
given = vars(parser.parse_args())
params = xllamacpp.CommonParams()
for flag, option in FLAGS.items():
    if (value := given[flag.replace("-", "_")]) is not None:
        put(params, option[1], value)
for flag, (switched, on) in SWITCHES.items():
    if given[flag.replace("-", "_")]:
        put(params, switched, on)
params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(path, 1.0) for path in given["lora"]]
params.hostnames = [given["host"]]
params.api_keys = [given["api_key"]]
params.slot_save_path = f"{given['slot_save_path']}/"
server = xllamacpp.Server(params)
while True:
    time.sleep(3600)
