"""Ray on machines that are processes here. Run as a script: an order a line in, an answer out.

Orders: ``add CPUS`` answers with the new machine's number, ``kill NUMBER`` with "killed"; 0 = the
head, on which nothing runs. The first line out is Ray's address. All ends with standard input.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

from ray.cluster_utils import Cluster

from callsheet_server.engine.on_ray.pool import HEALTH

ADDRESS = "127.0.0.2"
"""Ray takes 127.0.0.1 for a mistake, and looks for an address that others can reach."""
MACHINE = {"node_ip_address": ADDRESS, "object_store_memory": 80_000_000}
STARTS: Final = 3
"""Ray gives a machine 30 s to start, whatever else keeps this one busy."""

Started = TypeVar("Started")


def patiently(start: Callable[[], Started]) -> Started:
    for _ in range(STARTS - 1):
        try:
            return start()
        except Exception as error:  # Ray raises nothing narrower.
            sys.stderr.write(f"once more: {error}\n")
    return start()


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Ray prints there.

    def answer(text: object) -> None:
        answers.write(f"{text}\n")
        answers.flush()

    head = {**MACHINE, "num_cpus": 0, "include_dashboard": False}
    head["_system_config"] = json.loads(HEALTH)
    cluster = patiently(lambda: Cluster(initialize_head=True, head_node_args=dict(head)))
    machines: list[Any] = [cluster.head_node]
    answer(cluster.address)
    for line in sys.stdin:
        order, number = line.split()
        if order == "add":
            add = partial(cluster.add_node, num_cpus=int(number), **MACHINE)
            machines.append(patiently(add))
            answer(len(machines) - 1)
        else:
            cluster.remove_node(machines[int(number)], allow_graceful=False)
            answer("killed")
    for machine in machines[::-1]:
        machine.kill_all_processes(check_alive=False, allow_graceful=False)


if __name__ == "__main__":
    main()
