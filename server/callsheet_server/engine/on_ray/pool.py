"""Replicas on Ray, as actors with names: placed, found, ended. Runs in processes of its own."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import ray

from callsheet_server.engine.models.cache import cache_dir
from callsheet_server.engine.on_ray.actor import ReplicaActor
from callsheet_server.engine.sglang.local import device_of
from callsheet_server.engine.sglang.settings import SglangSettings

__all__ = ["Place", "RayError", "connect", "down", "missing", "places", "start_head", "up"]

NAMESPACE: Final = "callsheet"
HEALTH: Final = (
    '{"health_check_period_ms":500,"health_check_initial_delay_ms":500,'
    '"health_check_timeout_ms":500,"health_check_failure_threshold":2}'
)
"""Ray's settings by which a lost machine is noticed after 2.6 s; its own take 15 s."""
PROBE_TIMEOUT_S: Final = 2.0
PLACE_TIMEOUT_S: Final = 5.0
"""Wait for an actor that Ray is starting again, and for resources to be seen."""
FREE_POLL_S: Final = 0.25


class Place(NamedTuple):
    """Place of a replica."""

    url: str | None
    """None = its SGLang is being started."""
    pid: int | None
    """Process of its actor; None = that is being started, too."""


class RayError(Exception):
    """Ray is not there, or has no place for a replica; the text says what to do."""


def connect() -> None:
    """Join the Ray of this machine, or that of ``RAY_ADDRESS`` (``HOST:PORT``).

    Raises:
        RayError: there is none.
    """
    address = os.environ.get("RAY_ADDRESS") or _address_of_this_machine()
    host, _, port = address.rpartition(":")
    try:  # Ray itself would try for minutes.
        socket.create_connection((host, int(port)), PROBE_TIMEOUT_S).close()
    except (OSError, ValueError):
        at = f" at {address}" if address else ""
        raise RayError(
            f"no Ray answers{at}; start one with `callsheet cluster up`, or join one with "
            "`ray start --address=HEAD:6379`"
        ) from None
    ray.init(address=address, namespace=NAMESPACE, log_to_driver=False, logging_level=logging.ERROR)


def _address_of_this_machine() -> str:
    """Address that Ray has noted of the cluster it belongs to; "" = of none."""
    note = Path(os.environ.get("RAY_TMPDIR", tempfile.gettempdir()), "ray", "ray_current_cluster")
    return note.read_text().strip() if note.exists() else ""


def start_head() -> None:
    """Start Ray here, as the first of its machines.

    Raises:
        RayError: it does not start.
    """
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--port=6379"]
    command += ["--include-dashboard=false", "--disable-usage-stats", f"--system-config={HEALTH}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RayError(f"Ray does not start: {done.stderr.strip().splitlines()[-1:]}")


def missing(nodes: Sequence[str]) -> list[str]:
    """Name those of these machines that have not joined."""
    alive = [node for node in ray.nodes() if node["Alive"]]
    here = {node[key] for node in alive for key in ("NodeManagerAddress", "NodeManagerHostname")}
    return [node for node in nodes if node not in here]


def up(settings: SglangSettings, replicas: int, nodes: Sequence[str]) -> list[str]:
    """Have so many replicas, one GPU each; return their names. Those there are stay.

    Args:
        settings: of each.
        replicas: how many.
        nodes: addresses of the machines to spread them over; none = all.

    Raises:
        RayError: there are not so many GPUs.
    """
    on_gpu = device_of(settings) == "cuda"
    kind = "GPU" if on_gpu else "CPU"
    there = set(_names())
    names = [f"replica-{number}" for number in range(replicas)]
    wanted = sum(name not in there for name in names)
    if wanted > (free := _free(kind, wanted)):
        raise RayError(f"{wanted} more replicas need a {kind} each; Ray has {free:g} free")
    for number, name in enumerate(names):
        if name in there:
            continue
        options: dict[str, Any] = {
            "name": name,
            "namespace": NAMESPACE,
            "lifetime": "detached",
            "max_restarts": -1,
            "num_gpus": int(on_gpu),
            "num_cpus": int(not on_gpu),
            "scheduling_strategy": "SPREAD",
        }
        if nodes:
            options["resources"] = {f"node:{nodes[number % len(nodes)]}": 0.001}
        log = settings.log_file or cache_dir() / "sglang.log"
        log = log.with_stem(f"{log.stem}-{name}")
        own = settings.model_copy(update={"urls": (), "replicas": 1, "log_file": log})
        remote: Any = ray.remote(ReplicaOnNode)
        remote.options(**options).remote(own.model_dump(mode="json") | _secret(own))
    return names


def _free(kind: str, wanted: int) -> float:
    """Ask Ray for what is free; a machine that has just joined is seen a little later."""
    until_s = time.monotonic() + PLACE_TIMEOUT_S
    while True:
        free = float(ray.available_resources().get(kind, 0))
        if free >= wanted or time.monotonic() > until_s:
            return free
        time.sleep(FREE_POLL_S)


class ReplicaOnNode(ReplicaActor):
    """A ``ReplicaActor`` that listens on its machine's address in Ray."""

    def __init__(self, settings: dict[str, Any]) -> None:
        """``settings``: of ``SglangSettings``."""
        super().__init__(settings, ray.util.get_node_ip_address())


def places() -> dict[str, Place]:
    """Tell where each replica is, by name."""
    asked = {name: ray.get_actor(name).place.remote() for name in _names()}
    return {name: _place(answer) for name, answer in asked.items()}


def _place(answer: Any) -> Place:
    try:
        url, pid = ray.get(answer, timeout=PLACE_TIMEOUT_S)
    except ray.exceptions.RayError:  # Its actor is being started, too.
        return Place(None, None)
    return Place(url, pid)


def down() -> list[str]:
    """End all replicas, for good; return their names."""
    names = _names()
    for name in names:
        ray.kill(ray.get_actor(name))
    return names


def _names() -> list[str]:
    return sorted(ray.util.list_named_actors(), key=lambda name: (len(name), name))


def _secret(settings: SglangSettings) -> dict[str, str]:
    """The API key in plain text: a dump hides it."""
    key = settings.api_key
    return {} if key is None else {"api_key": key.get_secret_value()}
