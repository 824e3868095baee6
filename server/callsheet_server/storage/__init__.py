"""Worlds on disk: one SQLite database per world, a few threads that write them."""
