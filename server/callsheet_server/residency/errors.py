"""What can go wrong when state moves.

ResidencyError
├── BudgetError      a tier has no room for what was to be put there
└── StateLostError   state that should have been there could not be read back
"""

__all__ = ["BudgetError", "ResidencyError", "StateLostError"]


class ResidencyError(Exception):
    """Moving a piece of state failed."""


class BudgetError(ResidencyError):
    """A tier has no room; nothing was changed."""


class StateLostError(ResidencyError):
    """A stored copy is missing or damaged; the state counts as absent from now on."""
