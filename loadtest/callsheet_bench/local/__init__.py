"""Benchmark of the engine for players' machines, against stock llama-server and torch."""
