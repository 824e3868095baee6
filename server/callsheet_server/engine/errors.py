"""Errors that an engine may raise; an adapter maps its dependency's exceptions to these.

EngineError
├── EngineStartError         the engine cannot start here; the text names the fix
├── EngineUnavailableError   it is down, closing or restarting; try again later
├── EngineOverloadedError    its queue is full; carries retry_after_s
│   └── ModelLoadingError    a model server says when it will be ready
├── QuotaExhaustedError      who pays for it must act; waiting does not help
├── UnknownNpcError          no such NPC was announced
├── UnknownAdapterError      the NPC names an adapter the engine does not have
├── ContextTooLongError      even without history the prompt does not fit
└── GenerationError          this request failed; others go on
    ├── EmptyReplyError      the model generated, and none of it is speech
    └── RequestRefusedError  a model server does not take the request as it is

The text of each may be shown to players. What only the log may hold, such as a model server's own
words, is a note (``add_note``) or the cause; ``in_full`` joins them.
"""

__all__ = [
    "ContextTooLongError",
    "EmptyReplyError",
    "EngineError",
    "EngineOverloadedError",
    "EngineStartError",
    "EngineUnavailableError",
    "GenerationError",
    "ModelLoadingError",
    "QuotaExhaustedError",
    "RequestRefusedError",
    "UnknownAdapterError",
    "UnknownNpcError",
    "in_full",
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


class ModelLoadingError(EngineOverloadedError):
    """A model server takes no requests yet, and says when it will."""


class QuotaExhaustedError(EngineError):
    """The quota or credit of the account that pays for the engine is used up."""


class UnknownNpcError(EngineError):
    """The request names an NPC that was never announced, or was forgotten."""


class UnknownAdapterError(EngineError):
    """The NPC names an adapter the engine does not have."""


class ContextTooLongError(EngineError):
    """Lore, persona and the last turn alone exceed the context limit."""


class GenerationError(EngineError):
    """Generating this reply failed."""


class EmptyReplyError(GenerationError):
    """The model generated, and none of it is speech; the text says what it was."""


class RequestRefusedError(GenerationError):
    """A model server does not take the request as it is; ``said`` is its reason."""

    def __init__(self, message: str, said: str) -> None:
        super().__init__(message)
        self.said = said


def in_full(error: EngineError) -> str:
    """All that is known of a failure, in one line, for the log."""
    parts = [str(error), *getattr(error, "__notes__", ())]
    if error.__cause__ is not None:
        parts.append(f"{type(error.__cause__).__name__}: {error.__cause__}")
    return " | ".join(" ".join(part.split()) for part in parts)
