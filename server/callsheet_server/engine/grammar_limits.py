"""Step budget of grammars that llguidance builds of JSON schemas, for both local engines."""

from __future__ import annotations

from typing import Final

from llguidance import LLParserLimits

__all__ = ["GRAMMAR_LIMITS"]

GRAMMAR_LIMITS: Final = LLParserLimits(initial_lexer_fuel=100_000, max_grammar_size=50_000)
"""A tenth of what llguidance allows by itself: some 30 ms; 32 honest actions take 4 ms."""
