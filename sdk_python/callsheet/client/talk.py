"""A client's talk with NPCs."""

from __future__ import annotations

from collections.abc import Iterable

from callsheet.client.reply import Reply
from callsheet.client.session import SessionClient
from callsheet.core import calls
from callsheet.wire.talk import Action, ActionResult, Priority, SamplingSpec, Speaker

__all__ = ["TalkClient"]


class TalkClient(SessionClient):
    """Talks to NPCs (roles game and mod; an observer says as the player it joined with)."""

    async def say(
        self,
        npc: str | Iterable[str],
        text: str,
        *,
        speaker: Speaker | str | None = None,
        priority: Priority | None = None,
        max_tokens: int | None = None,
        sampling: SamplingSpec | None = None,
        stop: Iterable[str] = (),
        actions: Iterable[str] | None = None,
        audible_m: float | None = None,
    ) -> Reply:
        """Say something to an NPC and get its reply, which is still to come.

        Args:
            npc: who is spoken to; a list of at most 8 answers in turn, each having heard the ones
                before.
            text: what is said.
            speaker: who says it: a ``Speaker``, the id of a player, or None for a narrator.
            priority: None = after the speaker's kind.
            max_tokens: the reply's length; None = the server's setting.
            sampling: how its tokens are chosen; None = the server's setting.
            stop: texts at which the reply ends.
            actions: names of those it may choose from afterwards (role game); None = all that are
                not gated.
            audible_m: NPCs within this distance overhear the line and the reply; None = nobody.
        """
        with self._driver.changing():
            await self._driver.room()
            pending = calls.say(
                self._session,
                npc,
                text,
                speaker,
                priority,
                max_tokens,
                sampling,
                stop,
                actions,
                audible_m,
            )
        return Reply(self._session, self._driver, pending)

    async def hear(
        self, npcs: Iterable[str], text: str, *, speaker: Speaker | str | None = None
    ) -> None:
        """Have NPCs remember a line without an answer (role game); the speaker as in ``say``."""
        await self._driver.call(calls.hear(self._session, npcs, text, speaker))

    async def speak(self, npc: str, text: str, *, audible_m: float | None = None) -> Reply:
        """Make an NPC say a given line, without the model.

        NPCs within ``audible_m`` of it overhear the line; None = nobody.
        """
        with self._driver.changing():
            await self._driver.room()
            pending = calls.speak(self._session, npc, text, audible_m)
        return Reply(self._session, self._driver, pending)

    async def answer_action(self, action: Action, *, ok: bool = True, message: str = "") -> None:
        """Tell what became of an action (role game); the NPC remembers it."""
        await self.send(ActionResult(action=action.action, ok=ok, message=message))
