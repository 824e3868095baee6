"""Benchmarks of several replicas: failover, simulation, and real SGLangs on the CPU."""
