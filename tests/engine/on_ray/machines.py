"""Ray on machines that are processes here. Run as a script: an order a line in, an answer out.

Orders: ``add CPUS`` answers with the new machine's number, ``kill NUMBER`` with "killed"; 0 = the
head, on which nothing runs. The first line out is Ray's address. All ends with standard input.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from ray.cluster_utils import Cluster

from callsheet_server.engine.on_ray.pool import HEALTH

ADDRESS = "127.0.0.2"
"""Ray takes 127.0.0.1 for a mistake, and looks for an address that others can reach."""
MACHINE = {"node_ip_address": ADDRESS, "object_store_memory": 80_000_000}


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Ray prints there.

    def answer(text: object) -> None:
        answers.write(f"{text}\n")
        answers.flush()

    head = {**MACHINE, "num_cpus": 0, "include_dashboard": False}
    cluster = Cluster(
        initialize_head=True, head_node_args={**head, "_system_config": json.loads(HEALTH)}
    )
    machines: list[Any] = [cluster.head_node]
    answer(cluster.address)
    for line in sys.stdin:
        order, number = line.split()
        if order == "add":
            answer(len(machines))
            machines.append(cluster.add_node(num_cpus=int(number), **MACHINE))
        else:
            cluster.remove_node(machines[int(number)], allow_graceful=False)
            answer("killed")
    for machine in machines[::-1]:
        machine.kill_all_processes(check_alive=False, allow_graceful=False)


if __name__ == "__main__":
    main()
