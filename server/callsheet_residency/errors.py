"""Errors of state moves.

ResidencyError
├── BudgetError      a tier has no room for what was to be put there
├── StateInUseError  a running request counts on the state where it is
└── StateLostError   state that should have been there could not be read back
"""

__all__ = ["BudgetError", "ResidencyError", "StateInUseError", "StateLostError"]


class ResidencyError(Exception):
    """Moving a piece of state failed."""


class BudgetError(ResidencyError):
    """A tier has no room; nothing was changed."""


class StateInUseError(ResidencyError):
    """A running request counts on the state where it is; nothing was changed."""


class StateLostError(ResidencyError):
    """A stored copy is missing or damaged; the state counts as absent from now on."""
