"""Answers of scripts to what their NPCs hear, and to what they are about to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from callsheet.mod.handlers import HandlerRunner
from callsheet.mod.mistakes import shorten
from callsheet.mod.npc import Answer, Gate, Npc
from callsheet.wire.script import ActionChosen, ActionVerdict, HearAnswer, Heard

__all__ = ["hear", "judge"]


async def hear(
    npc: Npc,
    heard: Heard,
    gates: Mapping[str, Gate | None],
    handlers: HandlerRunner,
    show: Callable[[str], None],
) -> HearAnswer:
    """Ask a script what it makes of what its NPC heard.

    Args:
        npc: the NPC.
        heard: what it heard.
        gates: ``when`` of each action of the script; None = it has none.
        handlers: runs the script's code.
        show: told of an answer that means nothing.
    """
    said: object = None
    if hasattr(npc, "on_hear"):
        said = await handlers.run(npc, "on_hear", heard, deadline_s=heard.deadline_s)
    answer = Answer(reply=said) if isinstance(said, str) and said else said
    if not isinstance(answer, Answer):
        if answer:
            show(
                f"{type(npc).__name__}.on_hear of {npc.npc!r} returned {shorten(said)}\n"
                "  fix: return self.material(text), self.reply(text), self.ignore(), "
                "self.allow(action), self.deny(action), or nothing"
            )
        answer = Answer()
    return HearAnswer(
        call=heard.call,
        material=answer.material,
        reply=answer.reply,
        ignore=answer.ignore,
        actions=await _allowed(npc, heard, answer, gates, handlers),
    )


async def judge(
    npc: Npc, chosen: ActionChosen, handlers: HandlerRunner, show: Callable[[str], None]
) -> ActionVerdict:
    """Ask a script whether its NPC may act; what is not true, or fails, is a veto and is shown."""
    said = await handlers.run(npc, "on_act", chosen, deadline_s=chosen.deadline_s)
    if not said:
        show(f"{type(npc).__name__}.on_act vetoed {chosen.name} of {npc.npc!r}: {chosen.arguments}")
    return ActionVerdict(call=chosen.call, ok=bool(said))


async def _allowed(
    npc: Npc,
    heard: Heard,
    answer: Answer,
    gates: Mapping[str, Gate | None],
    handlers: HandlerRunner,
) -> tuple[str, ...] | None:
    """The actions an NPC may choose from after this reply; None = the script does not say."""
    if answer.allow is None and not answer.deny and not any(gates.values()):
        return None
    allowed = []
    for name in dict.fromkeys((*gates, *(heard.actions or ()), *(answer.allow or ()))):
        if name in answer.deny or (answer.allow is not None and name not in answer.allow):
            continue
        when = gates.get(name)
        if when is None or await handlers.passes(npc, name, when, heard):
            allowed.append(name)
    return tuple(allowed)
