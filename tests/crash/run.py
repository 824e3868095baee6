"""Kill a server under load many times.

python tests/crash/run.py --kills 300 --seed 1
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
import tempfile
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])

from crash.crash import crash  # noqa: E402  found from the folder set above


def main() -> int:
    """Run it; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=300, help="how often")
    parser.add_argument("--seed", type=int, default=1, help="the same seed kills after like times")
    args = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(crash(args.kills, args.seed, Path(folder), port))
    print(report)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
