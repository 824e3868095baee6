"""Load tests on Locust: games that stream ticks and talk, mods and observers, by the dozen.

``locust -f loadtest/locustfile.py`` is Locust with all it has; ``callsheet loadtest`` starts a
server too, and reports. Importing this package imports neither Locust nor gevent.
"""
