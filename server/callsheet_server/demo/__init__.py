"""A simulated town, played through the real WebSocket with the Python SDK."""
