"""One attack, from a process of its own.

python -m callsheet_bench.hostile ATTACK PORT SECONDS ADDRESS

Prints ``begun`` when all is prepared, then one close code a line, as the server ends connections.
"""

from __future__ import annotations

import sys

from callsheet_bench.hostile import inside, outside
from callsheet_bench.hostile.attack import ATTACKS, Ground

__all__ = ["inside", "outside"]

if __name__ == "__main__":
    name, port, seconds, address = sys.argv[1:]
    for code in ATTACKS[name].run(Ground(int(port), float(seconds), address)):
        print(code, flush=True)
