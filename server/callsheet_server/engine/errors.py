"""What an engine may raise; a dependency's exceptions are mapped to these in the adapter.

EngineError
├── EngineStartError         the engine cannot start here; the text names the fix
├── EngineUnavailableError   it is down, closing or restarting; try again later
├── EngineOverloadedError    its queue is full; carries retry_after_s
├── UnknownNpcError          no such NPC was announced
├── UnknownAdapterError      the NPC names an adapter the engine does not have
├── ContextTooLongError      even without history the prompt does not fit
└── GenerationError          this request failed; others go on
"""

__all__ = [
    "ContextTooLongError",
    "EngineError",
    "EngineOverloadedError",
    "EngineStartError",
    "EngineUnavailableError",
    "GenerationError",
    "UnknownAdapterError",
    "UnknownNpcError",
]


class EngineError(Exception):
    """Base of everything an engine raises."""


class EngineStartError(EngineError):
    """The engine cannot start here; the text says why and what to do."""


class EngineUnavailableError(EngineError):
    """The engine is down, closing or restarting."""


class EngineOverloadedError(EngineError):
    """The engine's queue is full."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnknownNpcError(EngineError):
    """The request names an NPC that was never announced, or was forgotten."""


class UnknownAdapterError(EngineError):
    """The NPC names an adapter the engine does not have."""


class ContextTooLongError(EngineError):
    """World prefix, persona and the last turn alone exceed the context limit."""


class GenerationError(EngineError):
    """Generating this reply failed."""
