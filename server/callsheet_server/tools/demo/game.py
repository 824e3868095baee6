"""Game that plays a world, as the rest of this package sees it."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from callsheet import CallsheetError, Client, Error, ReplyEnd, SessionLostError, Speaker

__all__ = ["Game", "ask", "count_errors"]


class Game(Protocol):
    """Something that plays a world over a session of role game."""

    errors: Counter[str]
    """Number of errors that the server sent, by code."""

    async def run(self, client: Client) -> None:
        """Play until the end, or until cancelled.

        Raises:
            CallsheetError: the server refused the world.
        """


def count_errors(client: Client, errors: Counter[str]) -> None:
    """Count the errors that answer no request; ``ask`` counts the others."""

    def count(error: Error) -> None:
        if error.id is None:
            errors[error.code] += 1

    client.on(count, Error)


async def ask(
    client: Client,
    errors: Counter[str],
    npc: str,
    text: str,
    speaker: Speaker,
    max_tokens: int | None = None,
) -> ReplyEnd | None:
    """Say something and wait for the end of the reply; None if it failed, which is counted."""
    try:
        return await (await client.say(npc, text, speaker=speaker, max_tokens=max_tokens))
    except CallsheetError as error:
        errors[error.code] += 1
    except SessionLostError:
        errors["session_lost"] += 1
    return None
