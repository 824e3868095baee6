"""Drivers: sockets and timers for a session, with asyncio (`aio.py`) or threads (`threads.py`)."""
