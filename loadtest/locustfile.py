"""Load-test a server: ``locust -f loadtest/locustfile.py --host ws://127.0.0.1:8765``.

Locust's web UI, ``--headless``, ``--processes`` and the rest are there; ``--help`` lists what is
added. To start a server too and get a report, run ``callsheet loadtest``.
"""

from callsheet_loadtest.locustfile import GameUser, ModUser, ObserverUser, Shape

__all__ = ["GameUser", "ModUser", "ObserverUser", "Shape"]
