"""Metrics, health, logs and traces of a running server.

Not a layer: nothing of a tick's journey imports it. ``app.py`` tells it what has passed.
"""

from callsheet_server.telemetry.telemetry import Telemetry

__all__ = ["Telemetry"]
