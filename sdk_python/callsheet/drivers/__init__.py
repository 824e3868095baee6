"""What moves a session: sockets and time, with asyncio (`aio.py`) or threads (`threads.py`)."""
