"""The base class ``Npc`` and the decorators of mod scripts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar, overload

from callsheet.wire.world import ScheduledCall

__all__ = ["Answer", "Gate", "Npc", "Stage", "action", "at", "every"]

F = TypeVar("F", bound=Callable[..., Any])
Gate = Callable[[Any, Any], object]

DAY_S = 86_400.0


class Stage(Protocol):
    """The world as an NPC's script acts on it."""

    def speak(self, npc: str, text: str, audible_m: float | None) -> Awaitable[str]:
        """Make the NPC say a line, which NPCs within ``audible_m`` overhear."""

    def prompt(self, npc: str, text: str) -> Awaitable[str]:
        """Tell the NPC something as a narrator; it answers by the model."""

    def remember(self, npc: str, facts: Mapping[str, Any]) -> Awaitable[None]:
        """Note facts about the NPC."""

    def recall(self, npc: str) -> Awaitable[dict[str, Any]]:
        """The facts noted about the NPC."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A script's answer to what its NPC heard; see ``Npc.on_hear``."""

    material: str | None = None
    reply: str | None = None
    ignore: bool = False
    allow: tuple[str, ...] | None = None
    """None = as each action's ``when`` says."""
    deny: tuple[str, ...] = ()


class Npc:
    """A script. There is one instance for every NPC it speaks for; keep what you like on ``self``.

    Set the attributes you need and write the handlers you need, ``def`` or ``async def``. Handlers
    run in the mod's own process. A plain ``def`` may take its time; all of them share one thread.
    """

    npcs: ClassVar[Sequence[str]] = ()
    """Ids of the NPCs this script speaks for."""
    archetypes: ClassVar[Sequence[str]] = ()
    """Also every NPC of these archetypes, now and when one spawns later."""
    persona: ClassVar[str | None] = None
    """Description of the NPC for the model; None keeps what the game gave."""
    interaction_radius_m: ClassVar[float | None] = None
    """Distance within which a player is "near"; None keeps what the game gave."""
    sociability: ClassVar[float | None] = None
    """0 = never talks to other NPCs, 1 = with everyone in reach; None keeps what the game gave."""
    game_actions: ClassVar[Sequence[str] | None] = None
    """Actions of the game that the NPC keeps, besides the script's own; None = all of them."""
    tick_interval_s: ClassVar[float] = 1.0
    """Game time between two ``on_tick``, and how exactly ``at`` and ``every`` are kept."""

    npc: str
    """The id of this NPC."""
    _stage: Stage

    def say(self, text: str, *, audible_m: float | None = None) -> Awaitable[str]:
        """Say exactly this. ``await`` it to wait until it is said; it is said either way.

        NPCs within ``audible_m`` overhear it; None = nobody.
        """
        return self._stage.speak(self.npc, text, audible_m)

    def prompt(self, text: str) -> Awaitable[str]:
        """Tell the NPC something only it hears ("it begins to rain"), and let it react.

        ``await`` it for what the NPC said.
        """
        return self._stage.prompt(self.npc, text)

    def remember(self, **facts: Any) -> Awaitable[None]:
        """Note facts, kept with the NPC's memory: JSON values by name, None takes one away.

        ``await`` it to wait until they are on disk; they are noted either way.
        """
        return self._stage.remember(self.npc, facts)

    def recall(self) -> Awaitable[dict[str, Any]]:
        """``await`` it for all facts noted about this NPC, by name, in earlier games too."""
        return self._stage.recall(self.npc)

    def material(
        self, text: str, *, allow: Sequence[str] | None = None, deny: Sequence[str] = ()
    ) -> Answer:
        """For ``on_hear``: facts the model gets for this reply only; actions as in ``allow``."""
        return Answer(text, allow=None if allow is None else tuple(allow), deny=tuple(deny))

    def allow(self, *actions: str) -> Answer:
        """For ``on_hear``: after this reply the NPC may do one of these, and nothing else."""
        return Answer(allow=actions)

    def deny(self, *actions: str) -> Answer:
        """For ``on_hear``: after this reply the NPC may do none of these."""
        return Answer(deny=actions)

    def reply(self, text: str) -> Answer:
        """For ``on_hear``: answer exactly this, without the model. Returning text does the same."""
        return Answer(reply=text)

    def ignore(self) -> Answer:
        """For ``on_hear``: do not answer at all."""
        return Answer(ignore=True)


@overload
def action(method: F) -> F: ...


@overload
def action(*, when: Gate) -> Callable[[F], F]: ...


def action(method: F | None = None, *, when: Gate | None = None) -> F | Callable[[F], F]:
    """Something the NPC may do. The model calls it; the game carries it out.

    The method's name, parameters and docstring are what the model is told, so every parameter has
    a type; ``Literal``, enums and ``Annotated[int, Field(ge=0)]`` limit what it can be. The body
    stays empty: it is never run. ``on_action_done`` tells what became of it.

    Args:
        method: what is decorated.
        when: called with the NPC and what it heard; the action is offered to the model only where
            this returns true.
    """

    def mark(method: F) -> F:
        method.__callsheet_action__ = True  # type: ignore[attr-defined]
        method.__callsheet_when__ = when  # type: ignore[attr-defined]
        return method

    return mark if method is None else mark(method)


def at(time: str | float, *, day_s: float = DAY_S) -> Callable[[F], F]:
    """Run a method at a game time, and have the NPC ready for the model by then.

    Args:
        time: "HH:MM" = every day at that time; a number = once, in seconds of game time.
        day_s: seconds of game time in a day, for games whose days are shorter.
    """
    if isinstance(time, str):
        hours, colon, minutes = time.partition(":")
        if not (colon and hours.isdecimal() and minutes.isdecimal()) or not (
            int(hours) < 24 and int(minutes) < 60
        ):
            raise ValueError(f'at({time!r}): write a time of day as "HH:MM", 00:00 to 23:59')
        at_s = (int(hours) * 60 + int(minutes)) / (24 * 60) * day_s
        return _scheduled(ScheduledCall(at_s=at_s, every_s=day_s))
    return _scheduled(ScheduledCall(at_s=time))


def every(seconds: float, *, start_s: float = 0.0) -> Callable[[F], F]:
    """Run a method again and again, every so many seconds of game time, from ``start_s`` on."""
    return _scheduled(ScheduledCall(at_s=start_s, every_s=seconds))


def _scheduled(call: ScheduledCall) -> Callable[[F], F]:
    def mark(method: F) -> F:
        calls = (*getattr(method, "__callsheet_schedule__", ()), call)
        method.__callsheet_schedule__ = calls  # type: ignore[attr-defined]
        return method

    return mark
