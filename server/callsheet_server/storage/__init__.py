"""Worlds on disk: one SQLite database per world, one thread that writes them all."""
