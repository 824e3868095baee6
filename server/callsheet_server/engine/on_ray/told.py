"""Prints the replicas that Ray has, as JSON: name -> URL. Run as a module, by ``lookup``."""

from __future__ import annotations

import json
import sys

from callsheet_server.engine.on_ray.pool import RayError, connect, places

__all__ = ["main"]


def main() -> int:
    """Print them; return the exit status."""
    try:
        connect()
    except RayError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps({name: place.url for name, place in places().items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
