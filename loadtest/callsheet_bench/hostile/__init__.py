"""Hostile clients of a real server, and what an innocent one feels of them."""
