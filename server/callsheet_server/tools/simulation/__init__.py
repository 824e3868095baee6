"""Recorded and made-up workloads, played through estimators, planner and policies alone."""

from callsheet_server.tools.simulation.simulation import (
    Links,
    Playback,
    SimulationReport,
    TierBudgets,
    simulate,
)

__all__ = ["Links", "Playback", "SimulationReport", "TierBudgets", "simulate"]
