"""Recorded and made-up workloads, played through estimators, planner and policies alone."""

from callsheet_server.tools.simulation.simulation import Budgets, Links, Replay, Report, simulate

__all__ = ["Budgets", "Links", "Replay", "Report", "simulate"]
